"""How long a database that does not answer is asked again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conformance.store.examples import ORDERS, granted

from afresh.errors import StateUnavailableError
from afresh.store import open_store
from afresh.store.patience import Attempts, Patience

GONE = ConnectionError("the server is gone")


@dataclass
class Clock:
    """Moves when somebody pauses."""

    time: float = 0.0

    def __call__(self) -> float:
        return self.time


class Waiting(Patience):
    """Pauses without waiting."""

    def __init__(self, seconds: float) -> None:
        self.clock = Clock()
        super().__init__(timedelta(seconds=seconds), clock=self.clock)

    def pause(self, seconds: float) -> bool:
        self.clock.time += seconds
        return True


def give_up(attempts: Attempts) -> int:
    """Try in vain until it is not worth trying any more; how often that was."""
    count = 1
    while attempts.again_after_outage(GONE):
        count += 1
    return count


def test_an_outage_is_waited_for_no_longer_than_told_with_pauses_that_grow() -> None:
    patience = Waiting(30)
    assert 30 < give_up(patience.attempts()) < 80
    assert patience.clock.time == pytest.approx(30)


def test_who_comes_late_into_an_outage_does_not_wait_for_all_of_it_again() -> None:
    patience = Waiting(30)
    early, late = patience.attempts(), patience.attempts()
    assert early.again_after_outage(GONE)
    patience.clock.time = 29.0
    give_up(late)
    assert patience.clock.time == pytest.approx(30)


def test_a_database_that_was_given_up_is_left_alone_for_a_moment_and_then_asked_once() -> None:
    patience = Waiting(30)
    give_up(patience.attempts())
    with pytest.raises(ConnectionError):
        patience.attempts()
    patience.clock.time += 6
    assert give_up(patience.attempts()) == 1


def test_a_database_that_is_found_again_is_waited_for_as_ever() -> None:
    patience = Waiting(30)
    give_up(patience.attempts())
    patience.clock.time += 6
    patience.attempts()
    patience.reached()
    assert give_up(patience.attempts()) > 30
    assert patience.clock.time == pytest.approx(66)


def test_an_outage_that_lasts_is_told_once() -> None:
    told: list[Exception] = []
    patience = Waiting(30)
    patience.when_away(told.append)
    patience.attempts().again_after_outage(GONE)
    assert told == []
    give_up(patience.attempts())
    assert told == [GONE]
    patience.clock.time += 6
    patience.attempts()
    patience.reached()
    give_up(patience.attempts())
    assert told == [GONE, GONE]


def test_when_the_run_is_being_ended_nobody_waits() -> None:
    patience = Patience(timedelta(hours=1))
    patience.end()
    assert not patience.attempts().again_after_outage(GONE)


def test_a_file_that_another_process_keeps_locked_is_asked_again_until_it_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afresh.store.engine.BUSY_TIMEOUT_SECONDS", 0.0)
    url = f"sqlite:///{tmp_path}/state.db"
    open_store(url).close()
    with open_store(url, patience=timedelta(minutes=1)) as store, closing(sqlite3.connect(tmp_path / "state.db")) as other:
        other.execute("begin immediate")
        pauses: list[float] = []
        original = store._db.patience.pause

        def pause(seconds: float) -> bool:
            pauses.append(seconds)
            if len(pauses) == 3:
                other.rollback()
            return original(seconds)

        monkeypatch.setattr(store._db.patience, "pause", pause)
        assert granted(store).key == ORDERS
        assert len(pauses) == 3


def test_a_file_that_stays_locked_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afresh.store.engine.BUSY_TIMEOUT_SECONDS", 0.0)
    url = f"sqlite:///{tmp_path}/state.db"
    open_store(url).close()
    with open_store(url, patience=timedelta(seconds=0.1)) as store, closing(sqlite3.connect(tmp_path / "state.db")) as other:
        other.execute("begin immediate")
        with pytest.raises(StateUnavailableError, match="another process keeps the state database locked"):
            granted(store)
        other.rollback()
        assert granted(store).key == ORDERS
