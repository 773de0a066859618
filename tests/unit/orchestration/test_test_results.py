"""The results of tests reach the state, a little later."""

from __future__ import annotations

import pytest
from tests.conformance.store.examples import key_of, trace_of

from afresh.core.trace import TestOutcome, TestStatus
from afresh.core.version import CodeVersion
from afresh.errors import StateUnavailableError
from afresh.orchestration.code_types import CodeRecord
from afresh.orchestration.test_results import TestResults
from afresh.store import StateStore, open_store

RECORD = CodeRecord(CodeVersion(), b"read", "select 1")


def result_of(name: str):
    return trace_of(key_of(name), name, test=TestOutcome(TestStatus.PASS))


def test_results_are_there_at_the_latest_when_the_run_ends(store: StateStore) -> None:
    results = TestResults(store)
    results.add(result_of("t"), RECORD)
    results.write()
    (trace,) = store.snapshot([key_of("t")]).traces.values()
    assert trace.test == TestOutcome(TestStatus.PASS)
    assert set(store.get_blobs([trace.compiled_digest, trace.depfile_digest]).values()) == {b"read", b"select 1"}


def test_many_results_do_not_wait_for_the_end(store: StateStore) -> None:
    results = TestResults(store)
    keys = [key_of(f"t{number}") for number in range(100)]
    for number in range(100):
        results.add(result_of(f"t{number}"), RECORD)
    assert len(store.snapshot(keys).traces) >= 50


def test_results_that_could_not_be_written_are_not_lost(store: StateStore, tmp_path) -> None:
    unwritable = open_store("sqlite:///state.db", base=tmp_path, read_only=True)
    results = TestResults(unwritable)
    results.add(result_of("t"), RECORD)
    with pytest.raises(StateUnavailableError):
        results.write()
    results._store = store
    results.write()
    assert set(store.snapshot([key_of("t")]).traces) == {key_of("t")}
    unwritable.close()
