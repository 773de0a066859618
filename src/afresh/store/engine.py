"""The database under the store: connections, transactions, clock, and every difference between SQLite and PostgreSQL.

Two kinds of transaction exist. A *reading* one sees one consistent state. A *writing* one is serialised where it must
be, is short, and is tried again when the database asks for that or went away. Nothing here knows what the tables mean.

Nothing outlives a transaction on the server's side, so a pooler may give each one another session: no prepared
statements, no session settings, no session locks.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import BigInteger, cast, create_engine, event, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from afresh.errors import StateUnavailableError
from afresh.store.faults import is_conflict, is_outage, translated
from afresh.store.instants import micros
from afresh.store.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPICursor

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = 10.0
"""How long SQLite waits by itself for another process's write to end; our writes take milliseconds."""
CHUNK = 900
"""How many values go into one IN list: SQLite before 3.32 takes 999 parameters."""

_HOW_TO_BEGIN = "afresh_begin"
_SQLITE_NOW = text("SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER) * 1000")
_POSTGRES_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)")
# A process that is stopped in the middle of a write holds locks that others wait for: the server ends its session after a while.
_ENDED_IF_IDLE = func.set_config("idle_in_transaction_session_timeout", "10s", True)  # noqa: FBT003 - PostgreSQL's function
_POSTGRES_NOW_WRITING = select(cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger), _ENDED_IF_IDLE)


class Transaction:
    """An open transaction.

    ``in_doubt``: it was sent before, and the answer to its commit was lost. Whatever it wrote may be there already.
    """

    def __init__(self, conn: Connection, clock: Callable[[], datetime] | None, *, writes: bool = True, in_doubt: bool = False) -> None:
        self.conn = conn
        self.in_doubt = in_doubt
        self._clock = clock
        self._writes = writes

    @cached_property
    def now(self) -> int:
        """The database's time when it was first asked for in this transaction.

        A transaction that waited since then judges by an older time than it could. That is safe: whoever it waited for
        has changed the term.
        """
        if self._clock is not None:
            return micros(self._clock())
        if self.is_sqlite:
            return int(self.conn.execute(_SQLITE_NOW).scalar_one())
        return int(self.conn.execute(_POSTGRES_NOW_WRITING if self._writes else _POSTGRES_NOW).one()[0])

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite, where every writer is alone."""
        return self.conn.dialect.name == "sqlite"

    def alone(self, purpose: int) -> None:
        """Wait until no other transaction is in here for the same purpose."""
        if not self.is_sqlite:
            self.conn.execute(select(_ENDED_IF_IDLE, func.pg_advisory_xact_lock(_ADVISORY_SPACE, purpose)))


_ADVISORY_SPACE = 0x0AF_2E58
"""First half of the two numbers of a PostgreSQL advisory lock, so that other programs' locks are not ours."""


class Database:
    """One engine, used by all threads of the process."""

    def __init__(
        self, engine: Engine, *, place: str, clock: Callable[[], datetime] | None = None, patience: Patience | None = None
    ) -> None:
        self.engine = engine
        self.place = place
        self.patience = patience or Patience()
        self._clock = clock
        self.is_sqlite = engine.dialect.name == "sqlite"
        # Threads of one process queue here, fairly and without delay, instead of polling SQLite's file lock.
        self._writer = threading.Lock() if self.is_sqlite else nullcontext()

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` on one consistent state; it may be called again if the database asks for it or went away."""
        return self._attempt(work, {"isolation_level": "REPEATABLE READ"} if not self.is_sqlite else {_HOW_TO_BEGIN: "BEGIN"}, writes=False)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` and commit, or change nothing; it may be called again if the database asks for it or went away.

        ``work`` must mean the same when it is called again in a transaction that is :attr:`Transaction.in_doubt`.
        """
        with self._writer:
            return self._attempt(work, {_HOW_TO_BEGIN: "BEGIN IMMEDIATE"}, writes=True)

    def write_durably(self, work: Callable[[Transaction], T]) -> T:
        """As :meth:`write`, and the change outlives a power cut: for what must be known before SQL is sent."""
        with self._writer:
            return self._attempt(work, {_HOW_TO_BEGIN: "BEGIN IMMEDIATE", _SYNCHRONOUS: "FULL"}, writes=True)

    def _attempt(self, work: Callable[[Transaction], T], options: dict[str, str], *, writes: bool) -> T:
        with translated(self.place):
            attempts, trial = self.patience.attempts(), _Trial(writes)
            while True:
                try:
                    result = self._once(work, options, trial)
                except DBAPIError as error:
                    trial.in_doubt = trial.in_doubt or (writes and trial.is_committing)
                    again = (
                        attempts.again_after_outage(error) if is_outage(error) else is_conflict(error) and attempts.again_after_conflict()
                    )
                    if not again:
                        raise
                else:
                    self.patience.reached()
                    return result

    def _once(self, work: Callable[[Transaction], T], options: dict[str, str], trial: _Trial) -> T:
        trial.is_committing = False
        with self.engine.connect() as conn:
            conn.execution_options(**options)
            try:
                with conn.begin():
                    result = work(Transaction(conn, self._clock, writes=trial.writes, in_doubt=trial.in_doubt))
                    trial.is_committing = True
                return result  # noqa: TRY300 - it stands after the commit
            except DBAPIError as error:
                if is_outage(error):
                    conn.invalidate()  # whatever the driver thinks of it
                raise

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


@dataclass
class _Trial:
    """What the attempts at one transaction know of each other."""

    writes: bool
    is_committing: bool = False
    in_doubt: bool = False


_SYNCHRONOUS = "afresh_synchronous"


class ReadingDatabase(Database):
    """A database that was opened for reading only."""

    def write(self, work: Callable[[Transaction], T]) -> T:  # noqa: ARG002 - the base class's signature
        """Refuse."""
        raise StateUnavailableError("the state database was opened for reading only", where=self.place)

    write_durably = write


def postgres_engine(url: URL) -> Engine:
    """An engine for a PostgreSQL server; nothing is connected yet. Raises ``ImportError`` without the driver."""
    from afresh.store.postgres_link import BoundedConnection

    given = {name: value for name, value in _CONNECTING.items() if name not in url.query}
    # A connection that the server closed meanwhile fails at its first statement, and the transaction is tried again on a new one.
    engine = create_engine(url, connect_args={"prepare_threshold": None, **given}, pool_size=5, max_overflow=20)
    event.listen(engine, "do_connect", lambda _dialect, _record, args, given: BoundedConnection.connect(*args, **given))
    return engine


_CONNECTING = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
"""How soon a host that is gone is noticed, as the driver's own parameters; the url may say otherwise."""


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
