"""Edits of the project and its surroundings, as data (see :mod:`support.twin_steps`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from support.twin_design import SEED, SNAPSHOT, SOURCES, Broken, Design, Model, Reads, Shape, Stored

T = TypeVar("T")


@dataclass(frozen=True)
class Applied:
    """What a step did: in words, to the warehouse, and to which nodes it may matter (what is below them included)."""

    words: str
    statements: tuple[str, ...] = ()
    touched: frozenset[str] = frozenset()


NOTHING = Applied("nothing to change")


class Edit(str, Enum):
    """What can be done to the file or the properties of one model."""

    NUMBER = "its SQL"
    REMARK = "only comments and white space"
    LABEL = "only tags, meta and description"
    ALIAS = "its alias"
    EXTRA_COLUMN = "its columns"
    READS = "what its SQL takes from around it"
    SHAPE = "its shape"
    STORED = "its materialization"
    PARENT = "what it reads"
    BREAK = "it is broken"
    REPAIR = "it is repaired"
    LIMIT = "its test"
    DELETE = "it is deleted"


@dataclass(frozen=True)
class EditModel:
    """Edit one model. ``to`` chooses among the values that there are."""

    what: Edit
    model: int = 0
    to: int = 0

    def apply(self, design: Design) -> Applied:
        """Edit the project."""
        if not design.models:
            return NOTHING
        model = pick(design.in_order(), self.model)
        if self.what is Edit.DELETE:
            return _delete(design, model)
        edited = _edited(design, model, self.what, self.to)
        if edited == model:
            return NOTHING
        design.add(edited)
        touched = frozenset() if self.what in _HARMLESS else frozenset({model.name})
        return Applied(f"{model.name}: {self.what.value} ({_difference(model, edited)})", touched=touched)


_HARMLESS = (Edit.REMARK, Edit.LABEL)


def _edited(design: Design, model: Model, what: Edit, to: int) -> Model:
    editors: dict[Edit, Callable[[], Model]] = {
        Edit.NUMBER: lambda: replace(model, number=(model.number + 1 + to % 2) % 4),
        Edit.REMARK: lambda: replace(model, remark=(model.remark + 1) % 4),
        Edit.LABEL: lambda: replace(model, label=model.label + 1),
        Edit.ALIAS: lambda: replace(model, alias=not model.alias),
        Edit.EXTRA_COLUMN: lambda: replace(model, extra_column=not model.extra_column),
        Edit.READS: lambda: replace(model, reads=pick(list(Reads), to)),
        Edit.SHAPE: lambda: replace(model, shape=pick(list(Shape), to)),
        Edit.STORED: lambda: replace(model, stored=pick(list(Stored), to)),
        Edit.PARENT: lambda: replace(model, parents=(pick(_may_read(design, model.name), to), *model.parents[1:])),
        Edit.BREAK: lambda: replace(model, broken=pick([Broken.SYNTAX, Broken.RUNTIME, Broken.DATA], to)),
        Edit.REPAIR: lambda: replace(model, broken=Broken.NO),
        Edit.LIMIT: lambda: replace(model, limit=pick([None, 1, 5, 20, 1000], to), test_warns=to > 7),
    }
    return editors[what]()


def _may_read(design: Design, name: str) -> list[str]:
    """Everything that a model can read without closing a cycle."""
    below = design.all_below(name) | {name}
    every = [*SOURCES, SEED, *design.models, *([SNAPSHOT] if design.snapshot_of else [])]
    return [one for one in every if one not in below]


def _delete(design: Design, model: Model) -> Applied:
    """Delete a model; what read it reads the first of its parents instead."""
    below = design.below(model.name)
    for reader in below:
        if reader == SNAPSHOT:
            design.snapshot_of = model.parents[0]
        else:
            parents = tuple(model.parents[0] if name == model.name else name for name in design.models[reader].parents)
            design.edit(reader, parents=parents)
    del design.models[model.name]
    _forget_below(design, model.name)
    design.deleted.append(model)
    return Applied(f"delete {model.name}; {', '.join(below) or 'nothing'} now reads {model.parents[0]}", touched=frozenset(below))


def _forget_below(design: Design, name: str) -> None:
    """A parent that a model does not read at present (it has another shape) may be gone too."""
    for model in design.models.values():
        if name in model.parents:
            design.edit(model.name, parents=tuple(parent for parent in model.parents if parent != name) or (SOURCES[0],))


@dataclass(frozen=True)
class AddModel:
    """Add a model that reads what is there, or bring the one that was deleted last back as it was.

    ``parents`` count from the newest model (0) to the oldest, and then through the sources and the seed.
    """

    parents: tuple[int, int] = (0, 1)
    shape: Shape = Shape.PROJECT
    stored: Stored = Stored.TABLE
    reads: Reads = Reads.NOTHING
    limit: int | None = None
    revive: bool = False

    def apply(self, design: Design) -> Applied:
        """Edit the project."""
        if self.revive and design.deleted:
            model = design.deleted.pop()
            known = {*SOURCES, SEED, *design.models}
            model = replace(model, parents=tuple(name if name in known else SOURCES[0] for name in model.parents))
        else:
            every = [*reversed(design.models), SOURCES[0], SEED, SOURCES[1], *([SNAPSHOT] if design.snapshot_of else [])]
            design.made += 1
            parents = tuple(pick(every, number) for number in self.parents)
            model = Model(f"m{design.made}", parents, self.shape, self.stored, self.reads, limit=self.limit)
        design.add(model)
        return Applied(f"add {model.name}: {describe(model)}", touched=frozenset({model.name}))


class Around(str, Enum):
    """What surrounds the models."""

    OUTER_MACRO = "the macro that models call"
    INNER_MACRO = "the macro that the macro calls"
    MACRO_REMARK = "only a comment in the file of the macros"
    PROJECT_VAR = "the var in dbt_project.yml"
    COMMAND_LINE_VAR = "the var on the command line"
    READ_ENV = "the environment variable that models read"
    OTHER_ENV = "an environment variable that nothing reads"
    SEED = "the seed"
    SNAPSHOT = "what the snapshot reads"


@dataclass(frozen=True)
class EditAround:
    """Change something that is not one model's own."""

    what: Around
    to: int = 0

    def apply(self, design: Design) -> Applied:
        """Edit the project or its surroundings."""
        before = repr(design)
        touched = _AROUND[self.what](design, self.to)
        if repr(design) == before:
            return NOTHING
        return Applied(f"{self.what.value} changes (to {self.to})", touched=frozenset(touched))


def _reading(design: Design, what: Reads) -> list[str]:
    return [model.name for model in design.models.values() if model.reads is what]


def _outer_macro(design: Design, to: int) -> Iterable[str]:
    design.outer_macro = to % 3
    return _reading(design, Reads.MACRO)


def _inner_macro(design: Design, to: int) -> Iterable[str]:
    design.inner_macro = to % 3
    return _reading(design, Reads.MACRO)


def _macro_remark(design: Design, to: int) -> Iterable[str]:
    design.macro_remark = to
    return ()


def _project_var(design: Design, to: int) -> Iterable[str]:
    design.project_var = to % 3
    return _reading(design, Reads.VAR)


def _command_line_var(design: Design, to: int) -> Iterable[str]:
    design.command_line_var = [None, 0, 1, 2][to % 4]
    return _reading(design, Reads.VAR)


def _read_env(design: Design, to: int) -> Iterable[str]:
    design.read_env = to % 3
    return _reading(design, Reads.ENV)


def _other_env(design: Design, to: int) -> Iterable[str]:
    design.other_env = to
    return ()


def _seed(design: Design, to: int) -> Iterable[str]:
    rows = list(design.seed_rows)
    if to % 3 == 0 and rows:
        rows.pop()
    elif to % 3 == 1:
        rows.append((len(rows) + 1, "c", to))
    elif rows:
        rows[0] = (rows[0][0], rows[0][1], rows[0][2] + 1)
    design.seed_rows = tuple(rows)
    return {SEED}


def _snapshot(design: Design, to: int) -> Iterable[str]:
    below = design.all_below(SNAPSHOT)
    design.snapshot_of = pick([name for name in (*SOURCES, *design.models) if name not in below], to)
    return {SNAPSHOT}


_AROUND: dict[Around, Callable[[Design, int], Iterable[str]]] = {
    Around.OUTER_MACRO: _outer_macro,
    Around.INNER_MACRO: _inner_macro,
    Around.MACRO_REMARK: _macro_remark,
    Around.PROJECT_VAR: _project_var,
    Around.COMMAND_LINE_VAR: _command_line_var,
    Around.READ_ENV: _read_env,
    Around.OTHER_ENV: _other_env,
    Around.SEED: _seed,
    Around.SNAPSHOT: _snapshot,
}


def describe(model: Model) -> str:
    """A model in a few words."""
    words = [model.stored.value, model.shape.value, "of", " and ".join(model.above())]
    if model.reads is not Reads.NOTHING:
        words.append(f"with a {model.reads.value}")
    return " ".join(words)


def _difference(before: Model, after: Model) -> str:
    names = [name for name in Model.__dataclass_fields__ if getattr(before, name) != getattr(after, name)]
    return ", ".join(f"{name}: {_shown(getattr(before, name))} → {_shown(getattr(after, name))}" for name in names)


def _shown(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)


def pick(values: Sequence[T], number: int) -> T:
    """One of the values, whatever the number."""
    return values[number % len(values)]
