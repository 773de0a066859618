"""The waiting room: who comes again, when, and that nobody is forgotten."""

from __future__ import annotations

import threading
import time

import pytest
from tests.conformance.store.examples import ALICE, BOB, CUSTOMERS, ORDERS, TTL, FakeClock, granted

from afresh.core.node import NodeId
from afresh.errors import StateUnavailableError
from afresh.orchestration.outcome import Wait
from afresh.orchestration.waiting import WaitingRoom
from afresh.store import open_store

LONG = 60.0
PATIENCE = 20


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store(tmp_path, clock):
    with open_store("sqlite:///state.db", base=tmp_path, clock=clock) as opened:
        yield opened


class Door:
    """Where those who come again are seen."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._one_more = threading.Semaphore(0)

    def come_again(self, node: NodeId) -> None:
        self.seen.append(node)
        self._one_more.release()

    def wait(self) -> list[str]:
        assert self._one_more.acquire(timeout=PATIENCE)
        return self.seen


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def room(store, door):
    made = WaitingRoom(store, door.come_again)
    yield made
    made.close()


def waiting(name: str, key=ORDERS, seconds: float = LONG) -> Wait:
    return Wait(NodeId(name), key, time.monotonic() + seconds)


def test_a_node_comes_again_when_its_key_is_free_and_others_wait_on(store, room, door):
    ours, other = granted(store, ORDERS, ALICE), granted(store, CUSTOMERS, ALICE)
    room.enter(waiting("orders"))
    room.enter(waiting("customers", CUSTOMERS))
    store.release(ours)
    assert door.wait() == ["orders"]
    store.release(other)
    assert door.wait() == ["orders", "customers"]


def test_a_lease_that_ran_out_is_free(store, room, door, clock):
    granted(store, ORDERS, ALICE)
    room.enter(waiting("orders"))
    clock.advance(seconds=TTL.total_seconds() + 1)
    assert door.wait() == ["orders"]


def test_a_node_whose_time_is_up_comes_again(store, room, door):
    granted(store, ORDERS, ALICE)
    room.enter(waiting("orders", seconds=0.05))
    assert door.wait() == ["orders"]


def test_a_node_that_has_to_wait_once_more_comes_again_once_more(store, room, door):
    first = granted(store, ORDERS, ALICE)
    room.enter(waiting("orders"))
    store.release(first)
    door.wait()
    second = granted(store, ORDERS, BOB)
    room.enter(waiting("orders"))
    store.release(second)
    assert door.wait() == ["orders", "orders"]


def test_all_come_again_when_they_are_let_go(store, room, door):
    granted(store, ORDERS, ALICE)
    room.enter(waiting("a"))
    room.enter(waiting("b"))
    room.let_all_go()
    door.wait()
    assert sorted(door.wait()) == ["a", "b"]


def test_a_state_that_cannot_be_asked_is_the_node_s_own_business(store, room, door, monkeypatch):
    granted(store, ORDERS, ALICE)

    def unavailable(_keys):
        raise StateUnavailableError("gone")

    monkeypatch.setattr(store, "holders", unavailable)
    room.enter(waiting("orders"))
    assert door.wait() == ["orders"]


def test_nobody_comes_again_after_the_end(store, door):
    lease = granted(store, ORDERS, ALICE)
    room = WaitingRoom(store, door.come_again)
    room.enter(waiting("orders"))
    room.close()
    store.release(lease)
    assert door.seen == []
    assert not any(thread.name == "afresh-waiting" for thread in threading.enumerate())
