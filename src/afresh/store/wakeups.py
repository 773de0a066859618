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


class Released(Protocol):
    """Leases that are given back."""

    def wait(self, seconds: float) -> None:
        """Return when some lease was given back, and after so many seconds in any case."""


class _Sleep:
    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class _Listen:
    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - psycopg is an extra
        self._connection = connection

    def wait(self, seconds: float) -> None:
        import psycopg

        try:
            for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                return
        except psycopg.Error:  # the server went away: whoever waits asks it, and is told so
            time.sleep(seconds)


def _listening(database: Database) -> Any:  # noqa: ANN401 - psycopg is an extra
    import psycopg

    try:
        pooled = database.engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        connection.rollback()
        connection.autocommit = True
        connection.execute(f"LISTEN {CHANNEL}")
    except (SQLAlchemyError, psycopg.Error):
        return None
    return connection


@contextmanager
def released_leases(database: Database) -> Iterator[Released]:
    """What to wait with. Where the server cannot be listened to (a pooler in between, say), it is a pause."""
    if database.is_sqlite:
        yield _Sleep()
        return
    connection = _listening(database)
    if connection is None:
        yield _Sleep()
        return
    try:
        yield _Listen(connection)
    finally:
        with suppress(Exception):
            connection.close()
