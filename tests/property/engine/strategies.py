"""Histories for hypothesis to try, and to shrink."""

from __future__ import annotations

from hypothesis import strategies as st

from property.engine import toy_history as h
from property.engine.toy_project import Flags

MATERIALIZED = ("table", "view", "incremental", "ephemeral", "append")
PURE = ("table", "view", "ephemeral")
"""Materializations whose content is a function of their inputs alone."""

numbers = st.integers(0, 11)
codes = st.integers(0, 15)
some = st.lists(numbers, min_size=1, max_size=3).map(tuple)
rarely = st.sampled_from((False, False, False, False, True))
sometimes = st.sampled_from((False, False, True))
often = st.sampled_from((True, True, True, False))


def specs(materialized: tuple[str, ...]) -> st.SearchStrategy[h.Spec]:
    return st.builds(h.Spec, st.sampled_from(materialized), codes, some, rarely, sometimes)


checks = st.tuples(st.lists(numbers, min_size=1, max_size=2).map(tuple), st.sampled_from((7, 5, 3, 2)), rarely)


def main_projects(materialized: tuple[str, ...] = MATERIALIZED):
    many = st.lists(specs(materialized), min_size=1, max_size=5).map(tuple)
    return st.builds(h.main_project, many, st.lists(checks, max_size=3).map(tuple))


other_projects = st.builds(
    h.other_project, st.sampled_from(("view", "table", "ephemeral")), st.sampled_from(("table", "view", "incremental"))
)
pure_other_projects = st.builds(h.other_project, st.sampled_from(("view", "table")), st.sampled_from(("table", "view")))

selections = st.one_of(
    st.just(h.Selection()),
    st.builds(h.Selection, st.sampled_from(("only", "bare", "down", "up")), some),
    st.just(h.Selection("tests")),
)

edits = st.one_of(
    st.builds(h.Edit, numbers, st.sampled_from(("code", "comment", "alias", "move", "materialized", "fails")), codes),
    st.builds(h.Edit, numbers, st.just("code"), codes, st.just("other")),
    st.builds(h.Edit, numbers, st.just("fails"), st.just(0)),
    st.builds(h.Rewire, numbers, some, rarely),
    st.builds(h.Add, specs(MATERIALIZED)),
    st.builds(h.Remove, numbers),
    st.builds(h.EditCheck, numbers, st.sampled_from((7, 5, 3, 2)), rarely),
    st.builds(h.Invalidate, numbers),
)
loads = st.builds(
    h.Load, numbers, st.sampled_from(("put", "put", "put", "delete", "truncate", "rewrite", "drop")), st.integers(0, 4), codes
)
meddling = st.builds(h.Meddle, numbers, st.sampled_from(("drop", "write")), codes)

troubles = st.one_of(
    st.builds(h.Trouble, numbers, st.sampled_from(("kill", "interrupt")), st.sampled_from(("between", "sent", "written"))),
    st.builds(h.Trouble, numbers, st.just("transient")),
)
runs = st.one_of(
    st.builds(h.Run, selections, planned=st.booleans(), again=often),
    st.builds(h.Run, selections, planned=st.booleans(), again=often),
    st.builds(h.Run, selections, trouble=troubles),
    st.builds(h.Run, selections, forced=st.booleans(), flags=st.builds(Flags, st.booleans(), rarely)),
    st.just(h.Run(project="other", again=True)),
    st.just(h.Run(project="rival", again=True)),
)
plain_runs = st.builds(h.PlainRun, selections, st.sampled_from(("main", "main", "other")), rarely)

steps = st.one_of(runs, runs, edits, loads, edits, meddling, plain_runs, st.just(h.Midnight()))

before_the_end = st.sampled_from(((), (h.Midnight(),), (h.Midnight(),), (h.Run(project="rival"),)))
"""What any change before it would hide happens to some histories right before their last run."""


def histories(longest: int) -> st.SearchStrategy[list[h.Step]]:
    return st.lists(steps, min_size=4, max_size=longest)
