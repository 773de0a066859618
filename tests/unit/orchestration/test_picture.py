"""What a decision sees of the shared state."""

from __future__ import annotations

from tests.conformance.store.examples import BOB, CUSTOMERS, ORDERS, announced, built, granted, trace_of

from afresh.core.trace import AttemptState
from afresh.orchestration.picture import Picture
from afresh.store import StateStore


def test_it_stays_as_it_was_when_it_was_taken(store: StateStore) -> None:
    first = built(store)
    picture = Picture(store, [ORDERS])
    built(store)
    assert picture.trace(ORDERS) == first


def test_a_key_that_nobody_foresaw_is_read_when_it_is_asked_for(store: StateStore) -> None:
    picture = Picture(store, [ORDERS])
    trace = built(store, CUSTOMERS)
    assert picture.trace(CUSTOMERS) == trace
    assert picture.trace(ORDERS) is None
    assert picture.traces() == (trace,)


def test_a_trace_of_ours_stands_for_all_that_was_known_of_the_relation(store: StateStore) -> None:
    store.taint(ORDERS, detail="", run_id="r", state=AttemptState.TAINTED)
    store.invalidate([ORDERS], "ann")
    picture = Picture(store, [ORDERS])
    assert picture.attempt(ORDERS) is not None
    assert picture.invalidation(ORDERS) is not None
    ours = trace_of()
    picture.add(ours)
    assert picture.trace(ORDERS) == ours
    assert picture.attempt(ORDERS) is None
    assert picture.invalidation(ORDERS) is None


def test_who_holds_a_lease_is_a_builder_only_once_the_build_is_announced(store: StateStore) -> None:
    lease = granted(store, holder=BOB)
    deciding = Picture(store, [ORDERS])
    announced(store, lease)
    building = Picture(store, [ORDERS])
    assert deciding.held(ORDERS) is not None
    assert deciding.builder(ORDERS) is None
    assert building.builder(ORDERS) is not None
    assert [held.holder for held in building.holders()] == [BOB]


def test_whoever_built_a_relation_before_us_does_not_build_it_after_us(store: StateStore) -> None:
    announced(store, granted(store, holder=BOB))
    picture = Picture(store, [ORDERS])
    picture.add(trace_of())
    assert picture.builder(ORDERS) is None
