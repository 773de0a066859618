"""Opening a store: find it, make or migrate it under a lock, or say in one message why not."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING

from sqlalchemy import insert, inspect, select
from typing_extensions import assert_never

from afresh.errors import StateUnavailableError, UsageError
from afresh.store import identity
from afresh.store.address import Address, PostgresServer, SqliteFile, parse_address
from afresh.store.engine import (
    BUSY_TIMEOUT_SECONDS,
    Database,
    ReadingDatabase,
    Transaction,
    memory_engine,
    outside_transactions,
    postgres_engine,
    sqlite_engine,
)
from afresh.store.patience import PATIENCE, Patience
from afresh.store.revisions import is_usable
from afresh.store.schema import HEAD, METADATA, VERSION
from afresh.store.statestore import StateStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from sqlalchemy.engine import Engine

    Clock = Callable[[], datetime] | None

_PAUSE = 0.02
_MIGRATING = 1
"""The purpose of the lock under which the schema is made or changed."""


def open_store(
    url: str, *, base: Path | None = None, read_only: bool = False, clock: Clock = None, patience: timedelta = PATIENCE
) -> StateStore:
    """Open the state at ``url``, making or migrating it as needed.

    A relative SQLite file is taken from ``base`` (default: the current folder); its folder is made too. ``read_only``
    makes and migrates nothing: where there is no state yet, the store that comes back is empty. ``clock`` stands in for
    the database's clock, in tests. ``patience`` is how long a database that goes away after it was opened is waited for.

    Raises:
        UsageError: the url is wrong, or the driver it needs is not installed.
        StateUnavailableError: the database cannot be opened, read or written, or belongs to a later Afresh.
    """
    address = parse_address(url, base)
    database = _open_to_read(address, clock) if read_only else _open_to_write(address, clock)
    database.patience = Patience(patience)
    return StateStore(database)


def awaits_migration(url: str, *, base: Path | None = None) -> str | None:
    """The schema of a state that this release must migrate before it can use it; ``None`` if there is nothing to do, or no state.

    Raises:
        UsageError: the url is wrong, or the driver it needs is not installed.
        StateUnavailableError: the database cannot be opened or read, or belongs to a later Afresh.
    """
    address = parse_address(url, base)
    if isinstance(address, SqliteFile):
        _check_file(address.path, os.R_OK)
        if not address.path.exists():
            return None
    database = ReadingDatabase(_engine(address, _reading_mode(address)), place=address.shown)
    try:
        version = database.read(_version)
    finally:
        database.close()
    if version is None or is_usable(version, HEAD):
        return None
    _refuse_newer(version, address.shown)
    return version


# --- to write ---------------------------------------------------------------------------------------------------------


def _open_to_write(address: Address, clock: Clock) -> Database:
    if isinstance(address, SqliteFile):
        _check_file(address.path, os.R_OK | os.W_OK)
        _make_folder(address.path.parent)
    database = Database(_engine(address, "rwc"), place=address.shown, clock=clock)
    try:
        if isinstance(address, SqliteFile):
            _switch_to_wal(database)
        _bring_up_to_date(database)
    except BaseException:
        database.close()
        raise
    return database


def _bring_up_to_date(database: Database) -> None:
    version = database.read(_version)
    if version is not None and is_usable(version, HEAD):
        return
    database.write(lambda tx: _make_or_migrate(tx, database.place))


def _make_or_migrate(tx: Transaction, place: str) -> None:
    """Make the schema, or migrate it up. Alone: whoever comes second finds it done."""
    tx.alone(_MIGRATING)
    version = _version(tx)
    if version is None:
        METADATA.create_all(tx.conn)
        tx.conn.execute(insert(VERSION).values(version_num=HEAD))
        identity.create(tx)
    elif not is_usable(version, HEAD):
        _refuse_newer(version, place)
        # Alembic is slow to import, and needed once per release.
        from afresh.store.migrating import upgrade

        upgrade(tx.conn)


def _version(tx: Transaction) -> str | None:
    if not inspect(tx.conn).has_table(VERSION.name):
        return None
    return tx.conn.execute(select(VERSION.c.version_num)).scalar_one_or_none()


def _refuse_newer(version: str, place: str) -> None:
    """What is not known here was made by a later release, and it does not say that this one may use it."""
    from afresh.store.migrating import revisions

    if version not in revisions():
        raise StateUnavailableError(
            f"the state database has schema {version}, and this version of Afresh knows schemas up to {HEAD}",
            where=place,
            hint="Upgrade Afresh to the version that the other jobs use.",
        )


def _switch_to_wal(database: Database) -> None:
    """Let readers and the writer work side by side; the file remembers it."""
    with outside_transactions(database) as cursor:
        deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
        while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                cursor.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:  # SQLite does not wait for this lock by itself
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)


# --- to read ----------------------------------------------------------------------------------------------------------


def _open_to_read(address: Address, clock: Clock) -> Database:
    if isinstance(address, SqliteFile):
        _check_file(address.path, os.R_OK)
        if not address.path.exists():
            return _empty(address, clock)
    database = ReadingDatabase(_engine(address, _reading_mode(address)), place=address.shown, clock=clock)
    try:
        version = database.read(_version)
        if version is not None and not is_usable(version, HEAD):
            _refuse_other(version, address.shown)
    except BaseException:
        database.close()
        raise
    if version is not None:
        return database
    database.close()
    return _empty(address, clock)


def _refuse_other(version: str, place: str) -> None:
    _refuse_newer(version, place)
    what = f"the state database has schema {version} and must be migrated to {HEAD} first"
    raise StateUnavailableError(what, where=place, hint="`afresh state migrate` does that, and so does any build.")


def _reading_mode(address: Address) -> str:
    """SQLite needs to write beside a file even to read it; on a disk where nobody can write, nobody can interfere either."""
    if isinstance(address, PostgresServer):
        return ""
    log = address.path.with_name(address.path.name + "-wal")
    if _may(address.path.parent, os.W_OK) or log.exists():
        return "rw" if _may(address.path, os.W_OK) else "ro"
    return "ro&immutable=1"


def _empty(address: Address, clock: Clock) -> Database:
    engine = memory_engine()
    METADATA.create_all(engine)
    return ReadingDatabase(engine, place=address.shown, clock=clock)


# --- both -------------------------------------------------------------------------------------------------------------


def _engine(address: Address, mode: str) -> Engine:
    if isinstance(address, SqliteFile):
        return sqlite_engine(address.path, mode=mode)
    if isinstance(address, PostgresServer):
        try:
            return postgres_engine(address.url)
        except ImportError as error:
            raise UsageError(
                f"the driver for PostgreSQL is not installed ({error})",
                where=address.shown,
                hint="Install it: pip install 'afresh[postgres]'",
            ) from error
    assert_never(address)


def _may(path: Path, access: int) -> bool:
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)


def _check_file(path: Path, access: int) -> None:
    """Say what is wrong with a file before SQLite says that something is."""
    if path.is_dir():
        raise StateUnavailableError(
            "the state file is a folder", where=str(path), hint="Name a file in state_url, for example state.db in that folder."
        )
    if path.exists() and not _may(path, access):
        how = "read and written" if access & os.W_OK else "read"
        raise StateUnavailableError(
            f"the state file cannot be {how} by this user",
            where=str(path),
            hint="Change its permissions, or point state_url to another place.",
        )


def _make_folder(folder: Path) -> None:
    """A folder that is made here keeps itself out of git: a checkout that brought back an old state would bring back old truths."""
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if is_new:
            (folder / ".gitignore").write_text("# Made by Afresh. What is in here belongs to this machine.\n*\n", encoding="utf-8")
    except OSError as error:
        raise StateUnavailableError(
            f"the folder of the state file cannot be made: {error.strerror or error}",
            where=str(folder),
            hint="Point state_url to a place that this user may write.",
        ) from error
    if not _may(folder, os.W_OK | os.X_OK):
        raise StateUnavailableError(
            "this user may not write into the folder of the state file",
            where=str(folder),
            hint="Change its permissions, or point state_url to another place.",
        )
