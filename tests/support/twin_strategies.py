"""Random histories: what hypothesis draws, each theme with its own stress. Lists of plain steps, so that they shrink well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from support.twin_design import INCREMENTAL, Reads, Shape, Stored
from support.twin_edits import AddModel, Around, Edit, EditAround, EditModel
from support.twin_steps import Change, History, How, Run, Select, Step, Write, WriteRelation, WriteSource

_FEW = st.integers(0, 7)
_NEAR = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4])
"""How far up the newest models a parent stands: mostly near, for long chains."""
_ORDINARY_EDITS = (
    Edit.NUMBER,
    Edit.NUMBER,
    Edit.NUMBER,
    Edit.REMARK,
    Edit.LABEL,
    Edit.ALIAS,
    Edit.EXTRA_COLUMN,
    Edit.READS,
    Edit.SHAPE,
    Edit.PARENT,
)
_WITHOUT_ERRORS = tuple(write for write in Write if write is not Write.LARGE_VALUE)


@dataclass(frozen=True)
class Theme:
    """What the histories of one test are about."""

    stored: Sequence[Stored]
    edits: Sequence[Edit] = _ORDINARY_EDITS
    around: Sequence[Around] = (Around.OUTER_MACRO, Around.INNER_MACRO, Around.MACRO_REMARK, Around.READ_ENV, Around.OTHER_ENV, Around.SEED)
    writes: Sequence[Write] = _WITHOUT_ERRORS
    selects: Sequence[Select] = (Select.ALL,)
    hows: Sequence[How] = (How.ORDINARY,)
    commands: Sequence[str] = ("build",)
    limits: Sequence[int | None] = (None, 1000)
    """Of the models' tests: a small one fails on large values."""
    outside: bool = False
    """Whether others drop and write what dbt builds."""
    snapshot: bool = False


PLAIN = (Stored.VIEW, Stored.TABLE, Stored.TABLE, Stored.EPHEMERAL)

THEMES = {
    "code and data change": Theme(PLAIN),
    "vars and materializations change, models come and go": Theme(
        (*PLAIN, Stored.MERGE),
        edits=(Edit.STORED, Edit.STORED, Edit.DELETE, Edit.PARENT, Edit.ALIAS, Edit.NUMBER),
        around=(Around.PROJECT_VAR, Around.COMMAND_LINE_VAR, Around.SEED),
    ),
    "only a part is selected": Theme(PLAIN, selects=(*Select, Select.ONE, Select.AND_BELOW), hows=(How.ORDINARY, How.ORDINARY, How.FORCE)),
    "others write to what dbt builds": Theme(
        (*PLAIN, Stored.MERGE), outside=True, hows=(How.ORDINARY, How.ORDINARY, How.PLAIN_DBT), selects=(Select.ALL, Select.ONE)
    ),
    "incremental models and a snapshot": Theme(
        (*INCREMENTAL, Stored.TABLE, Stored.VIEW),
        around=(Around.SEED, Around.SNAPSHOT, Around.INNER_MACRO, Around.READ_ENV),
        hows=(How.ORDINARY, How.ORDINARY, How.FULL_REFRESH),
        selects=(Select.ALL, Select.ALL, Select.AND_BELOW),
        snapshot=True,
    ),
    "models and tests fail and are repaired": Theme(
        (Stored.TABLE, Stored.VIEW, Stored.APPEND),
        edits=(Edit.BREAK, Edit.REPAIR, Edit.REPAIR, Edit.LIMIT, Edit.LIMIT, Edit.NUMBER),
        writes=(Write.INSERT, Write.LARGE_VALUE, Write.DELETE, Write.REPLACE),
        commands=("build", "build", "run", "test"),
        limits=(None, 5, 20, 1000),
        selects=(Select.ALL, Select.ALL, Select.ONE, Select.AND_ABOVE),
    ),
}


def histories(theme: Theme) -> st.SearchStrategy[History]:
    """A project of four to seven models; then turns of some changes and a run, and at last changes before the run of everything."""
    runs = st.builds(
        Run,
        command=st.sampled_from(theme.commands),
        select=st.sampled_from(theme.selects),
        model=_FEW,
        how=st.sampled_from(theme.hows),
        plan=st.booleans(),
        again=st.booleans(),
    )
    changes = st.lists(_changes(theme), min_size=1, max_size=3)
    return st.builds(
        History,
        models=st.lists(_models(theme), min_size=4, max_size=7).map(tuple),
        steps=st.tuples(st.lists(st.tuples(changes, runs), min_size=1, max_size=4), changes).map(_in_one_list),
        snapshot=st.booleans() if theme.snapshot else st.just(value=False),
        cold=st.sampled_from([False, False, True]) if len(theme.selects) > 1 else st.just(value=False),
    )


def _models(theme: Theme) -> st.SearchStrategy[AddModel]:
    return st.builds(
        AddModel,
        parents=st.tuples(_NEAR, _NEAR),
        shape=st.sampled_from(Shape),
        stored=st.sampled_from(theme.stored),
        reads=st.sampled_from(Reads),
        limit=st.sampled_from(theme.limits),
    )


def _changes(theme: Theme) -> st.SearchStrategy[Change]:
    edits = st.builds(EditModel, what=st.sampled_from(theme.edits), model=_FEW, to=st.integers(0, 9))
    around = st.builds(EditAround, what=st.sampled_from(theme.around), to=_FEW)
    writes = st.builds(WriteSource, what=st.sampled_from(theme.writes), source=st.sampled_from([0, 0, 0, 1]), with_=st.integers(0, 3))
    added = st.builds(AddModel, parents=st.tuples(_NEAR, _NEAR), stored=st.sampled_from(theme.stored), revive=st.booleans())
    others = [st.builds(WriteRelation, model=_FEW, drop=st.booleans())] if theme.outside else []
    return st.one_of(edits, edits, edits, writes, writes, around, added, *others, *others)


def _in_one_list(drawn: tuple[list[tuple[list[Change], Run]], list[Change]]) -> tuple[Step, ...]:
    turns, last = drawn
    return (*(step for changes, run in turns for step in (*changes, run)), *last)
