"""A run says that it is at work for as long as it is, whatever the state answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.conformance.store.examples import FakeClock, run_of

from afresh.orchestration import heartbeat
from afresh.orchestration.heartbeat import Heartbeat
from afresh.store import StateStore, open_store
from afresh.store.schema import ALIVE

PATIENCE = 60


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path, clock: FakeClock) -> Iterator[StateStore]:
    """A state with one run that went silent."""
    with open_store(f"sqlite:///{tmp_path}/state.db", clock=clock) as opened:
        opened.begin_run(run_of("r1"), alive_for=timedelta(seconds=1))
        clock.advance(minutes=1)
        yield opened


@pytest.fixture
def beating(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heartbeat]:
    monkeypatch.setattr(heartbeat, "BELIEVED", timedelta(seconds=0.03))
    made = Heartbeat(store, "r1")
    made.start()
    yield made
    made.stop()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_run_is_at_work_until_it_stops_saying_so(store: StateStore, clock: FakeClock, beating: Heartbeat) -> None:
    until(lambda: store.runs_at_work() == ("r1",))
    clock.advance(minutes=1)
    until(lambda: store.runs_at_work() == ("r1",))
    beating.stop()
    clock.advance(minutes=1)
    assert store.runs_at_work() == ()


def test_a_state_that_is_away_for_a_while_is_told_again(store: StateStore, beating: Heartbeat) -> None:
    store._db.write(lambda tx: tx.conn.execute(text("ALTER TABLE afresh_alive RENAME TO away")))
    time.sleep(0.1)  # some messages are lost
    store._db.write(lambda tx: tx.conn.execute(text("ALTER TABLE away RENAME TO afresh_alive")))
    store._db.write(lambda tx: tx.conn.execute(ALIVE.delete()))
    until(lambda: store.runs_at_work() == ("r1",))


def test_one_that_never_began_can_be_stopped(store: StateStore) -> None:
    Heartbeat(store, "r1").stop()
