"""Projects that start with dbt's own macros parsed, which is most of the work of a first command in a small project."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.project import Project, create_project
from support.warehouse import DuckDBFile

PARSED = Path("target", "partial_parse.msgpack")

NewShop = Callable[..., Project]


@dataclass(frozen=True)
class LocalFile(DuckDBFile):
    """A database that the profile names by a path relative to the project: two projects then have one and the same profile."""

    def profile(self) -> Mapping[str, object]:
        """The entries of a dbt target that lead here."""
        return {**super().profile(), "path": self.path.name}


def parsed_once(folder: Path) -> Path:
    """What dbt remembers of an empty project's parse."""
    empty = create(folder, {})
    assert empty.dbt("parse").exit_code == 0
    return empty.root / PARSED


def create(folder: Path, files: Mapping[str, str], *, settings: Mapping[str, object] | None = None) -> Project:
    """A project called ``shop`` with its database beside its files."""
    root = folder / "shop"
    return create_project(root, LocalFile(root / "shop.duckdb"), files, name="shop", threads=4, settings=settings or {})


def factory(template: Path, folder: Path) -> NewShop:
    """Makes projects below ``folder`` from what was parsed before."""

    def new(files: Mapping[str, str], *, name: str = "a", settings: Mapping[str, object] | None = None) -> Project:
        project = create(folder / name, files, settings=settings)
        (project.root / PARSED).parent.mkdir()
        shutil.copy(template, project.root / PARSED)
        return project

    return new
