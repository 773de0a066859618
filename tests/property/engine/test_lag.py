"""With freshness settings: what is called verified is what its inputs make of it, and nothing waits longer than it may."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, note
from hypothesis import strategies as st

from afresh.core.decision import Build, Confidence, Reuse
from afresh.core.policy import Policy, UpdatesOn, interval_tolerance
from property.engine import strategies as s
from property.engine.test_answer_key import tried
from property.engine.toy_engine import Signal
from property.engine.toy_history import Edit, Load, Selection
from property.engine.toy_host import Invocation, ToyHost
from property.engine.toy_project import Model, Project
from property.engine.toy_run import REUSED, SUCCESS, Outcome, ToyRun
from property.engine.toy_warehouse import answer
from property.engine.toy_world import World

hours = st.integers(0, 5).map(lambda count: timedelta(hours=count))
policies = st.builds(Policy, updates_on=st.sampled_from(UpdatesOn), interval=hours, max_age=st.none() | hours)
steps = st.one_of(
    st.builds(Load, s.numbers, st.just("put"), st.integers(0, 4), s.codes),
    st.builds(Edit, s.numbers, st.just("code"), s.codes),
    st.integers(1, 180).map(lambda minutes: minutes * 60),
    s.selections,
)


@tried(30)
@given(
    main=s.main_projects(s.PURE),
    settings=st.lists(policies, min_size=1, max_size=6),
    signal=st.sampled_from(Signal),
    history=st.lists(steps, min_size=4, max_size=20),
)
def test_what_is_verified_is_current_and_what_is_tolerated_is_allowed(main, settings, signal, history) -> None:
    with World((main,), signal=signal) as world:
        world.both(lambda warehouse: warehouse.put_table("o1", {1: 1}))
        lax = {model.name: settings[index % len(settings)] for index, model in enumerate(main.models)}
        for step in (Selection(), *history, Selection()):
            note(f"{step}")
            if isinstance(step, int):
                world.wait(step)
            elif isinstance(step, Selection):
                hold(world, lax, step.of(world.projects["main"]))
            else:
                step.happen(world)


def hold(world: World, lax: dict[str, Policy], selected: frozenset[str]) -> None:
    """Run, and look at every model that was decided."""
    project = world.projects["main"]
    host = ToyHost(project, world.real, Invocation(selected, policies=lax), signal=world.signal)
    outcome = ToyRun(host, world.store).go()
    for model in project.models:
        decision = outcome.decisions.get(model.name)
        if outcome.status.get(model.name) not in (REUSED, SUCCESS) or decision is None:
            continue
        if isinstance(decision, Build) or decision.confidence is Confidence.VERIFIED:
            made = answer(project.formula(model), world.real.read)
            assert dict(world.real.read(model.relation)) == dict(made), f"{model.name}: {outcome}"
        if isinstance(decision, Reuse):
            _hold_reuse(project, model, decision, lax[model.name], outcome)


def _hold_reuse(project: Project, model: Model, decision: Reuse, policy: Policy, outcome: Outcome) -> None:
    codes = {reason.code: reason for reason in decision.reasons}
    tolerated_above = {name for name in project.parents(model.name) if _is_tolerated(outcome, name)}
    if decision.confidence is Confidence.VERIFIED:
        assert not tolerated_above, f"{model.name} is called verified: {outcome}"
        return
    assert codes.keys() & {"too_soon", "waiting_for_inputs", "upstream_tolerated"}
    assert "waiting_for_inputs" not in codes or policy.updates_on is UpdatesOn.ALL
    assert "upstream_tolerated" not in codes or project.parents(model.name)
    if "too_soon" in codes:
        assert decision.trace is not None
        assert codes["too_soon"].due_at == decision.trace.scheduled_at + policy.interval
        assert policy.interval > interval_tolerance(policy.interval)


def _is_tolerated(outcome: Outcome, name: str) -> bool:
    decision = outcome.decisions.get(name)
    return isinstance(decision, Reuse) and decision.confidence is Confidence.TOLERATED
