"""Taking leases, waiting for those of others, and keeping one's own alive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.conformance.store.examples import ALICE, BOB, CUSTOMERS, ORDERS, TTL, FakeClock, granted

from afresh.core.lease import Held, Holder, Lease
from afresh.errors import QueueTimeoutError, StateUnavailableError
from afresh.orchestration.leases import LeaseKeeper
from afresh.store import StateStore

LONG = timedelta(minutes=1)
NO_TIME = timedelta(0)


@pytest.fixture
def keeper(store: StateStore) -> Iterator[LeaseKeeper]:
    made = LeaseKeeper(store, ALICE, TTL)
    yield made
    made.close()


def nobody(held: Held) -> None:
    raise AssertionError(f"there was nothing to wait for: {held}")


def test_a_free_lease_is_granted_at_once_and_names_the_node(keeper, store) -> None:
    grant = keeper.acquire(ORDERS, "model.shop.orders", timeout=NO_TIME, on_wait=nobody)
    assert not grant.waited
    (held,) = store.held_leases()
    assert (held.key, held.holder.run_id, held.holder.node) == (ORDERS, "run-alice", "model.shop.orders")


def test_a_lease_that_is_given_back_while_one_waits_is_granted_as_waited_for(keeper, store) -> None:
    theirs = granted(store, holder=BOB)
    grant = keeper.acquire(ORDERS, "n", timeout=LONG, on_wait=lambda _held: store.release(theirs))
    assert grant.waited
    assert grant.lease.term > theirs.term


def test_a_lease_that_runs_out_while_one_waits_is_taken_over(keeper, store, clock: FakeClock) -> None:
    granted(store, holder=BOB)
    assert keeper.acquire(ORDERS, "n", timeout=LONG, on_wait=lambda _held: clock.advance(seconds=31)).waited


def test_who_is_waited_for_is_told_once_and_a_new_holder_again(keeper, store) -> None:
    theirs, told = granted(store, holder=BOB), []

    def tell(held: Held) -> None:
        told.append(held.holder.run_id)
        if len(told) == 1:
            store.release(theirs)
            granted(store, holder=Holder("run-carol", "etl-3", 33))
        else:
            store.release_all("run-carol")

    keeper.acquire(ORDERS, "n", timeout=LONG, on_wait=tell)
    assert told == ["run-bob", "run-carol"]


def test_a_wait_that_is_too_long_fails_and_says_for_whom(keeper, store) -> None:
    granted(store, holder=BOB)
    told: list[Held] = []
    with pytest.raises(
        QueueTimeoutError, match=r"waited 0s for run run-bob on etl-2 \(pid 22\), which is at work on it; raise `queue_timeout`"
    ) as error:
        keeper.acquire(ORDERS, "model.shop.orders", timeout=NO_TIME, on_wait=told.append)
    assert error.value.where == "model.shop.orders"
    assert len(told) == 1


def test_a_run_that_ends_stops_waiting(keeper, store) -> None:
    granted(store, holder=BOB)
    with pytest.raises(QueueTimeoutError, match="the run ended"):
        keeper.acquire(ORDERS, "n", timeout=LONG, on_wait=lambda _held: keeper.stop_waiting())


def test_closing_gives_everything_back(store) -> None:
    keeper = LeaseKeeper(store, ALICE, TTL)
    for key in (ORDERS, CUSTOMERS):
        keeper.acquire(key, "n", timeout=NO_TIME, on_wait=nobody)
    keeper.close()
    assert store.held_leases() == ()


def test_giving_back_a_lease_that_was_taken_over_leaves_the_new_one(keeper, store, clock: FakeClock) -> None:
    ours = keeper.acquire(ORDERS, "n", timeout=NO_TIME, on_wait=nobody).lease
    clock.advance(seconds=31)
    granted(store, holder=BOB)
    keeper.release(ours)
    assert [held.holder for held in store.held_leases()] == [BOB]


class Renewing(StateStore):
    """A state that lets a test wait for the next renewal."""

    def __init__(self, store: StateStore) -> None:
        super().__init__(store._db)
        self.renewed = threading.Event()

    def renew(self, *arguments: object) -> frozenset:
        try:
            return super().renew(*arguments)
        finally:
            self.renewed.set()

    def next_renewal(self) -> None:
        self.renewed.clear()
        assert self.renewed.wait(timeout=60)


def test_leases_are_renewed_in_the_background_and_lost_ones_are_not_taken_back(store, clock: FakeClock) -> None:
    watched = Renewing(store)
    keeper = LeaseKeeper(watched, ALICE, timedelta(milliseconds=60))
    keeper.acquire(ORDERS, "n", timeout=NO_TIME, on_wait=nobody)
    (before,) = store.held_leases()
    clock.advance(milliseconds=50)
    watched.next_renewal()
    watched.next_renewal()
    (after,) = store.held_leases()
    assert after.expires_at > before.expires_at
    watched.renewed.clear()
    clock.advance(seconds=1)
    granted(store, holder=BOB)
    assert watched.renewed.wait(timeout=60)
    assert [held.holder for held in store.held_leases()] == [BOB]
    keeper.close()


# --- what is being built ----------------------------------------------------------------------------------------------


class Clocks:
    """The clocks of a process, of which one may stand still."""

    def __init__(self) -> None:
        self.shown = {"monotonic": 1000.0, "time": 5000.0}

    def monotonic(self) -> float:
        return self.shown["monotonic"]

    def time(self) -> float:
        return self.shown["time"]


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr("afresh.orchestration.leases.time", made)
    return made


def taken(keeper: LeaseKeeper) -> Lease:
    lease = keeper.ask_for(ORDERS, "n")
    assert isinstance(lease, Lease)
    return lease


@pytest.mark.parametrize("which", ["monotonic", "time"])
def test_what_is_built_goes_on_without_asking_until_the_lease_may_have_run_out(keeper, store, clock, clocks, which, monkeypatch) -> None:
    asked = []
    renew = store.renew
    monkeypatch.setattr(store, "renew", lambda *args: asked.append(args) or renew(*args))
    with keeper.building(taken(keeper)):
        clocks.shown[which] += TTL.total_seconds() - 1
        assert (keeper.may_go_on(ORDERS), asked) == (True, [])
        clocks.shown[which] += 2
        assert (keeper.may_go_on(ORDERS), len(asked)) == (True, 1)
        assert (keeper.may_go_on(ORDERS), len(asked)) == (True, 1)


def test_what_was_asleep_past_its_lease_does_not_go_on(keeper, store, clock: FakeClock, clocks) -> None:
    with keeper.building(taken(keeper)):
        clock.advance(seconds=31)
        clocks.shown["time"] += 31
        assert not keeper.may_go_on(ORDERS)
        granted(store, holder=BOB)
        assert not keeper.may_go_on(ORDERS)


def test_a_state_that_does_not_answer_stops_no_build(keeper, store, clocks, monkeypatch) -> None:
    def away(*_args: object) -> None:
        raise StateUnavailableError("away")

    monkeypatch.setattr(store, "renew", away)
    with keeper.building(taken(keeper)):
        clocks.shown["monotonic"] += 31
        assert keeper.may_go_on(ORDERS)


def test_what_is_built_without_a_lease_is_not_asked(keeper) -> None:
    assert keeper.may_go_on(ORDERS)
    with keeper.building(taken(keeper)):
        assert keeper.may_go_on(CUSTOMERS)
    assert keeper.may_go_on(ORDERS)
