"""Who runs and who waits is told the same on every database, and nobody who died is told of for ever."""

from __future__ import annotations

from datetime import timedelta

from tests.conformance.store.examples import (
    ALICE,
    BOB,
    CUSTOMERS,
    ORDERS,
    START,
    TTL,
    FakeClock,
    announced,
    built,
    granted,
    run_of,
    verdict_on,
)

from afresh.core.event import WaitBegan, WaitEnded
from afresh.store import RunOutcome, RunStatus, StateStore, Waiting

FOR_ALICE = WaitBegan("model.shop.orders", "run-alice", "etl-1", 11, "hourly")


def waits_of(store: StateStore) -> list[tuple[str, str, str]]:
    return [(waiting.run_id, waiting.event.subject, waiting.event.for_run) for waiting in store.overview().waits]


def test_a_wait_is_told_with_its_beginning_until_it_is_over(store: StateStore, clock: FakeClock) -> None:
    store.begin_run(run_of("run-bob"), alive_for=TTL)
    store.tell("run-bob", FOR_ALICE)
    clock.advance(seconds=9)
    assert store.overview().waits == (Waiting("run-bob", START, FOR_ALICE),)
    store.tell("run-bob", WaitEnded("another", 1.0))
    store.record_event("run-bob", "something of a later release", "{")
    store.record_event("run-bob", "wait_ended", "damaged")
    assert len(store.overview().waits) == 1
    store.tell("run-bob", WaitEnded("model.shop.orders", 9.0))
    assert store.overview().waits == ()


def test_who_waits_for_another_holder_has_waited_all_the_while(store: StateStore, clock: FakeClock) -> None:
    store.begin_run(run_of("run-bob"), alive_for=TTL)
    store.tell("run-bob", FOR_ALICE)
    clock.advance(seconds=9)
    for_carol = WaitBegan("model.shop.orders", "run-carol")
    store.tell("run-bob", for_carol)
    assert store.overview().waits == (Waiting("run-bob", START, for_carol),)


def test_a_waiter_that_died_is_told_of_for_half_a_minute_at_most(store: StateStore, clock: FakeClock) -> None:
    for run_id in ("run-bob", "run-carol"):
        store.begin_run(run_of(run_id), alive_for=TTL)
        store.tell(run_id, FOR_ALICE)
    clock.advance(seconds=20)
    store.say_alive("run-carol", TTL)
    assert len(waits_of(store)) == 2
    clock.advance(seconds=20)
    assert waits_of(store) == [("run-carol", "model.shop.orders", "run-alice")]
    store.end_run("run-carol", RunOutcome(RunStatus.SUCCESS))
    assert waits_of(store) == []


def test_runs_leases_and_decisions_are_of_one_moment(store: StateStore, clock: FakeClock) -> None:
    store.begin_run(run_of("r1", target="dev"))
    store.end_run("r1", RunOutcome(RunStatus.SUCCESS))
    store.begin_run(run_of("r2"), alive_for=TTL)
    store.record_decisions("r1", [verdict_on(), verdict_on("exposure.shop.e", key=None)])
    trace = built(store)
    announced(store, granted(store, ORDERS, ALICE))
    granted(store, CUSTOMERS, BOB)
    seen = store.overview(recent=1)

    assert (seen.now, [run.record.run_id for run in seen.at_work], [run.record.run_id for run in seen.last]) == (START, ["r2"], ["r2"])
    assert {held.key: held.holder.run_id for held in seen.held} == {ORDERS: "run-alice", CUSTOMERS: "run-bob"}
    assert (seen.seen.building, seen.seen.traces) == ({ORDERS}, {ORDERS: trace})
    assert {record.row.node for record in seen.decided} == {"model.shop.orders", "exposure.shop.e"}
    assert seen.targets == {"r1": "dev"}
    clock.advance(days=2)
    store.begin_run(run_of("r3"))
    store.prune(timedelta(days=1))
    assert store.overview().targets == {}
