"""What was built without state is known as soon as the state can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.conformance.store.examples import CUSTOMERS, ORDERS

from afresh.core.trace import AttemptState
from afresh.errors import StateUnavailableError
from afresh.orchestration.taint_journal import Journal
from afresh.store import StateStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "not there yet" / "journal.jsonl"


def test_every_entry_becomes_a_taint_and_the_journal_is_empty_then(store: StateStore, file: Path) -> None:
    for key in (ORDERS, CUSTOMERS, ORDERS):
        Journal(file).add(key, "run-alice")
    assert Journal(file).hand_over(store) == 2
    attempts = store.snapshot([ORDERS, CUSTOMERS]).attempts
    assert {key: attempt.state for key, attempt in attempts.items()} == {ORDERS: AttemptState.TAINTED, CUSTOMERS: AttemptState.TAINTED}
    assert list(file.parent.iterdir()) == []
    assert Journal(file).hand_over(store) == 0


def test_a_line_that_a_crash_cut_short_does_not_hide_the_others(store: StateStore, file: Path) -> None:
    Journal(file).add(ORDERS, "run-alice")
    with file.open("a") as journal:
        journal.write('{"key": "[\\"wareh')
    assert Journal(file).hand_over(store) == 1
    assert set(store.snapshot([ORDERS]).attempts) == {ORDERS}


def test_what_could_not_be_handed_over_is_kept(store: StateStore, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(file).add(ORDERS, "run-alice")
    with monkeypatch.context() as away:
        away.setattr(store, "taint", _refuse)
        with pytest.raises(StateUnavailableError):
            Journal(file).hand_over(store)
    Journal(file).add(CUSTOMERS, "run-alice")
    assert Journal(file).hand_over(store) == 2
    assert set(store.snapshot([ORDERS, CUSTOMERS]).attempts) == {ORDERS, CUSTOMERS}


def test_what_is_noted_while_another_process_hands_over_is_not_lost(store: StateStore, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is renamed, read and removed between opening it and writing to it."""
    journal = Journal(file)
    journal.add(CUSTOMERS, "run-alice")
    original, come = Path.open, [True]

    def opened(path: Path, *args: Any, **kwargs: Any) -> Any:
        found = original(path, *args, **kwargs)
        if path == file and come:
            come.clear()
            Journal(file).hand_over(store)
        return found

    monkeypatch.setattr(Path, "open", opened)
    journal.add(ORDERS, "run-alice")
    assert set(store.snapshot([ORDERS]).attempts) == set()
    assert Journal(file).hand_over(store) == 1
    assert set(store.snapshot([ORDERS]).attempts) == {ORDERS}


def test_what_the_disk_refuses_is_known_to_the_process_that_built_it(store: StateStore, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    journal = Journal(tmp_path / "file" / "journal.jsonl")
    with pytest.raises(OSError, match="file"):
        journal.add(ORDERS, "run-alice")
    assert journal.hand_over(store) == 1
    assert set(store.snapshot([ORDERS]).attempts) == {ORDERS}


def _refuse(*_args: object, **_kwargs: object) -> None:
    raise StateUnavailableError("the state is away")
