"""Steps of a history, as data: each changes the project, its surroundings or the warehouse, or runs dbt.

A step names what it changes by a number, which is taken modulo what there is: every step can be applied to every
project, so a list of them can be cut short anywhere. A step that finds nothing to change says so and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from support.twin_design import SOURCES, Design, Stored
from support.twin_edits import NOTHING, AddModel, Applied, EditAround, EditModel, pick


class Write(str, Enum):
    """What a loader does to a table that dbt only reads."""

    INSERT = "insert a newer row"
    INSERT_LATE = "insert an older row"
    UPDATE = "update rows"
    DELETE = "delete rows"
    TRUNCATE = "truncate"
    REPLACE = "replace it by a table with fewer rows"
    REPLACE_EQUAL = "replace it by an equal table"
    UPDATE_EQUAL = "update rows to what they are"
    ADD_COLUMN = "add a column"
    LARGE_VALUE = "insert a very large value"
    REMOVE_LARGE = "delete the large values"


_WRITES = {
    Write.INSERT: "insert into {0} (id, grp, val) select coalesce(max(id), 0) + 1, 'n', {1} from {0}",
    Write.INSERT_LATE: "insert into {0} (id, grp, val) select coalesce(min(id), 0) - 1, 'o', {1} from {0}",
    Write.UPDATE: "update {0} set val = val + 1 where id % 2 = {1} % 2",
    Write.DELETE: "delete from {0} where id % 3 = {1} % 3",
    Write.TRUNCATE: "truncate {0}",
    Write.REPLACE: "create or replace table {0} as select * from {0} where id % 4 <> {1} % 4",
    Write.REPLACE_EQUAL: "create or replace table {0} as select * from {0}",
    Write.UPDATE_EQUAL: "update {0} set val = val",
    Write.ADD_COLUMN: "alter table {0} add column if not exists added{1} bigint default {1}",
    Write.REMOVE_LARGE: "delete from {0} where val > 25",
    Write.LARGE_VALUE: "insert into {0} (id, grp, val) select coalesce(max(id), 0) + 1, 'x', 50 from {0}",
}
_SAME_DATA = (Write.REPLACE_EQUAL, Write.UPDATE_EQUAL)


@dataclass(frozen=True)
class WriteSource:
    """Somebody writes to a source."""

    what: Write
    source: int = 0
    with_: int = 0

    def apply(self, design: Design) -> Applied:  # noqa: ARG002 - as every step is applied
        """Say what is executed in the warehouse."""
        table = pick(SOURCES, self.source)
        statement = _WRITES[self.what].format(table, self.with_)
        touched = frozenset() if self.what in _SAME_DATA else frozenset({table})
        return Applied(f"{table}: {self.what.value}", (statement,), touched)


@dataclass(frozen=True)
class WriteRelation:
    """Somebody writes to a relation that dbt builds: ``drop`` it, or update rows where it is a table."""

    model: int = 0
    drop: bool = False

    def apply(self, design: Design) -> Applied:
        """Say what is executed in the warehouse."""
        models = [model for model in design.in_order() if self.drop or model.stored is not Stored.VIEW]
        models = [model for model in models if model.stored is not Stored.EPHEMERAL]
        if not models:
            return NOTHING
        model = pick(models, self.model)
        kind = "view" if model.stored is Stored.VIEW else "table"
        what = f"drop {kind} {model.identifier}" if self.drop else f"update {model.identifier} set val = val + 100 where id % 2 = 0"
        return Applied(f"outside dbt: {what}", (what,), frozenset({model.name}))


class Select(str, Enum):
    """How much of the project a run selects."""

    ALL = ""
    ONE = "{0}"
    AND_BELOW = "{0}+"
    AND_ABOVE = "+{0}"
    AND_BOTH = "+{0}+"
    BUT_ONE = "--exclude {0}"


class How(str, Enum):
    """The flags of a run that bear on the state."""

    ORDINARY = ""
    FULL_REFRESH = "--full-refresh"
    FORCE = "--force"
    PLAIN_DBT = "plain dbt"
    """Not Afresh at all: a change from outside, which the next run must notice."""


@dataclass(frozen=True)
class Run:
    """Run dbt in the twin, and Afresh (or, in between, plain dbt too) in the project.

    ``plan`` asks for a plan before it; ``again`` repeats it.
    """

    command: str = "build"
    select: Select = Select.ALL
    model: int = 0
    how: How = How.ORDINARY
    plan: bool = False
    again: bool = False

    def arguments(self, design: Design) -> tuple[str, ...]:
        """dbt's command line, without flags of our own."""
        selection: tuple[str, ...] = ()
        if self.select is not Select.ALL and design.models:
            names = sorted(design.models)
            words = self.select.value.format(pick(names, self.model))
            selection = tuple(words.split()) if words.startswith("--") else ("--select", words)
        full_refresh = ("--full-refresh",) if self.how is How.FULL_REFRESH and self.command in ("build", "run", "seed") else ()
        return (self.command, *selection, *full_refresh, *design.flags())


Change = EditModel | AddModel | EditAround | WriteSource | WriteRelation
Step = Change | Run


@dataclass(frozen=True)
class History:
    """A project and what happens to it. It begins with a build of everything, unless ``cold``, and it ends with one."""

    models: tuple[AddModel, ...]
    steps: tuple[Step, ...] = ()
    snapshot: bool = False
    cold: bool = False
