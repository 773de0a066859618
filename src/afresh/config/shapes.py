"""What ``afresh.yml`` may hold, as one table, and the check of a file against it.

Jobs, environments and the server are checked for shape: their keys, and what kind of value each takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import assert_never

from afresh.config import values as v
from afresh.config.jinja import JinjaError, check_template, is_template
from afresh.config.keys import SCALAR_KEYS, Key
from afresh.config.problems import Problem, nearest, shown, unknown_key_hint
from afresh.config.yaml_tree import Listing, Scalar, Section, Tree
from afresh.errors import Location


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value."""

    value: v.Value[Any]


@dataclass(frozen=True, slots=True)
class Items:
    """A list of values of one shape."""

    each: Shape
    at_least: int = 0


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping with a closed list of keys."""

    known: Mapping[str, Shape]
    required: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping whose keys are names that the user gives."""

    each: Shape


Shape = Leaf | Items | Keys | Named

_TEXT = Leaf(v.words())
_SECRET = Leaf(v.words(secret=True))
_TIME = Leaf(v.duration())

_SCHEDULE = Keys({"cron": _TEXT, "timezone": _TEXT, "every": _TIME, "at": Items(_TEXT, 1), "days": Items(_TEXT, 1)})
_JOB = Keys(
    {
        "type": _TEXT,
        "environment": _TEXT,
        "steps": Items(_TEXT, 1),
        "schedule": _SCHEDULE,
        "after": Keys({"jobs": Items(_TEXT, 1), "statuses": Items(_TEXT, 1)}, ("jobs",)),
        "state_aware": Leaf(v.boolean()),
        "timeout": _TIME,
        "retries": Keys({"max": Leaf(v.whole()), "backoff": _TIME}),
        "notify": Keys({"on": Items(_TEXT, 1), "to": Items(_SECRET, 1)}),
    },
    required=("steps",),
)
_ENVIRONMENT = Keys({"target": _TEXT, "threads": Leaf(v.whole(at_least=1)), "env": Named(Leaf(v.Value(str, "text", secret=True)))})
_SERVER = Keys({"listen": _TEXT, "run_slots": Leaf(v.whole(at_least=1)), "auth": Keys({"tokens": Items(_SECRET)})})


def _leaf_of(key: Key[Any]) -> Leaf:
    return Leaf(key.kind)


FILE_SHAPE = Keys(
    {
        **{key.path: _leaf_of(key) for key in SCALAR_KEYS if "." not in key.path},
        **{
            section: Keys(
                {key.path.removeprefix(f"{section}."): _leaf_of(key) for key in SCALAR_KEYS if key.path.startswith(f"{section}.")}
            )
            for section in ("defaults", "history", "tests")
        },
        "volatile_env_vars": Items(_TEXT),
        "environments": Named(_ENVIRONMENT),
        "jobs": Named(_JOB),
        "server": _SERVER,
    }
)
"""Everything that the file may hold."""


def mistakes(tree: Tree, shape: Shape, *, file: str) -> list[Problem]:
    """Everything in ``tree`` that does not fit ``shape``. A value that is left empty counts as not given."""
    check = _Check(file)
    check.visit(tree, shape, "")
    return check.problems


class _Check:
    """One walk over a file; collects what does not fit."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file

    def visit(self, tree: Tree, shape: Shape, path: str) -> None:
        match shape:
            case Leaf():
                self._leaf(tree, shape.value, path)
            case Items():
                self._items(tree, shape, path)
            case Keys():
                self._keys(tree, shape, path)
            case Named():
                self._named(tree, shape, path)
            case _:
                assert_never(shape)

    def _leaf(self, tree: Tree, value: v.Value[Any], path: str) -> None:
        if not isinstance(tree, Scalar):
            hint = (
                'put quotes around Jinja: key: "{{ … }}"' if isinstance(tree, Section) and not tree.values else f"allowed: {value.allowed}"
            )
            self._problem(f"one value is expected here, not {_kind(tree)}", tree.line, path, hint)
        elif not tree.is_null:
            problem = value_problem(tree.text, value, Location(self._file, tree.line, path))
            self.problems += [problem] if problem else []

    def _items(self, tree: Tree, shape: Items, path: str) -> None:
        if isinstance(tree, Scalar) and tree.is_null:
            return
        if not isinstance(tree, Listing):
            self._problem(
                f"a list is expected here, not {_kind(tree)}", tree.line, path, "write it as [one, two] or with a dash before each"
            )
            return
        if len(tree.items) < shape.at_least:
            self._problem("the list is empty", tree.line, path)
        for place, item in enumerate(tree.items):
            self.visit(item, shape.each, f"{path}[{place}]")

    def _keys(self, tree: Tree, shape: Keys, path: str) -> None:
        section = self._section(tree, path)
        if section is None:
            return
        for key, value in section.values.items():
            if key in shape.known:
                self.visit(value, shape.known[key], _joined(path, key))
            else:
                self._problem("this key does not exist", section.lines[key], _joined(path, key), unknown_key_hint(key, shape.known))
        for key in shape.required:
            given = section.values.get(key)
            if given is None or (isinstance(given, Scalar) and given.is_null):
                self._problem(f"the key `{key}` is missing", section.line, path)

    def _named(self, tree: Tree, shape: Named, path: str) -> None:
        section = self._section(tree, path)
        for key, value in section.values.items() if section else ():
            self.visit(value, shape.each, _joined(path, key))

    def _section(self, tree: Tree, path: str) -> Section | None:
        """The mapping, or ``None`` where there is nothing to look at."""
        if isinstance(tree, Section):
            return tree
        if not (isinstance(tree, Scalar) and tree.is_null):
            self._problem(f"a mapping of keys to values is expected here, not {_kind(tree)}", tree.line, path)
        return None

    def _problem(self, what: str, line: int, path: str, hint: str | None = None) -> None:
        self.problems.append(Problem(what, Location(self._file, line, path or None), hint))


def value_problem(text: str, value: v.Value[Any], where: Location) -> Problem | None:
    """What is wrong with one value, or ``None``. A template is only checked for form: its text is known when it is used."""
    if is_template(text):
        try:
            check_template(text)
        except JinjaError as error:
            return Problem(str(error), where)
        return None
    try:
        value.parse(text)
    except ValueError as error:
        return not_allowed(text, value, where, error=error)
    return None


def not_allowed(text: str, value: v.Value[Any], where: Location, *, error: ValueError, secret: bool = False) -> Problem:
    """The problem of a value that ``value`` refused.

    What may be a secret is not shown: then the parser's own words tell what is wrong, or nothing but the fact.
    """
    allowed = f"allowed: {value.allowed}"
    if not text.strip():
        return Problem("the value is empty", where, f"leave it away, or give a value; {allowed}")
    if value.secret:
        return Problem(str(error), where, allowed)
    if secret:
        return Problem("the value that this template gives is not allowed", where, allowed)
    near = nearest(text.strip(), value.choices)
    return Problem(f"{shown(text)} is not allowed", where, allowed if near is None else f"{allowed}; did you mean {near}?")


def _kind(tree: Tree) -> str:
    return "a list" if isinstance(tree, Listing) else "a mapping" if isinstance(tree, Section) else "a single value"


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
