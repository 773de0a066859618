"""A plan of what is assumed says what a plan says once it has happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, note
from hypothesis import strategies as st

from afresh.orchestration.what_if import WhatIf
from property.engine import strategies as s
from property.engine.test_answer_key import tried
from property.engine.test_lag import policies
from property.engine.toy_engine import Signal
from property.engine.toy_history import Load, pick
from property.engine.toy_host import Invocation, ToyHost
from property.engine.toy_run import ToyRun
from property.engine.toy_world import RAW, World

NEW = 1000
"""A value that no code and no loader comes to otherwise."""


def plan_of(world: World, invocation: Invocation, what_if: WhatIf | None = None) -> dict[str, tuple[str, str | None]]:
    run = ToyRun(ToyHost(world.projects["main"], world.real, invocation, signal=world.signal, only_looks=True), world.store)
    if what_if is not None:
        as_it_is = run.session.settings
        run.session.settings = replace(as_it_is, what_if=what_if, scheduled_at=what_if.at or as_it_is.scheduled_at)
    return {row.name: (row.decision, row.confidence) for row in run.plan().rows}


def id_of(world: World, name: str):
    project = world.projects["main"]
    return ToyHost(project, world.real, Invocation(frozenset()), signal=world.signal).id_of(name)


@tried(40)
@given(main=s.main_projects(s.PURE), signal=st.sampled_from(Signal), number=s.numbers, selection=s.selections)
def test_an_edit_that_is_assumed_is_planned_as_one_that_was_made(main, signal, number, selection) -> None:
    with World((main,), signal=signal) as world:
        world.run("main", Invocation(frozenset(main.order())))
        model = pick(main.models, number)
        invocation = Invocation(frozenset(selection.of(main)) | {model.name})
        assumed = plan_of(world, invocation, WhatIf((id_of(world, model.name),)))
        note(f"{model.name}: {assumed}")
        edited = replace(model, rows=((1, NEW),)) if model.materialized == "seed" else replace(model, code=NEW)
        world.edit(main.with_model(edited), model.name)
        assert assumed == plan_of(world, invocation)


@tried(40)
@given(main=s.main_projects(s.PURE), signal=st.sampled_from(Signal), number=s.numbers, lax=st.lists(policies, min_size=1, max_size=4))
def test_new_data_that_is_assumed_is_planned_as_data_that_came(main, signal, number, lax) -> None:
    given_policies = {model.name: lax[place % len(lax)] for place, model in enumerate(main.models)}
    invocation = Invocation(frozenset(main.order()), policies=given_policies)
    raw = number % len(RAW)
    sources = [name for name, stands_for in main.sources if stands_for == f"raw{raw}"]
    with World((main,), signal=signal) as world:
        world.run("main", invocation)
        assumed = plan_of(world, invocation, WhatIf(tuple(id_of(world, name) for name in sources)))
        note(f"{sources}: {assumed}")
        Load(raw, value=NEW).happen(world)
        assert assumed == plan_of(world, invocation)


@tried(40)
@given(
    main=s.main_projects(s.PURE),
    lax=st.lists(policies, min_size=1, max_size=4),
    minutes=st.integers(1, 400),
    raw=s.numbers,
)
def test_a_plan_for_a_later_moment_is_the_plan_of_that_moment(main, lax, minutes, raw) -> None:
    given_policies = {model.name: lax[place % len(lax)] for place, model in enumerate(main.models)}
    invocation = Invocation(frozenset(main.order()), policies=given_policies)
    with World((main,), ticks=False) as world:
        world.run("main", invocation)
        Load(raw % len(RAW), value=NEW).happen(world)
        later = plan_of(world, invocation, WhatIf(at=world.store.now() + timedelta(minutes=minutes)))
        world.wait(minutes * 60)
        assert later == plan_of(world, invocation)
