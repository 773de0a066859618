"""What dbt remembers of having parsed its own macros, which is most of the work of the first command in a small project."""

from __future__ import annotations

import hashlib
import pprint
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from support.in_process import invoke_dbt

PARSED = Path("target", "partial_parse.msgpack")
PROJECT_FILES = ("dbt_project.yml", "profiles.yml")

_empty: dict[tuple[str, str], tuple[bytes, str]] = {}
"""By adapter and ``dbt_project.yml``: what dbt remembers of a project without models, and the hash of its connection in it."""


def remember_macros(project: Path) -> None:
    """Give a project that dbt has not parsed yet what it remembers of an empty one with the same ``dbt_project.yml``.

    dbt goes by it only if it finds the hash of its own connection in it; else it parses everything.
    """
    project_file, profiles = ((project / name).read_text(encoding="utf-8") for name in PROJECT_FILES)
    connection = _connection(profiles)
    key = (connection["type"], project_file)
    if key not in _empty:
        _empty[key] = _parse_empty(project_file, profiles), _hash(connection)
    remembered, its_hash = _empty[key]
    (project / PARSED).parent.mkdir()
    (project / PARSED).write_bytes(remembered.replace(its_hash.encode(), _hash(connection).encode()))


def _parse_empty(project_file: str, profiles: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in zip(PROJECT_FILES, (project_file, profiles), strict=True):
            Path(folder, name).write_text(text, encoding="utf-8")
        assert invoke_dbt(Path(folder), "parse").exit_code == 0
        return Path(folder, PARSED).read_bytes()


def _connection(profiles: str) -> Mapping[str, Any]:
    (profile,) = yaml.safe_load(profiles).values()
    return profile["outputs"][profile["target"]]


def _hash(connection: Mapping[str, Any]) -> str:
    """Computed as dbt does."""
    from dbt.adapters.factory import load_plugin

    credentials = load_plugin(connection["type"])
    entries = {name: value for name, value in connection.items() if name not in ("type", "threads")}
    shown = sorted(credentials.from_dict(credentials.translate_aliases(entries)).connection_info())
    return hashlib.sha256(pprint.pformat(shown).encode()).hexdigest()
