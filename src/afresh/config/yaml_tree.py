"""A YAML file as a tree of texts with line numbers.

Values keep the text that the user wrote: YAML 1.1 would read ``on:`` as true and ``06:00`` as 360, and messages need the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from afresh.config.problems import Problem
from afresh.errors import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

_MERGE = "tag:yaml.org,2002:merge"
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: its text, what YAML takes it for (``str``, ``bool``, ``int``, ``float``, ``null``, …), and its line."""

    text: str
    kind: str
    line: int

    @property
    def is_null(self) -> bool:
        """Whether nothing was written."""
        return self.kind == "null"


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of values."""

    items: tuple[Tree, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """Keys and their values; ``lines`` tells where each key stands."""

    values: Mapping[str, Tree]
    lines: Mapping[str, int]
    line: int


Tree = Scalar | Listing | Section


def read_tree(text: str, file: str) -> tuple[Tree | None, list[Problem]]:
    """The tree of the one document in ``text`` (``None`` if it is empty), and the mistakes of its form."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        return None, [_syntax(error, text, file)]
    except RecursionError:
        return None, [Problem("the file is nested too deeply", Location(file))]
    if root is None:
        return None, []
    reader = _Reader(file)
    return reader.tree(root, ""), reader.problems


class _Reader:
    """Turns PyYAML's nodes into a tree; collects keys that stand twice and anchors that hold themselves."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._open: list[yaml.Node] = []

    def tree(self, node: yaml.Node, path: str) -> Tree:
        line = node.start_mark.line + 1
        if any(node is above for above in self._open):
            self._problem("the value holds itself", line, path)
            return Scalar("", "null", line)
        self._open.append(node)
        try:
            return self._branch(node, path, line)
        finally:
            self._open.pop()

    def _branch(self, node: yaml.Node, path: str, line: int) -> Tree:
        if isinstance(node, yaml.SequenceNode):
            return Listing(tuple(self.tree(item, f"{path}[{place}]") for place, item in enumerate(node.value)), line)
        if not isinstance(node, yaml.MappingNode):
            return Scalar(str(node.value), node.tag.removeprefix(_TAG), line)
        if all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
            return self._section(node, path, line)
        # What `key: {{ … }}` without quotes is to YAML.
        self._problem("a key must be plain text", line, path, 'put quotes around Jinja: key: "{{ … }}"')
        return Scalar("", "null", line)

    def _section(self, node: yaml.MappingNode, path: str, line: int) -> Section:
        values: dict[str, Tree] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                continue
            at = key.start_mark.line + 1
            name = str(key.value)
            if name in lines:
                self._problem(f"the key is there twice (first in line {lines[name]})", at, _joined(path, name))
            else:
                values[name], lines[name] = self.tree(value, _joined(path, name)), at
        for merged in self._merged(node, path):
            values = {**merged.values, **values}
            lines = {**merged.lines, **lines}
        return Section(values, lines, line)

    def _merged(self, node: yaml.MappingNode, path: str) -> Iterator[Section]:
        for key, value in node.value:
            if key.tag != _MERGE:
                continue
            parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for part in parts:
                tree = self.tree(part, path)
                if isinstance(tree, Section):
                    yield tree
                else:
                    self._problem("`<<` takes a mapping or a list of mappings", key.start_mark.line + 1, path)

    def _problem(self, what: str, line: int, path: str, hint: str | None = None) -> None:
        self.problems.append(Problem(what, Location(self._file, line, path or None), hint))


def plain(tree: Tree) -> object:
    """The tree as dicts, lists, texts, numbers and booleans; what YAML 1.1 would misread (``on``, ``06:00``, dates) stays text."""
    if isinstance(tree, Section):
        return {key: plain(value) for key, value in tree.values.items()}
    if isinstance(tree, Listing):
        return [plain(item) for item in tree.items]
    if tree.is_null:
        return None
    if tree.kind == "bool":
        return tree.text.lower() in ("true", "yes", "on")
    return int(tree.text) if tree.kind == "int" and tree.text.isdecimal() else tree.text


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _syntax(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """PyYAML quotes the line in its message, and the line may hold a secret: only its own words are shown."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        return Problem(f"not valid YAML: {error.problem or error.context}", Location(file, line), _hint(error, text, line))
    position = getattr(error, "position", None)
    line = text.count("\n", 0, position) + 1 if isinstance(position, int) else None
    return Problem("not valid YAML: a character that YAML does not allow", Location(file, line))


def _hint(error: yaml.MarkedYAMLError, text: str, line: int | None) -> str | None:
    told = str(error.problem)
    written = text.splitlines()[line - 1] if line is not None and line <= len(text.splitlines()) else ""
    if "\\t" in told or "\t" in written:
        return "YAML does not allow tabs: indent with spaces"
    if "{{" in written:
        return 'put quotes around Jinja: key: "{{ … }}"'
    if "single document" in str(error.context):
        return "remove the `---` that starts a second document"
    return None
