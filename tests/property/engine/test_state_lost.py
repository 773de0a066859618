"""A state that cannot be reached for a while, at any moment of a run: nothing is ever reused that is not current."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from afresh.core.node import Node
from afresh.errors import LeaseLostError, StateUnavailableError
from afresh.orchestration.taint_journal import Journal
from afresh.store import StateStore
from property.engine import strategies as s
from property.engine.test_answer_key import tried
from property.engine.test_two_runs import quiet_run, whole
from property.engine.toy_history import Edit, Run
from property.engine.toy_host import ToyHost
from property.engine.toy_project import Model, Project
from property.engine.toy_run import ERROR, SUCCESS, WELL, Connection, Outcome, ToyRun
from property.engine.toy_world import World, fresh_build

outages = st.lists(st.tuples(st.integers(0, 25), st.integers(1, 12), st.booleans()), min_size=1, max_size=3)
"""After how many calls of the state it goes away, for how many, and whether the first of them is heard, but not answered."""
changes = st.lists(
    st.builds(Edit, s.numbers, st.sampled_from(("code", "alias", "move", "comment")), s.codes) | s.loads, min_size=1, max_size=3
)


NOT_ASKED = frozenset({"when_away", "stop_retrying", "close"})
"""What a store does without asking its database."""


class Unsteady(Connection):
    """A connection to the state that is gone for some calls."""

    def __init__(self, store: StateStore, schedule: list[tuple[int, int, bool]]) -> None:
        super().__init__(store)
        self._fates: list[str] = []
        for quiet, away, is_heard in schedule:
            self._fates += ["answers"] * quiet + ["is silent" if is_heard else "is gone"] + ["is gone"] * (away - 1)
        self._fates.reverse()

    def __getattr__(self, name: str) -> Any:
        method = super().__getattr__(name)
        if name in NOT_ASKED:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            fate = self._fates.pop() if self._fates else "answers"
            answer = None if fate == "is gone" else method(*args, **kwargs)
            if fate != "answers":
                raise StateUnavailableError("the state is away", where=name)
            return answer

        return call


def run_with(world: World, journal: Journal, schedule: list[tuple[int, int, bool]], *, goes_on: bool) -> Outcome:
    """A run of the main project whose state comes and goes."""
    world.wait(60)
    project = world.projects["main"]
    host = ToyHost(project, world.real, whole(project), signal=world.signal)
    run = ToyRun(host, world.store, journal=journal, goes_on=goes_on, connection=Unsteady(world.store, schedule))
    try:
        return run.go()
    except StateUnavailableError:
        assert not goes_on
        return run.outcome


def assert_current(world: World, project: Project, outcome: Outcome) -> None:
    """Whatever a run says that ended well is what a build from nothing makes."""
    fresh = fresh_build(world, "main")
    for model in project.models:
        is_broken = world.real.holds(model.relation) == ("view", "broken")
        if outcome.status.get(model.name) in WELL and not model.is_ephemeral and not is_broken:
            assert world.real.holds(model.relation) == fresh.holds(model.relation), f"{model.name}: {outcome}"


@tried(150)
@given(main=s.main_projects(s.PURE), other=s.pure_other_projects, changes=changes, more=changes, schedule=outages, goes_on=st.booleans())
def test_whatever_was_built_while_the_state_was_away_is_never_taken_for_current(*, main, other, changes, more, schedule, goes_on) -> None:
    with World((main, other)) as world, tempfile.TemporaryDirectory() as folder:
        world.run_plain("other", whole(other))
        Run().happen(world)
        for step in changes:
            step.happen(world)
        journal = Journal(Path(folder) / "journal")
        outcome = run_with(world, journal, schedule, goes_on=goes_on)
        note(f"{outcome}")
        if goes_on or outcome.ended_well:  # what reads a node that was refused stands as it was
            assert_current(world, world.projects["main"], outcome)
        if goes_on:
            assert not [said for said in outcome.mentioned.values() if said.startswith("state_unavailable")]

        Journal(Path(folder) / "journal").hand_over(world.store)
        assert_current(world, world.projects["main"], quiet_run(world, "main"))
        for step in more:
            step.happen(world)
        assert_current(world, world.projects["main"], quiet_run(world, "main"))


@pytest.mark.parametrize(("times", "status"), [(2, SUCCESS), (3, ERROR)])
def test_a_lease_that_is_lost_before_anything_was_sent_costs_nothing_unless_it_is_lost_for_ever(times: int, status: str) -> None:
    with World((Project("main", (Model("m0", reads=("s0",)),), sources=(("s0", "raw0"),)),)) as world:
        project = world.projects["main"]
        run = ToyRun(ToyHost(project, world.real, whole(project), signal=world.signal), world.store)
        prepare, lost = run.nodes._preparation.prepare, iter(range(times))

        def loses_it(node: Node) -> Any:
            if next(lost, None) is not None:
                raise LeaseLostError("the lease was not renewed in time")
            return prepare(node)

        run.nodes._preparation.prepare = loses_it  # type: ignore[method-assign]
        outcome = run.go()
        assert outcome.status == {"m0": status}
        assert [said.partition(":")[0] for said in outcome.mentioned.values()] == ["lease_lost"] * (status == ERROR)
