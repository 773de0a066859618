"""Where a setting of a node was written: in the node's own file, in its properties file, or for a folder in ``dbt_project.yml``.

dbt merges these before we see the config. Files are read only when somebody asks, which is when there is something to tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from afresh.config.yaml_tree import Listing, Scalar, Section, Tree, read_tree
from afresh.errors import Location

PROJECT_FILE = "dbt_project.yml"
_SECTIONS: Mapping[str, tuple[str, ...]] = {"test": ("data_tests", "tests")}
"""The section of a kind of node, where it is not its plural."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place: ``own`` is the node's own file or properties, else it is set for a folder of nodes."""

    where: Location
    own: bool
    beside_config: bool = False
    """Whether it stands in the properties beside ``config``, not in it: where ``meta`` stood first."""


class ConfigFiles:
    """The files of one project, each read once. ``folder`` is where a package's are, as seen from the project that uses it."""

    def __init__(self, root: Path | None, folder: str = "") -> None:
        self._root = root
        self._folder = folder
        self._trees: dict[str, Tree | None] = {}

    def shown(self, file: str) -> str:
        """A file as the user finds it from where dbt runs."""
        return f"{self._folder}/{file}" if self._folder else file

    def text(self, file: str) -> str:
        """The text of a file; empty where it cannot be read."""
        if self._root is None:
            return ""
        try:
            return (self._root / file).read_text(encoding="utf-8-sig", errors="replace")
        except OSError:
            return ""

    def tree(self, file: str) -> Tree | None:
        """A YAML file; ``None`` where it cannot be read."""
        if file not in self._trees:
            self._trees[file] = read_tree(self.text(file), file)[0]
        return self._trees[file]


@dataclass(frozen=True)
class Written:
    """What can set the config of one node, the strongest first."""

    files: ConfigFiles
    """Those of the node's own project or package."""
    resource_type: str
    names: tuple[str, ...]
    """What the node is called in a properties file: its name; of a source's table the names of both."""
    fqn: tuple[str, ...]
    file: str
    """The node's own file; for sources the properties file."""
    properties: str | None = None
    in_file: Mapping[str, Any] = field(default_factory=dict)
    """What the node's own file gives to ``config()``."""
    version: str = ""
    """Of a model with versions: which one it is."""
    over: ConfigFiles | None = None
    """For a node of a package: the files of the project that uses it, whose ``dbt_project.yml`` is the strongest."""

    def place_of(self, key: str) -> Place | None:
        """Where the value of ``key`` (``state.max_age``) was set; ``None`` where that is not to be found."""
        path = key.split(".")
        above = None if self.over is None else self._in_project(path, self.over)
        return above or self._in_file(path) or self._in_properties(path) or self._in_project(path, self.files)

    def shown(self, key: str) -> Location:
        """The place as far as it is known: else every file that can have set it."""
        path = key.split(".")
        for length in range(len(path), 0, -1):
            found = self.place_of(".".join(path[:length]))
            if found is not None:
                return Location(found.where.file, found.where.line, key)
        files = dict.fromkeys((*(self.files.shown(file) for file in (self.file, self.properties) if file), PROJECT_FILE))
        return Location(" or ".join(files), None, key)

    def _in_file(self, path: Sequence[str]) -> Place | None:
        given: object = self.in_file
        for name in path:
            if not isinstance(given, Mapping) or name not in given:
                return None
            given = given[name]
        lines = self.files.text(self.file).splitlines()
        given_there = re.compile(rf"""\b{re.escape(path[-1])}\b["']?\s*[:=]""")
        line = next((number for number, text in enumerate(lines, 1) if given_there.search(text)), None)
        return Place(Location(self.files.shown(self.file), line), own=True)

    def _in_properties(self, path: Sequence[str]) -> Place | None:
        if self.properties is None:
            return None
        tree, file = self.files.tree(self.properties), self.files.shown(self.properties)
        lists = ("sources", "tables") if self.resource_type == "source" else (f"{self.resource_type}s",)
        found: Place | None = None
        for section, name in zip(lists, self.names, strict=False):
            tree = _named(tree, section, name)
            found = _in_entry(_named(tree, "versions", self.version, key="v"), path, file) or _in_entry(tree, path, file) or found
        return found

    def _in_project(self, path: Sequence[str], files: ConfigFiles) -> Place | None:
        """The innermost folder that sets it."""
        found: Place | None = None
        for section in _SECTIONS.get(self.resource_type, (f"{self.resource_type}s",)):
            tree = _below(files.tree(PROJECT_FILE), section)
            for folder in (*self.fqn, ""):
                line = _line(tree, [f"+{path[0]}", *path[1:]]) or _line(tree, path)
                found = found if line is None else Place(Location(files.shown(PROJECT_FILE), line), own=False)
                tree = _below(tree, folder)
        return found


def _below(tree: Tree | None, key: str) -> Tree | None:
    return tree.values.get(key) if isinstance(tree, Section) else None


def _named(tree: Tree | None, section: str, name: str, *, key: str = "name") -> Tree | None:
    """The entry of this name in the list of this name."""
    entries = _below(tree, section)
    for entry in entries.items if isinstance(entries, Listing) else ():
        called = _below(entry, key)
        if isinstance(called, Scalar) and called.text == name:
            return entry
    return None


def _in_entry(entry: Tree | None, path: Sequence[str], file: str) -> Place | None:
    """The place in one entry of a properties file: in ``config`` before beside it."""
    within, beside = _line(_below(entry, "config"), path), _line(entry, path)
    if within is None and beside is None:
        return None
    return Place(Location(file, within or beside), own=True, beside_config=within is None)


def _line(tree: Tree | None, path: Sequence[str]) -> int | None:
    """The line of the last key of ``path``; ``None`` where it is not there."""
    line: int | None = None
    for key in path:
        if not isinstance(tree, Section) or key not in tree.values:
            return None
        line, tree = tree.lines[key], tree.values[key]
    return line
