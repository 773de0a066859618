"""How far a node may be behind its sources: intervals add up along the way (semantics §3)."""

from __future__ import annotations

from datetime import timedelta

from afresh.core.policy import Policy
from property.engine.toy_engine import Signal
from property.engine.toy_history import SOURCES
from property.engine.toy_host import Invocation, ToyHost
from property.engine.toy_project import Model, Project
from property.engine.toy_run import ToyRun
from property.engine.toy_warehouse import Warehouse

HOUR = 3600


def hours(count: int) -> Policy:
    return Policy(interval=timedelta(hours=count))


def bounds(store, policies: dict[str, Policy], *models: Model) -> dict[str, int]:
    project = Project("main", models, sources=SOURCES)
    invocation = Invocation(frozenset(project.order()), policies=policies)
    run = ToyRun(ToyHost(project, Warehouse(by_content=False), invocation, signal=Signal.VERSION), store)
    return {model.name: run.session.lag_bound(run.host.id_of(model.name)) for model in models}


def test_intervals_add_up_along_a_path(store) -> None:
    a, b, c = Model("a", reads=("s0",)), Model("b", reads=("a",)), Model("c", reads=("b",))
    assert bounds(store, {"a": hours(8), "c": hours(1)}, a, b, c) == {"a": 8 * HOUR, "b": 8 * HOUR, "c": 9 * HOUR}


def test_the_longest_of_several_paths_counts(store) -> None:
    a, b, c = Model("a", reads=("s0",)), Model("b", reads=("s0",)), Model("c", reads=("a", "b"))
    assert bounds(store, {"a": hours(2), "b": hours(3)}, a, b, c)["c"] == 3 * HOUR


def test_views_and_ephemerals_add_nothing_of_their_own(store) -> None:
    a, v, e = Model("a", reads=("s0",)), Model("v", "view", reads=("a",)), Model("e", "ephemeral", reads=("v",))
    assert bounds(store, {"a": hours(2), "v": hours(5), "e": hours(5)}, a, v, e) == {"a": 2 * HOUR, "v": 2 * HOUR, "e": 2 * HOUR}
