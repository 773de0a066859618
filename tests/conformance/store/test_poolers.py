"""Through a pooler in transaction mode, each transaction has another session: nothing may depend on the one before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy.exc import OperationalError
from tests.conformance.store.examples import BOB, ORDERS, TTL, built, granted, key_of, recorded_test, run_of, trace_of
from tests.conformance.store.test_lost_connections import OPERATIONS, World, clear, what_stands

from afresh.core.lease import Held
from afresh.errors import StateUnavailableError
from afresh.store import StateStore, open_store
from afresh.store.faults import fault, is_outage
from support.postgres import PostgresDatabase
from support.postgres_wire import TransactionPooler, transaction_pooler

SESSION_STATE = re.compile(
    r"^\s*(SET (?!LOCAL|TRANSACTION)|LISTEN|UNLISTEN|PREPARE|DECLARE .* WITH HOLD|CREATE TEMP|LOAD|DISCARD)|pg_(try_)?advisory_lock",
    re.IGNORECASE,
)
MANY = 8
"""Repetitions after which the driver would prepare a statement, if it did that."""


@pytest.fixture
def pooler(postgres: PostgresDatabase) -> Iterator[TransactionPooler]:
    with transaction_pooler(postgres) as opened:
        yield opened


@pytest.fixture
def store(pooler: TransactionPooler) -> Iterator[StateStore]:
    with open_store(pooler.url) as opened:
        yield opened


def session_state(pooler: TransactionPooler) -> list[str]:
    return [statement for statement in pooler.statements if SESSION_STATE.search(statement)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_everything_means_the_same_and_leaves_nothing_in_a_session(
    name: str, store: StateStore, pooler: TransactionPooler, postgres: PostgresDatabase
) -> None:
    with open_store(postgres.url) as direct:
        quiet = OPERATIONS[name](World(direct))()
        stands = what_stands(postgres)
    for _ in range(MANY):
        clear(postgres)
        assert OPERATIONS[name](World(store))() == quiet
        assert what_stands(postgres) == stands
    assert session_state(pooler) == []
    assert pooler.sessions_with_leftovers() == []


def test_a_session_is_never_the_same_twice(store: StateStore) -> None:
    pids = [store._db.read(lambda tx: tx.conn.exec_driver_sql("select pg_backend_pid()").scalar()) for _ in range(4)]
    assert all(one != other for one, other in pairwise(pids))


def test_many_open_a_new_state_at_once(pooler: TransactionPooler) -> None:
    def begin(number: int) -> int:
        with open_store(pooler.url) as store:
            return store.begin_run(run_of(f"r{number}")).number

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(begin, range(8))) == list(range(1, 9))
    assert session_state(pooler) == []


def test_whole_builds_and_tests_go_through(store: StateStore, pooler: TransactionPooler) -> None:
    for number in range(MANY):
        built(store, key_of(f"model_{number % 3}"))
    recorded_test(store, trace_of(build_id="test"), "select 1", b"read")
    granted(store)
    assert isinstance(store.acquire(ORDERS, BOB, TTL), Held)
    assert session_state(pooler) == []


def test_who_waits_does_not_listen_where_nothing_would_be_heard(store: StateStore, pooler: TransactionPooler) -> None:
    with store.released_leases() as released:
        for _ in range(3):
            released.wait(0.01)
    assert not any(statement.startswith("LISTEN") for statement in pooler.statements)
    assert pooler.sessions_with_leftovers() == []


def test_who_waits_listens_where_the_server_is_reached_itself(postgres: PostgresDatabase) -> None:
    with open_store(postgres.url) as store, store.released_leases() as released:
        lease = granted(store)
        store.release(lease)
        released.wait(timedelta(hours=1).total_seconds())  # returns because it is told


def test_a_parameter_that_a_pooler_refuses_is_told_in_one_message() -> None:
    """In the words of PgBouncer, which refuses before any session is made."""
    said = OperationalError("", {}, _psycopg_error("connection failed: FATAL:  unsupported startup parameter: options"))
    told = fault(said, "postgresql://host/state")
    assert isinstance(told, StateUnavailableError)
    assert "the pooler in front of the state database refuses a parameter of state_url" in str(told)
    assert "ALTER ROLE" in str(told)
    assert not is_outage(said)


def _psycopg_error(text: str) -> Exception:
    import psycopg

    return psycopg.OperationalError(text)
