"""What was built without state is known as soon as the state can be told."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.store.examples import CUSTOMERS, ORDERS

from afresh.core.trace import AttemptState
from afresh.orchestration.taint_journal import Journal
from afresh.store import StateStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "not there yet" / "journal.jsonl"


def test_every_entry_becomes_a_taint_and_the_journal_is_empty_then(store: StateStore, file: Path) -> None:
    for key in (ORDERS, CUSTOMERS, ORDERS):
        Journal(file).add(key, "run-alice")
    assert Journal(file).hand_over(store) == 3
    attempts = store.snapshot([ORDERS, CUSTOMERS]).attempts
    assert {key: attempt.state for key, attempt in attempts.items()} == {ORDERS: AttemptState.TAINTED, CUSTOMERS: AttemptState.TAINTED}
    assert not file.exists()
    assert Journal(file).hand_over(store) == 0


def test_a_line_that_a_crash_cut_short_does_not_hide_the_others(store: StateStore, file: Path) -> None:
    Journal(file).add(ORDERS, "run-alice")
    with file.open("a") as journal:
        journal.write('{"key": "[\\"wareh')
    assert Journal(file).hand_over(store) == 1
    assert set(store.snapshot([ORDERS]).attempts) == {ORDERS}
