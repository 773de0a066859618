"""What one process of the multi-process tests does: ``python -m tests.conformance.store.worker TASK URL NAME``."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from tests.conformance.store.examples import key_of, trace_of

from afresh.core.lease import Holder, Lease
from afresh.core.relation import TraceKey
from afresh.store import DecisionRow, RunRecord, StateStore, migrating, open_store, opening

COUNTERS = tuple(key_of(f"counter_{number}") for number in range(3))
STEPS = 20
TTL = timedelta(minutes=5)
SHORT = timedelta(milliseconds=300)


def take(store: StateStore, key: TraceKey, holder: Holder, ttl: timedelta = TTL) -> Lease:
    """Ask until the lease is granted, as a waiting node does."""
    while True:
        answer = store.acquire(key, holder, ttl)
        if isinstance(answer, Lease):
            return answer
        time.sleep(0.002)  # other processes need the machine to finish


def count(store: StateStore, name: str) -> None:
    """Raise each counter again and again; a lost update or two builders at once would make one too low."""
    holder = Holder(name, "here", os.getpid())
    store.begin_run(RunRecord(name, "count", "shop", "prod"))
    for step in range(STEPS):
        key = COUNTERS[step % len(COUNTERS)]
        lease = take(store, key, holder)
        trace = store.snapshot([key]).traces.get(key)
        build = store.open_build(lease, "n", (), name)
        value = 1 if trace is None else int(trace.output_version) + 1
        store.record_trace(lease, trace_of(key, build.build_id, output_version=str(value)), compiled=f"select {value}")
        store.release(lease)
        store.record_decisions(name, [DecisionRow("n", key, "model", "table", "", "build", None, "[]")])


def hang(store: StateStore, name: str) -> None:
    """Announce a build, say so, and never end."""
    lease = take(store, COUNTERS[0], Holder(name, "here", os.getpid()), SHORT)
    store.open_build(lease, "n", (), name)
    sys.stdout.write("announced\n")
    sys.stdout.flush()
    sys.stdin.read()


def migrate(url: str, name: str) -> None:
    """As a later release, whose migrations are in ``AFRESH_MIGRATIONS``: say so, open the state, and begin a run."""
    migrating._FOLDER = Path(os.environ["AFRESH_MIGRATIONS"])
    opening.HEAD = migrating.revisions()[-1]
    sys.stdout.write("opening\n")
    sys.stdout.flush()
    with open_store(url) as store:
        store.begin_run(RunRecord(name, "migrate", "shop", "prod"))


if __name__ == "__main__":
    task, url, name = sys.argv[1:]
    if task == "migrate":
        migrate(url, name)
        sys.exit()
    with open_store(url) as opened:
        {"count": count, "hang": hang}[task](opened, name)
