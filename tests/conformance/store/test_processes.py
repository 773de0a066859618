"""Several processes on one state: real ones, that start at the same moment and find no state yet."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conformance.store.worker import COUNTERS, STEPS, take

from afresh.core.lease import Holder
from afresh.core.trace import AttemptState
from afresh.store import open_store

ROOT = Path(__file__).parents[3]
PROCESSES = 4


def start(task: str, url: str, name: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(ROOT / "src")])
    command = [sys.executable, "-m", "tests.conformance.store.worker", task, url, name]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, **(env or {})},
    )


def test_processes_that_contend_for_the_same_relations_lose_no_update(url: str) -> None:
    workers = [start("count", url, f"run-{number}") for number in range(PROCESSES)]
    errors = [worker.communicate()[1] for worker in workers]
    assert errors == [""] * PROCESSES
    with open_store(url) as store:
        seen = store.snapshot(COUNTERS)
        assert sum(int(trace.output_version) for trace in seen.traces.values()) == PROCESSES * STEPS
        assert (seen.held, seen.attempts) == ({}, {})
        assert sorted(run.number for run in store.runs()) == list(range(1, PROCESSES + 1))
        assert {take(store, key, Holder("r", "h", 1)).term for key in COUNTERS} == {
            int(trace.output_version) + 1 for trace in seen.traces.values()
        }
        assert [record.count for record in store.last_decisions()] == [PROCESSES] * len(COUNTERS)


def test_a_process_that_is_killed_leaves_an_interruption_and_a_lease_that_expires(url: str) -> None:
    worker = start("hang", url, "run-victim")
    assert worker.stdout is not None
    assert worker.stdout.readline() == "announced\n"
    worker.kill()
    worker.communicate()
    with open_store(url) as store:
        assert take(store, COUNTERS[0], Holder("run-next", "here", os.getpid())).term == 2
        problem = store.snapshot(COUNTERS).attempts[COUNTERS[0]]
        assert (problem.state, problem.run_id) == (AttemptState.INTERRUPTED, "run-victim")
