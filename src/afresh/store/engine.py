"""The database under the store: connections, transactions, clock, and every difference between SQLite and PostgreSQL.

Two kinds of transaction exist. A *reading* one sees one consistent state. A *writing* one is serialised where it must
be, is short, and is tried again when the database asks for that. Nothing here knows what the tables mean.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from afresh.errors import StateUnavailableError
from afresh.store.faults import is_passing, translated
from afresh.store.instants import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPICursor

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = 10.0
"""How long SQLite waits by itself for another process's write to end; our writes take milliseconds."""
ATTEMPTS = 3
"""How often a writing transaction is tried in all."""
CHUNK = 900
"""How many values go into one IN list: SQLite before 3.32 takes 999 parameters."""

_HOW_TO_BEGIN = "afresh_begin"
_SQLITE_NOW = text("SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER) * 1000")
_POSTGRES_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)")


class Transaction:
    """An open transaction."""

    def __init__(self, conn: Connection, clock: Callable[[], datetime] | None) -> None:
        self.conn = conn
        self._clock = clock

    @cached_property
    def now(self) -> int:
        """The database's time when it was first asked for in this transaction.

        A transaction that waited since then judges by an older time than it could. That is safe: whoever it waited for
        has changed the term.
        """
        if self._clock is not None:
            return micros(self._clock())
        return int(self.conn.execute(_SQLITE_NOW if self.is_sqlite else _POSTGRES_NOW).scalar_one())

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite, where every writer is alone."""
        return self.conn.dialect.name == "sqlite"

    def alone(self, purpose: int) -> None:
        """Wait until no other transaction is in here for the same purpose."""
        if not self.is_sqlite:
            self.conn.execute(select(func.pg_advisory_xact_lock(_ADVISORY_SPACE, purpose)))


_ADVISORY_SPACE = 0x0AF_2E58
"""First half of the two numbers of a PostgreSQL advisory lock, so that other programs' locks are not ours."""


class Database:
    """One engine, used by all threads of the process."""

    def __init__(self, engine: Engine, *, place: str, clock: Callable[[], datetime] | None = None) -> None:
        self.engine = engine
        self.place = place
        self._clock = clock
        self.is_sqlite = engine.dialect.name == "sqlite"
        # Threads of one process queue here, fairly and without delay, instead of polling SQLite's file lock.
        self._writer = threading.Lock() if self.is_sqlite else nullcontext()

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` on one consistent state; it may be called again if the database asks for it."""
        return self._attempt(work, {"isolation_level": "REPEATABLE READ"} if not self.is_sqlite else {_HOW_TO_BEGIN: "BEGIN"})

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` and commit, or change nothing; it may be called again if the database asks for it."""
        with self._writer:
            return self._attempt(work, {_HOW_TO_BEGIN: "BEGIN IMMEDIATE"})

    def write_durably(self, work: Callable[[Transaction], T]) -> T:
        """As :meth:`write`, and the change outlives a power cut: for what must be known before SQL is sent."""
        with self._writer:
            return self._attempt(work, {_HOW_TO_BEGIN: "BEGIN IMMEDIATE", _SYNCHRONOUS: "FULL"})

    def _attempt(self, work: Callable[[Transaction], T], options: dict[str, str]) -> T:
        with translated(self.place):
            for _ in range(ATTEMPTS - 1):
                try:
                    return self._once(work, options)
                except DBAPIError as error:
                    if not is_passing(error):
                        raise
            return self._once(work, options)

    def _once(self, work: Callable[[Transaction], T], options: dict[str, str]) -> T:
        with self.engine.connect() as conn:
            conn.execution_options(**options)
            with conn.begin():
                return work(Transaction(conn, self._clock))

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


_SYNCHRONOUS = "afresh_synchronous"


class ReadingDatabase(Database):
    """A database that was opened for reading only."""

    def write(self, work: Callable[[Transaction], T]) -> T:  # noqa: ARG002 - the base class's signature
        """Refuse."""
        raise StateUnavailableError("the state database was opened for reading only", where=self.place)

    write_durably = write


def postgres_engine(url: URL) -> Engine:
    """An engine for a PostgreSQL server; nothing is connected yet. Raises ``ImportError`` without the driver."""
    # A connection that the server closed meanwhile is noticed and replaced before it is used.
    return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=20)


def sqlite_engine(path: Path, *, mode: str) -> Engine:
    """An engine for a file. ``mode``: SQLite's ``rwc``, ``rw``, or ``ro&immutable=1`` for a disk nobody can write to."""
    uri = f"{path.as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # Without an isolation level Python leaves BEGIN to us; connections move between threads, one at a time.
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_SECONDS)

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=5, max_overflow=60)
    _explicit_begin(engine)
    return engine


def memory_engine() -> Engine:
    """An engine for a database that lives and dies with this object."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False),
        poolclass=StaticPool,
    )
    _explicit_begin(engine)
    return engine


def _explicit_begin(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        # A commit in WAL mode survives the death of the process as it is; FULL makes it survive that of the machine,
        # and costs a wait for the disk.
        options = conn.get_execution_options()
        wanted = options.get(_SYNCHRONOUS, "NORMAL")
        if conn.info.get(_SYNCHRONOUS) != wanted:
            conn.exec_driver_sql(f"PRAGMA synchronous = {wanted}")
            conn.info[_SYNCHRONOUS] = wanted
        conn.exec_driver_sql(options.get(_HOW_TO_BEGIN, "BEGIN IMMEDIATE"))


@contextmanager
def outside_transactions(database: Database) -> Iterator[DBAPICursor]:
    """A bare cursor of the driver, for what cannot be said in a transaction."""
    with translated(database.place), closing(database.engine.raw_connection()) as conn, closing(conn.cursor()) as cursor:
        yield cursor


def chunks(items: Sequence[T], *, values: int = 1) -> Iterator[Sequence[T]]:
    """``items`` in pieces that fit one IN list, where each item brings this many values."""
    size = CHUNK // values
    return (items[start : start + size] for start in range(0, len(items), size))
