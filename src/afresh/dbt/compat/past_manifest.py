"""The ``manifest.json`` of an earlier run, as dbt itself reads one (for ``--state``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbt.artifacts.exceptions import IncompatibleSchemaError
from dbt.contracts.files import FileHash
from dbt.contracts.graph.manifest import Manifest, WritableManifest
from dbt_common.clients.system import load_file_contents
from dbt_common.exceptions import DbtBaseException

from afresh.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def metadata_of(path: Path) -> Mapping[str, Any]:
    """What a manifest says of the run that wrote it.

    Raises:
        UsageError: it is not there, or no manifest.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"cannot be read: {why}", where=str(path), hint="It has to lie beside the run_results.json of its run.") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError("is no manifest.json of dbt", where=str(path)) from None
    return found if isinstance(found, dict) else {}


def read(path: Path) -> Any:
    """The manifest in a file.

    Raises:
        UsageError: this version of dbt cannot read it.
    """
    try:
        return Manifest.from_writable_manifest(WritableManifest.read_and_check_versions(str(path)))
    except (IncompatibleSchemaError, DbtBaseException, ValueError, KeyError, TypeError, AttributeError) as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UsageError(f"this version of dbt cannot read it: {first}", where=str(path)) from None


def seed_is_unchanged(then: Any, path: Path) -> bool:
    """Whether a seed's file is what it was; dbt keeps no checksum of large files, of which nobody can tell."""
    checksum = getattr(then, "checksum", None)
    if checksum is None or checksum.name != "sha256":
        return False
    try:
        now = FileHash.from_contents(load_file_contents(str(path), strip=True))
    except (OSError, ValueError):
        return False
    return bool(now.checksum == checksum.checksum)
