"""Random histories: what developers, loaders, strangers and schedulers do, one step after the other.

Steps name models and rows by number, taken modulo what there is, so that any step fits any project and a failing history
shrinks to a short one that can be read, and pinned as a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from property.engine.toy_host import Invocation
from property.engine.toy_project import NO_FLAGS, Check, Flags, Model, Project
from property.engine.toy_run import Fault, Outcome
from property.engine.toy_warehouse import DATE, Warehouse
from property.engine.toy_world import RAW, World

T = TypeVar("T")

SOURCES = (("s0", "raw0"), ("s1", "raw1"), ("ext", "o1"), ("of_seed", "seed0"))
"""Two loaded tables, one that the other project builds, and one that is this project's own seed."""
_RAWS = tuple(RAW)


class Step(Protocol):
    """Something that happens."""

    def happen(self, world: World) -> None:
        """Let it happen."""


def pick(options: tuple[T, ...], number: int) -> T:
    """One of the options, by any number."""
    return options[number % len(options)]


# --- projects ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spec:
    """A model by numbers: ``reads`` are any numbers of earlier models and sources."""

    materialized: str = "table"
    code: int = 0
    reads: tuple[int, ...] = (0,)
    hard_coded: bool = False
    dated: bool = False


def main_project(specs: tuple[Spec, ...], checks: tuple[tuple[tuple[int, ...], int, bool], ...] = ()) -> Project:
    """The project under test: a seed, models by their specs, and tests by the models that they read."""
    project = Project("main", (Model("seed0", "seed", rows=((1, 5), (3, 6))),), sources=SOURCES)
    for spec in specs:
        project = with_new_model(project, spec)
    for on, modulus, warns in checks:
        project = _with_check(project, on, modulus, warns=warns)
    return project


def other_project(first: str = "view", second: str = "table") -> Project:
    """Another project in the same warehouse, which builds what the main one takes for a source."""
    models = (Model("o0", first, 4, ("s2",)), Model("o1", second, 8, ("o0",)))
    return Project("other", models, sources=(("s2", "raw2"),))


def rival_project() -> Project:
    """A project that writes the very relation of the main one's first model."""
    return Project("rival", (Model("m0", code=4, reads=("s0",)),), sources=(("s0", "raw0"),))


def with_new_model(project: Project, spec: Spec) -> Project:
    """The project with one more model, which reads what there is."""
    taken = {model.name for model in project.models}
    name = next(name for number in range(99) if (name := f"m{number}") not in taken)
    return replace(project, models=(*project.models, _model(project, name, spec)))


def _model(project: Project, name: str, spec: Spec) -> Model:
    offered = (*dict(project.sources), *(model.name for model in project.models))
    reads = tuple(dict.fromkeys(pick(offered, -1 - number) for number in spec.reads))
    hard_coded = ("raw1",) if spec.hard_coded else ()
    return Model(name, spec.materialized, spec.code, reads, hard_coded, dated=spec.dated)


def _with_check(project: Project, on: tuple[int, ...], modulus: int, *, warns: bool) -> Project:
    names = tuple(dict.fromkeys(pick(project.models, number).name for number in on))
    taken = len(project.checks)
    return replace(project, checks=(*project.checks, Check(f"t{taken}", names, modulus, warns)))


# --- steps of developers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """A commit to one model: ``code``, ``comment``, ``alias`` (another relation), ``move`` (another file), ``materialized``, ``fails``."""

    model: int
    what: str
    to: int = 0
    project: str = "main"

    def happen(self, world: World) -> None:
        project = world.projects[self.project]
        model = pick(project.models, self.model)
        changed = self._edited(model)
        if self.what == "comment":
            world.projects[self.project] = project.with_model(changed)
        elif changed is not model:
            world.edit(project.with_model(changed), model.name)

    def _edited(self, model: Model) -> Model:
        if self.what == "materialized" and model.materialized != "seed":
            kinds = ("table", "view", "incremental", "ephemeral", "append")
            return replace(model, materialized=pick(kinds, self.to))
        if self.what == "fails":
            return replace(model, fails=pick(("", "compile", "runtime", "late"), self.to))
        if self.what == "code":
            return replace(model, rows=((self.to % 4, self.to),)) if model.materialized == "seed" else replace(model, code=self.to)
        moved = {"comment": "comment", "alias": "alias", "move": "version"}.get(self.what)
        return model if moved is None else replace(model, **{moved: self.to % 3})


@dataclass(frozen=True)
class Rewire:
    """A commit that makes a model read other things."""

    model: int
    reads: tuple[int, ...]
    hard_coded: bool = False

    def happen(self, world: World) -> None:
        project = world.projects["main"]
        model = pick(project.models, self.model)
        if model.materialized == "seed":
            return
        before = replace(project, models=project.models[: project.models.index(model)])
        wired = _model(before, model.name, Spec(reads=self.reads, hard_coded=self.hard_coded))
        world.edit(project.with_model(replace(model, reads=wired.reads, hard_coded=wired.hard_coded)), model.name)


@dataclass(frozen=True)
class Add:
    """A commit with a new model."""

    spec: Spec

    def happen(self, world: World) -> None:
        project = with_new_model(world.projects["main"], self.spec)
        world.edit(project, project.models[-1].name)


@dataclass(frozen=True)
class Remove:
    """A commit that deletes a model; those below are edited not to read it any more."""

    model: int

    def happen(self, world: World) -> None:
        project = world.projects["main"]
        model = pick(project.models, self.model)
        if model.materialized != "seed":
            readers = tuple(other.name for other in project.models if model.name in other.reads)
            world.edit(project.without(model.name), model.name, *readers)


@dataclass(frozen=True)
class EditCheck:
    """A commit to a test."""

    check: int
    modulus: int
    warns: bool = False

    def happen(self, world: World) -> None:
        project = world.projects["main"]
        if not project.checks:
            return
        check = pick(project.checks, self.check)
        changed = replace(check, modulus=self.modulus, warns=self.warns)
        world.edit(replace(project, checks=tuple(changed if found is check else found for found in project.checks)), check.name)


@dataclass(frozen=True)
class Invalidate:
    """Somebody makes a model due by hand."""

    model: int

    def happen(self, world: World) -> None:
        world.invalidate(pick(world.projects["main"].models, self.model))


# --- steps of loaders and strangers -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """A loader writes a raw table: ``put`` or ``delete`` a row, ``truncate``, ``rewrite`` the same rows, or ``drop`` it."""

    raw: int
    what: str = "put"
    key: int = 1
    value: int = 0

    def happen(self, world: World) -> None:
        name = pick(_RAWS, self.raw)
        rows = dict(found.rows) if (found := world.real.relations.get(name)) is not None else {}
        if self.what == "drop":
            world.both(lambda warehouse: warehouse.drop(name))
        else:
            world.both(lambda warehouse: warehouse.put_table(name, _written(rows, self.what, self.key % 5, self.value)))
        world.changed([name])


def _written(rows: dict[int, int], what: str, key: int, value: int) -> dict[int, int]:
    if what == "delete":
        return {other: found for other, found in rows.items() if other != key}
    return {"put": {**rows, key: value}, "truncate": {}}.get(what, rows)


@dataclass(frozen=True)
class Meddle:
    """Somebody drops the relation of a model, or writes a row into it if it is a table."""

    model: int
    what: str = "drop"
    value: int = 77

    def happen(self, world: World) -> None:
        name = pick(world.projects["main"].models, self.model).relation
        found = world.real.relations.get(name)
        if self.what == "drop":
            world.both(lambda warehouse: warehouse.drop(name))
        elif found is not None and found.type == "table" and not world.is_blind:
            world.both(lambda warehouse: warehouse.put_table(name, {**warehouse.read(name), 2: self.value}))
        world.changed([name])


@dataclass(frozen=True)
class Midnight:
    """The date changes."""

    def happen(self, world: World) -> None:
        world.both(_next_day)
        world.changed([DATE])


def _next_day(warehouse: Warehouse) -> None:
    warehouse.day += 1


# --- runs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """``all``, or by numbers: ``only`` these with their tests, ``bare`` without, ``down`` (``m+``), ``up`` (``+m``), or the ``tests`` alone."""

    how: str = "all"
    numbers: tuple[int, ...] = ()

    def of(self, project: Project) -> frozenset[str]:
        """The names of the selected models and tests."""
        tests = frozenset(check.name for check in project.checks)
        if self.how == "all":
            return frozenset(project.order())
        if self.how == "tests":
            return tests
        picked = frozenset(pick(project.models, number).name for number in self.numbers)
        models = self._stretched(project, picked)
        return models if self.how == "bare" else models | {check.name for check in project.checks if models.intersection(check.on)}

    def _stretched(self, project: Project, picked: frozenset[str]) -> frozenset[str]:
        if self.how == "up":
            return picked.union(*(project.above(name) for name in picked))
        if self.how == "down":
            return picked | {model.name for model in project.models if picked & project.above(model.name)}
        return picked


@dataclass(frozen=True)
class Trouble:
    """What befalls a run at a node by number: see :class:`~property.engine.toy_run.Fault`."""

    node: int
    kind: str
    point: str = "between"

    def fault(self, project: Project, selected: frozenset[str]) -> Fault | None:
        """The fault at one of the selected nodes."""
        names = tuple(name for name in project.order() if name in selected)
        return Fault(pick(names, self.node), self.kind, self.point) if names else None


@dataclass(frozen=True)
class Run:
    """A state-aware run; ``again`` runs the same once more right after it."""

    selection: Selection = field(default_factory=Selection)
    project: str = "main"
    flags: Flags = NO_FLAGS
    forced: bool = False
    trouble: Trouble | None = None
    planned: bool = False
    again: bool = False

    def happen(self, world: World) -> None:
        project = world.projects.setdefault(self.project, rival_project())
        selected = self.selection.of(project)
        fault = self.trouble.fault(project, selected) if self.trouble else None
        outcome = world.run(self.project, Invocation(selected, self.flags, self.forced), fault=fault, planned=self.planned)
        if self.again and self._is_ordinary():
            _hold_nothing_again(project, outcome, world.run(self.project, Invocation(selected), planned=True))

    def _is_ordinary(self) -> bool:
        return not self.flags.empty


def _hold_nothing_again(project: Project, first: Outcome, second: Outcome) -> None:
    """The first sentence of law 2, word by word, for a run of everything."""
    if not first.ended_well or set(first.status) < set(project.order()):
        return
    warned = {name for name, status in first.status.items() if status == "warn" or (project.check(name) and project.is_dated(name))}
    ran = {name for name in second.built() if not ((model := project.model(name)) and model.is_ephemeral)}
    assert ran <= warned, f"nothing has changed, and these ran again: {ran}: {second.decisions}"


@dataclass(frozen=True)
class PlainRun:
    """Plain dbt in between."""

    selection: Selection = field(default_factory=Selection)
    project: str = "main"
    full_refresh: bool = False

    def happen(self, world: World) -> None:
        project = world.projects[self.project]
        world.run_plain(self.project, Invocation(self.selection.of(project), Flags(full_refresh=self.full_refresh)))
