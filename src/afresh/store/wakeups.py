"""Waiting until a lease is given back: woken by the database where it can, else after a pause.

A message may get lost, so nobody may rely on one: whoever waits looks by itself after a while.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afresh.store.engine import Database

CHANNEL = "afresh_leases"
"""PostgreSQL's name for what is told whenever a lease is given back."""

_SECONDS_BETWEEN_TRIES = 1.0
"""How long after a lost or failed connection another one is made."""


class Released(Protocol):
    """Leases that are given back."""

    def wait(self, seconds: float) -> None:
        """Return when some lease was given back, and after so many seconds in any case."""


class _Sleep:
    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class _Listen:
    """A connection of its own to the server. While there is none, and where one would hear nothing, waiting is a pause."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Any = None
        self._next_try = 0.0
        self._is_deaf = False

    def wait(self, seconds: float) -> None:
        import psycopg

        if self._connection is None and not self._is_deaf and time.monotonic() >= self._next_try:
            self.connect()
        if self._connection is None:
            time.sleep(seconds)
            return
        try:
            for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                return
        except psycopg.Error:  # the server went away: whoever waits asks it, and is told so
            self.close()
            time.sleep(seconds)

    def connect(self) -> None:
        """Begin to listen, if the server is there; :meth:`wait` tries again."""
        import psycopg

        self._next_try = time.monotonic() + _SECONDS_BETWEEN_TRIES
        try:
            self._connection = _own_connection(self._database)
            self._is_deaf = not _is_heard(self._connection)
            if self._is_deaf:
                self.close()
            else:
                self._connection.execute(f"LISTEN {CHANNEL}")
        except (SQLAlchemyError, psycopg.Error):
            self.close()

    def close(self) -> None:
        """End listening."""
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None


def _own_connection(database: Database) -> Any:  # noqa: ANN401 - psycopg is an extra
    pooled = database.engine.raw_connection()
    connection: Any = pooled.driver_connection
    pooled.detach()
    connection.autocommit = True
    return connection


def _is_heard(connection: Any) -> bool:  # noqa: ANN401 - psycopg is an extra
    """Whether the server's messages come through. A pooler answers for many sessions and names none of them when one connects."""
    return bool(connection.info.backend_pid == connection.execute("SELECT pg_backend_pid()").fetchone()[0])


@contextmanager
def released_leases(database: Database) -> Iterator[Released]:
    """What to wait with. Where the server cannot be listened to (a pooler in between, say), it is a pause."""
    if database.is_sqlite:
        yield _Sleep()
        return
    listening = _Listen(database)
    listening.connect()
    try:
        yield listening
    finally:
        listening.close()
