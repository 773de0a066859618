"""A dbt project in miniature: models, seeds, sources and tests, how they are compiled and how they are materialized."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from property.engine.toy_warehouse import DATE, BrokenError, Formula, Warehouse, answer

GARBAGE = {901: 901}
"""What a build leaves behind that fails after it has written."""


@dataclass(frozen=True)
class Model:
    """A model or a seed. ``reads`` and ``hard_coded`` are names: of other models and sources, and of bare relations.

    ``version`` only renames the node (its file), ``alias`` only its relation; ``comment`` is a comment in its SQL.
    ``dated``: whether its SQL uses the current date. ``fails``: ``compile`` before any SQL is sent, ``runtime`` before anything is written, ``late`` after that.
    """

    name: str
    materialized: str = "table"
    code: int = 0
    reads: tuple[str, ...] = ()
    hard_coded: tuple[str, ...] = ()
    rows: tuple[tuple[int, int], ...] = ()
    comment: int = 0
    alias: int = 0
    version: int = 0
    fails: str = ""
    dated: bool = False

    @property
    def relation(self) -> str:
        """The name of its relation."""
        return self.name if not self.alias else f"{self.name}_{self.alias}"

    @property
    def is_ephemeral(self) -> bool:
        return self.materialized == "ephemeral"


@dataclass(frozen=True)
class Check:
    """A data test: it fails when the rows of the models ``on`` add up to a multiple of ``modulus``."""

    name: str
    on: tuple[str, ...]
    modulus: int = 5
    warns: bool = False


@dataclass(frozen=True)
class Project:
    """Models (each reads only those before it), tests, and sources by name with the relation they stand for."""

    name: str
    models: tuple[Model, ...]
    checks: tuple[Check, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()

    def model(self, name: str) -> Model | None:
        return next((model for model in self.models if model.name == name), None)

    def check(self, name: str) -> Check | None:
        return next((check for check in self.checks if check.name == name), None)

    def with_model(self, changed: Model) -> Project:
        """The project after an edit of one model."""
        return replace(self, models=tuple(changed if model.name == changed.name else model for model in self.models))

    def without(self, name: str) -> Project:
        """The project after a model was deleted, with its tests, and the SQL below it was edited accordingly."""
        left = (replace(model, reads=tuple(read for read in model.reads if read != name)) for model in self.models if model.name != name)
        return replace(self, models=tuple(left), checks=tuple(check for check in self.checks if name not in check.on))

    def formula(self, model: Model) -> Formula:
        """The compiled SQL of a model: names resolved, ephemeral models inlined."""
        above = tuple(self._compiled(name) for name in model.reads)
        return Formula(model.code, (*above, *model.hard_coded, *((DATE,) if model.dated else ())), model.rows)

    def is_dated(self, name: str) -> bool:
        """Whether the compiled SQL of a model or a test uses the current date, through ephemeral models too."""
        model, check = self.model(name), self.check(name)
        if model is not None and model.dated:
            return model.is_ephemeral or check is None
        inlined = model.reads if model else check.on if check else ()
        return any(above.is_ephemeral and self.is_dated(above.name) for read in inlined if (above := self.model(read)) is not None)

    def _compiled(self, name: str) -> str | Formula:
        above = self.model(name)
        if above is None:
            return dict(self.sources)[name]
        return self.formula(above) if above.is_ephemeral else above.relation

    def order(self) -> tuple[str, ...]:
        """Names of models and tests in the order of a run: a test comes right after the last model that it reads."""
        return tuple(self._in_order())

    def _in_order(self) -> Iterator[str]:
        done: set[str] = set()
        for model in self.models:
            done.add(model.name)
            yield model.name
            yield from (check.name for check in self.checks if check.on and model.name in check.on and done.issuperset(check.on))

    # --- the graph of `dbt build` -------------------------------------------------------------------------------------

    def parents(self, name: str) -> tuple[str, ...]:
        """Models that a model or a test reads directly."""
        model, check = self.model(name), self.check(name)
        reads = model.reads if model else check.on if check else ()
        return tuple(read for read in reads if self.model(read))

    def above(self, name: str) -> frozenset[str]:
        """All models that a model or a test reads, however indirectly."""
        direct = self.parents(name)
        return frozenset(direct).union(*(self.above(parent) for parent in direct))

    def before(self, name: str) -> frozenset[str]:
        """What must have ended well before a node runs: all above it, and tests on nothing but these."""
        above = self.above(name)
        if self.check(name):
            return above
        return above | {check.name for check in self.checks if above.issuperset(check.on)}


@dataclass(frozen=True)
class Flags:
    """Flags of the command line that reach the SQL."""

    full_refresh: bool = False
    empty: bool = False


NO_FLAGS = Flags()


def materialize(warehouse: Warehouse, project: Project, model: Model, flags: Flags) -> None:
    """What dbt does to the warehouse for one model or seed. Raises :class:`BrokenError` where its SQL fails."""
    if model.fails == "runtime":
        raise BrokenError("it divides by zero")
    formula = replace(project.formula(model), empty=flags.empty)
    if model.materialized == "view":
        warehouse.put_view(model.relation, formula)
    else:
        warehouse.put_table(model.relation, _rows(warehouse, model, formula, flags))
    if model.fails == "late":
        warehouse.put_table(model.relation, {**_existing(warehouse, model), **GARBAGE})
        raise BrokenError("it failed after it had written")


def _rows(warehouse: Warehouse, model: Model, formula: Formula, flags: Flags) -> dict[int, int]:
    new = answer(formula, warehouse.read)
    keeps = model.materialized in ("incremental", "append") and not flags.full_refresh
    old = _existing(warehouse, model) if keeps else {}
    if model.materialized == "append":
        return {**old, **{key * 2000 + value: value for key, value in new.items()}}
    return {**old, **new}


def _existing(warehouse: Warehouse, model: Model) -> dict[int, int]:
    found = warehouse.relations.get(model.relation)
    return dict(found.rows) if found is not None and found.type == "table" else {}


def check_status(warehouse: Warehouse, project: Project, check: Check) -> str:
    """dbt's status of a test: ``pass``, ``warn``, ``fail`` or ``error``."""
    try:
        rows = [answer(_read_all(project, name), warehouse.read) for name in check.on]
    except BrokenError:
        return "error"
    total = sum(sum(some.values()) + len(some) for some in rows)
    return "pass" if total % check.modulus else "warn" if check.warns else "fail"


def _read_all(project: Project, name: str) -> Formula:
    """``select *`` from a model; its code is 0, so its rows come through as they are."""
    model = project.model(name)
    assert model is not None
    return Formula(0, (project.formula(model) if model.is_ephemeral else model.relation,))
