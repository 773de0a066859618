"""A connection that is cut at any step of anything the store does: it does the same as if nothing had happened.

Each operation is tried with the connection cut off before each of its statements, and after each of them before the
answer is there, the commit included. What comes out and what stands in the database equal those of a quiet twin.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

import pytest
from tests.conformance.store.examples import ALICE, ORDERS, TTL, announced, granted, run_of, trace_of, verdict_on

from afresh.core.lease import Held, Lease
from afresh.core.trace import AttemptState
from afresh.errors import LeaseLostError, StateUnavailableError
from afresh.store import Head, Intent, ProbeMemo, RunOutcome, RunStatus, StateStore, Taken, open_store
from support.postgres import PostgresDatabase
from support.postgres_wire import CuttingProxy, When, cutting_proxy

LONG = timedelta(minutes=1)
TABLES = ("traces", "leases", "marks", "durations", "decisions", "blobs", "probe_memos", "events", "runs")
MOVING = {"number", "id", "at", "since", "expires_at", "first_at", "last_at", "touched_at", "started_at", "finished_at", "scheduled_at"}
BUILD_ID = "build_id"


@dataclass
class World:
    """A store, and what an operation needs to be there before it."""

    store: StateStore

    def begun(self) -> None:
        self.store.begin_run(run_of("run-alice"))

    def building(self) -> tuple[Lease, str]:
        lease = granted(self.store)
        return lease, announced(self.store, lease).build_id


Operation = Callable[[World], Callable[[], object]]
OPERATIONS: dict[str, Operation] = {}


def operation(prepare: Operation) -> Operation:
    """What prepares an operation and returns it."""
    OPERATIONS[prepare.__name__] = prepare
    return prepare


@operation
def begin_run(world: World) -> Callable[[], object]:
    return lambda: world.store.begin_run(run_of("run-alice")).record.run_id


@operation
def end_run(world: World) -> Callable[[], object]:
    world.begun()
    return lambda: world.store.end_run("run-alice", RunOutcome(RunStatus.SUCCESS, built=3))


@operation
def acquire(world: World) -> Callable[[], object]:
    return lambda: granted(world.store).term


@operation
def acquire_what_was_released(world: World) -> Callable[[], object]:
    world.store.release(granted(world.store))
    return lambda: granted(world.store).term


@operation
def acquire_what_is_held(world: World) -> Callable[[], object]:
    granted(world.store, holder=replace(ALICE, run_id="run-other"))
    return lambda: isinstance(world.store.acquire(ORDERS, ALICE, TTL), Held)


@operation
def take(world: World) -> Callable[[], object]:
    def work() -> object:
        taken = world.store.take(ORDERS, ALICE, TTL, Intent("model.shop.orders", ("never_built",), {ORDERS: Head()}))
        assert isinstance(taken, Taken)
        assert taken.build is not None
        assert world.store.snapshot([ORDERS]).building == {ORDERS}
        return taken.lease.term

    return work


@operation
def take_what_is_not_as_it_was_seen(world: World) -> Callable[[], object]:
    world.store.taint(ORDERS, detail="", run_id="run-other")

    def work() -> object:
        taken = world.store.take(ORDERS, ALICE, TTL, Intent("model.shop.orders", ("never_built",), {ORDERS: Head()}))
        assert isinstance(taken, Taken)
        return taken.lease.term, taken.build

    return work


@operation
def renew(world: World) -> Callable[[], object]:
    lease = granted(world.store)
    return lambda: world.store.renew([lease], TTL)


@operation
def release(world: World) -> Callable[[], object]:
    lease = granted(world.store)
    return lambda: world.store.release(lease)


@operation
def release_all(world: World) -> Callable[[], object]:
    granted(world.store)
    return lambda: world.store.release_all(ALICE.run_id)


@operation
def open_build(world: World) -> Callable[[], object]:
    lease = granted(world.store)
    return lambda: announced(world.store, lease).term


@operation
def record_trace(world: World) -> Callable[[], object]:
    lease, build_id = world.building()

    def work() -> object:
        trace = world.store.record_trace(lease, trace_of(build_id=build_id), compiled="select 1", depfile=b"read")
        assert world.store.get_blobs([trace.compiled_digest, trace.depfile_digest]).keys() == {trace.compiled_digest, trace.depfile_digest}
        assert world.store.snapshot([ORDERS]).traces == {ORDERS: trace}

    return work


@operation
def record_trace_by_who_lost_the_lease(world: World) -> Callable[[], object]:
    lease, build_id = world.building()
    world.store.release(lease)
    granted(world.store, holder=replace(ALICE, run_id="run-other"))

    def work() -> object:
        with pytest.raises(LeaseLostError, match="taken over by run run-other"):
            world.store.record_trace(lease, trace_of(build_id=build_id))

    return work


@operation
def close_build(world: World) -> Callable[[], object]:
    _, build_id = world.building()
    return lambda: world.store.close_build(build_id, AttemptState.FAILED, "no such column")


@operation
def taint(world: World) -> Callable[[], object]:
    return lambda: world.store.taint(ORDERS, detail="who knows", run_id="run-alice")


@operation
def invalidate(world: World) -> Callable[[], object]:
    return lambda: world.store.invalidate([ORDERS], "somebody", "because")


@operation
def forget(world: World) -> Callable[[], object]:
    lease, build_id = world.building()
    world.store.record_trace(lease, trace_of(build_id=build_id))
    return lambda: world.store.forget([ORDERS])


@operation
def record_tests(world: World) -> Callable[[], object]:
    return lambda: world.store.record_tests([(trace_of(build_id="test-1"), "select 1", b"read")])


@operation
def refresh_depfiles(world: World) -> Callable[[], object]:
    lease, build_id = world.building()
    world.store.record_trace(lease, trace_of(build_id=build_id), depfile=b"read")
    return lambda: world.store.refresh_depfiles([(ORDERS, build_id, b"read more")])


@operation
def settle(world: World) -> Callable[[], object]:
    lease, build_id = world.building()
    world.store.record_trace(lease, trace_of(build_id=build_id))
    return lambda: world.store.settle(ORDERS, build_id, outside_token="t")


@operation
def record_decisions(world: World) -> Callable[[], object]:
    world.begun()
    rows = [verdict_on(), verdict_on("model.shop.late"), verdict_on(decision="build"), verdict_on("model.shop.late", status="error")]
    return lambda: world.store.record_decisions("run-alice", rows)


@operation
def record_event(world: World) -> Callable[[], object]:
    return lambda: world.store.record_event("run-alice", "node_waits", "{}")


@operation
def remember_probes(world: World) -> Callable[[], object]:
    at = world.store.now()
    return lambda: world.store.remember_probes({"a": ProbeMemo("guard", "token", at)})


@operation
def snapshot(world: World) -> Callable[[], object]:
    lease, build_id = world.building()
    world.store.record_trace(lease, trace_of(build_id=build_id))
    return lambda: len(world.store.snapshot([ORDERS]).traces)


@pytest.fixture
def proxy(postgres: PostgresDatabase) -> Iterator[CuttingProxy]:
    with cutting_proxy(postgres) as opened:
        yield opened


@pytest.fixture
def store(proxy: CuttingProxy) -> Iterator[StateStore]:
    with open_store(proxy.url, patience=LONG) as opened:
        yield opened


def what_stands(database: PostgresDatabase) -> dict[str, list[dict[str, object]]]:
    """Every row of the state, but for moments and numbers that are new each time."""
    with database.connect() as connection:
        found = {}
        for table in TABLES:
            rows = connection.execute(f"select * from afresh_{table}".encode())
            names = [column.name for column in rows.description or ()]
            kept = [{name: value for name, value in zip(names, row, strict=True) if name not in MOVING} for row in rows]
            found[table] = sorted((_without_ids(row) for row in kept), key=repr)
    return found


def _without_ids(row: dict[str, object]) -> dict[str, object]:
    """Ids of builds are new each time too, and stand in bodies."""
    return {name: "" if name in (BUILD_ID, "body") else value for name, value in row.items()}


def clear(database: PostgresDatabase) -> None:
    database.execute(*(f"truncate afresh_{table} restart identity" for table in TABLES))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_it_means_the_same_when_the_connection_is_cut_at_any_step(
    name: str, when: When, store: StateStore, proxy: CuttingProxy, postgres: PostgresDatabase
) -> None:
    world = World(store)
    quiet = OPERATIONS[name](world)()
    stands = what_stands(postgres)

    for step in count(1):
        clear(postgres)
        work = OPERATIONS[name](world)
        proxy.cut(step, when)
        assert work() == quiet, step
        if not proxy.was_cut():
            break
        assert what_stands(postgres) == stands, step
    assert step > 3  # a statement between BEGIN and COMMIT at least


def test_it_gives_up_when_its_patience_is_over_and_is_there_again_later(proxy: CuttingProxy) -> None:
    with open_store(proxy.url, patience=timedelta(seconds=0.3)) as store:
        lease = granted(store)
        proxy.refuse()
        with pytest.raises(StateUnavailableError) as lost:
            store.renew([lease], TTL)
        assert str(proxy.port) in str(lost.value)
        proxy.accept()
        store._db.patience._given_up = None  # the rest after giving up is over
        assert store.renew([lease], TTL) == frozenset()


def test_an_outage_that_ends_in_time_is_not_noticed(proxy: CuttingProxy) -> None:
    with open_store(proxy.url, patience=LONG) as store:
        lease = granted(store)
        proxy.refuse()
        pauses = _accepting_after(store, proxy, pauses=3)
        assert store.renew([lease], TTL) == frozenset()
        assert len(pauses) == 3


def _accepting_after(store: StateStore, proxy: CuttingProxy, *, pauses: int) -> list[float]:
    """The server comes back while it is waited for."""
    seen: list[float] = []
    original = store._db.patience.pause

    def pause(seconds: float) -> bool:
        seen.append(seconds)
        if len(seen) == pauses:
            proxy.accept()
        return original(seconds)

    store._db.patience.pause = pause  # type: ignore[method-assign]
    return seen


def test_a_run_that_is_being_ended_waits_no_longer(proxy: CuttingProxy) -> None:
    with open_store(proxy.url, patience=timedelta(days=1)) as store:
        store.begin_run(run_of("r1"))
        store.stop_retrying()
        proxy.refuse()
        with pytest.raises(StateUnavailableError):
            store.run("r1")


def test_a_lease_that_ran_out_while_the_server_was_away_is_lost(proxy: CuttingProxy) -> None:
    with open_store(proxy.url, patience=LONG) as store:
        lease = granted(store, ttl=timedelta(milliseconds=1))
        proxy.refuse()
        _accepting_after(store, proxy, pauses=2)
        assert store.renew([lease], TTL) == {ORDERS}


def test_who_listens_is_told_again_after_the_connection_was_lost(proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afresh.store.wakeups._SECONDS_BETWEEN_TRIES", 0)
    with open_store(proxy.url, patience=LONG) as store, store.released_leases() as released:
        lease = granted(store)
        proxy.refuse()
        for _ in range(3):
            released.wait(0.01)
        proxy.accept()
        released.wait(0.01)
        store.release(lease)
        released.wait(timedelta(hours=1).total_seconds())  # returns because it is told


def test_a_process_that_stops_in_the_middle_of_a_write_does_not_hold_up_the_others(postgres: PostgresDatabase) -> None:
    with open_store(postgres.url) as store:
        limits = store._db.write(lambda tx: (tx.now, tx.conn.exec_driver_sql("show idle_in_transaction_session_timeout").scalar()))
        after = store._db.read(lambda tx: tx.conn.exec_driver_sql("show idle_in_transaction_session_timeout").scalar())
    assert (limits[1], after) == ("10s", "0")


@pytest.mark.parametrize("name", ["take", "record_trace"])
def test_it_means_the_same_when_no_answer_comes_to_any_step(
    name: str, store: StateStore, proxy: CuttingProxy, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("afresh.store.postgres_link.ANSWER_SECONDS", 0.3)
    test_it_means_the_same_when_the_connection_is_cut_at_any_step(name, "silent", store, proxy, postgres)


def test_sessions_that_are_frozen_are_left_after_a_while(postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afresh.store.postgres_link.ANSWER_SECONDS", 0.5)
    with open_store(postgres.url, patience=LONG) as store:
        store.begin_run(run_of("run-alice"))
        others = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        frozen = [int(row[0]) for row in postgres.query(others)]
        assert frozen
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            assert granted(store).term == 1
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)


def test_a_server_that_stays_silent_is_told_as_what_it_is(proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afresh.store.postgres_link.ANSWER_SECONDS", 0.3)
    with open_store(proxy.url, patience=timedelta(0)) as store:
        proxy.cut(1, "silent")
        with pytest.raises(StateUnavailableError, match=r"the server has not answered for 0\.3 seconds"):
            store.run("r1")
