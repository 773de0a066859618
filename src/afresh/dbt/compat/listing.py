"""What dbt's selectors select in a project: `dbt ls`, in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dbt.cli.main import dbtRunner

from afresh.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SILENT = ("--quiet", "--log-level", "none", "--no-write-json")


def selected(selectors: Sequence[str], project_dir: Path, target: str | None, more: Sequence[str] = ()) -> frozenset[str]:
    """The unique ids of everything that ``--select SELECTORS`` selects; ``more`` are other options of `dbt ls`.

    Raises:
        UsageError: dbt cannot tell.
    """
    where = ["--project-dir", str(project_dir), *(("--target", target) if target else ()), *more]
    listed = dbtRunner().invoke(["ls", "--select", *selectors, "--output", "json", "--output-keys", "unique_id", *where, *_SILENT])
    if not listed.success or not isinstance(listed.result, list):
        why = "" if listed.exception is None else f": {' '.join(str(listed.exception).split())}"
        raise UsageError(
            f"dbt cannot tell what `{' '.join(selectors)}` selects{why}",
            where=str(project_dir),
            hint="A selector needs the dbt project; names of nodes do not.",
        )
    return frozenset(str(json.loads(line)["unique_id"]) for line in listed.result)
