"""What queueing costs: a lease taken and given back, a waiter woken, several processes that want the same relations."""

from __future__ import annotations

import multiprocessing
import os
import random
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.measure import Fact, Report
from benchmarks.server import new_database, postgres_server

from afresh.core.lease import Held, Holder, Lease
from afresh.core.node import NodeId
from afresh.core.relation import TraceKey
from afresh.orchestration.outcome import Wait
from afresh.orchestration.waiting import WaitingRoom
from afresh.store import StateStore, open_store

_TTL = timedelta(seconds=60)
_LEASES = 100
_WAKE_UPS = 5
_PATIENCE = 60.0
_PROCESSES = 8
_RELATIONS = 1000
_SECONDS = 2.0


def taken_and_given_back(store: StateStore, times: int) -> float:
    """Milliseconds for a lease that is free: the median of taking it and giving it back."""
    return statistics.median(_one_lease(store, number) for number in range(times)) * 1000


def _one_lease(store: StateStore, number: int) -> float:
    began = time.perf_counter()
    lease = store.acquire(TraceKey(f"bench:{number % 10}"), Holder("bench", "here", os.getpid()), _TTL)
    store.release(_granted(lease))
    return time.perf_counter() - began


def woken(ours: StateStore, other: StateStore, times: int) -> float:
    """Milliseconds from the moment when another run has given a lease back until the node that waits for it comes again."""
    key, came = TraceKey("bench:awaited"), threading.Event()
    room = WaitingRoom(ours, lambda _node: came.set())
    try:
        return statistics.median(_one_wake_up(room, other, key, came) for _ in range(times)) * 1000
    finally:
        room.close()


def _one_wake_up(room: WaitingRoom, other: StateStore, key: TraceKey, came: threading.Event) -> float:
    lease = _granted(other.acquire(key, Holder("other", "there", os.getpid()), _TTL))
    came.clear()
    room.enter(Wait(NodeId("model.bench.awaited"), key, time.monotonic() + _PATIENCE))
    time.sleep(random.uniform(0.3, 0.6))  # at any moment between two looks
    other.release(lease)
    began = time.perf_counter()
    if not came.wait(_PATIENCE):
        raise TimeoutError("nobody woke the waiter")
    return time.perf_counter() - began


def _granted(answer: Lease | Held) -> Lease:
    if isinstance(answer, Held):
        raise TypeError(f"nobody else should hold {answer.key}")
    return answer


def contended(url: str, folder: Path, seconds: float) -> tuple[float, int]:
    """Leases that several processes took together, per second, and how often two of them held one at a time."""
    claims = folder / "claims"
    claims.mkdir()
    context = multiprocessing.get_context("spawn")
    together, results = context.Barrier(_PROCESSES), context.Queue()
    workers = [context.Process(target=_contend, args=(url, claims, number, seconds, together, results)) for number in range(_PROCESSES)]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=_PATIENCE) for _ in workers]
    for worker in workers:
        worker.join()
    return sum(taken for taken, _ in found) / seconds, sum(doubled for _, doubled in found)


def _contend(
    url: str, claims: Path, number: int, seconds: float, together: Barrier, results: multiprocessing.Queue[tuple[int, int]]
) -> None:
    chance, taken, doubled = random.Random(number), 0, 0
    with open_store(url) as store:
        store.held_leases()
        together.wait(_PATIENCE)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            at = chance.randrange(_RELATIONS)
            lease = store.acquire(TraceKey(f"bench:{at}"), Holder(f"run-{number}", "here", number), _TTL)
            if isinstance(lease, Lease):
                taken += 1
                doubled += _held_by_another(claims / str(at))
                store.release(lease)
    results.put((taken, doubled))


def _held_by_another(claim: Path) -> bool:
    """A file that only one process can make tells whether two hold a lease at once, whatever the state says."""
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return True
    claim.unlink()
    return False


@contextmanager
def _stores(url: str) -> Iterator[tuple[StateStore, StateStore]]:
    with open_store(url) as ours, open_store(url) as other:
        yield ours, other


def measure_leases(work: Path, repeat: int) -> Report:
    """All of it, on SQLite and on PostgreSQL; ``repeat`` makes it longer."""
    facts: list[Fact] = []

    def on(database: str, url: str, *, lease: float | None, wake_up: float) -> None:
        with _stores(url) as (ours, other):
            facts.append(Fact(f"a lease taken and given back, {database}", taken_and_given_back(ours, _LEASES * repeat), "ms", limit=lease))
            facts.append(Fact(f"a waiter woken, {database}", woken(ours, other, _WAKE_UPS * repeat), "ms", limit=wake_up))

    on("SQLite", f"sqlite:///{work / 'leases.db'}", lease=None, wake_up=250)
    with postgres_server() as server:
        on("PostgreSQL", new_database(server), lease=2, wake_up=50)
        per_second, doubled = contended(new_database(server), work, _SECONDS * repeat)
    facts.append(Fact(f"leases taken by {_PROCESSES} processes over {_RELATIONS:,} relations, PostgreSQL", per_second, "/s", least=500))
    facts.append(Fact("of these held by two at once", doubled, "", limit=0))
    return Report("leases", facts=tuple(facts))
