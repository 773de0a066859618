"""What a database's error means to a user: the one place where foreign exceptions become ours."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError

from afresh.errors import AfreshError, InternalError, StateUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAMAGED = (
    "the file is damaged or is not a state database",
    (
        "If it was the state, move it away: the next run makes a new one, and every node is then built once. "
        "If it is another file, such as the warehouse's, let state_url name a file of its own."
    ),
)
# SQLite says what is wrong in its message alone (its error codes are there from Python 3.11 on).
_SQLITE: tuple[tuple[str, tuple[str, str]], ...] = (
    ("not a database", _DAMAGED),
    ("file is encrypted", _DAMAGED),
    ("malformed", _DAMAGED),
    ("database or disk is full", ("no space is left for the state database", "Free some space on that disk, then run again.")),
    (
        "readonly database",
        ("the state database is read-only", "Make the file and its folder writable, or point state_url to another place."),
    ),
    (
        "unable to open database file",
        ("the state database cannot be opened", "Check that the folder exists and that this user may write into it."),
    ),
    (
        "disk i/o error",
        ("the disk of the state database fails", "Check the disk; SQLite's state file must be on a local one, not on a network share."),
    ),
    (
        "locked",
        (
            "another process keeps the state database locked",
            "Find the process that has the file open; each of ours holds it for milliseconds.",
        ),
    ),
)
_POSTGRES: dict[str, tuple[str, str]] = {
    "28P01": ("the server refuses the password", "Check the user and the password of state_url."),
    "28000": ("the server refuses this user", "Check the user of state_url and the server's pg_hba.conf."),
    "3D000": ("the database does not exist", "Create it (createdb), or correct the name in state_url."),
    "3F000": ("no schema to create the tables in", "Give the user a schema on its search_path."),
    "42501": ("this user may not create or use the state tables", "Grant the user CREATE and USAGE on the schema."),
    "53100": ("no space is left for the state database", "Free some space on the server's disk, then run again."),
    "53300": ("the server has no free connection", "Raise max_connections, or run fewer jobs at once."),
    "25006": ("the server accepts no writes", "Point state_url to the primary server."),
}
_UNREACHABLE_HINT = "Check that the server runs and that host, port and database in state_url are right."
# Another try, from the start of the transaction, may simply work: deadlock, serialisation, lock not available.
_CONFLICTS = frozenset({"40001", "40P01", "55P03"})
# The server ends the session, goes down, is on its way up, or has no connection left just now.
_OUTAGES = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "53300"})
# What a server (or a pooler) says once and for all to whoever wants to connect; the driver gives no code for it.
_REFUSALS = (
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "could not translate host name",
    "failed to resolve host",
    "unsupported startup parameter",
    "no password supplied",
)
_CONNECTING: tuple[tuple[str, tuple[str, str]], ...] = (
    (
        "unsupported startup parameter",
        (
            "the pooler in front of the state database refuses a parameter of state_url",
            "Leave `options` out of state_url; a search_path can be set for the role (ALTER ROLE … SET search_path).",
        ),
    ),
)


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn whatever the database raises inside into one clear error that names ``place``.

    Raises:
        StateUnavailableError: the database cannot be used.
        InternalError: the database is fine and what we sent was wrong.
    """
    try:
        yield
    except AfreshError:
        raise
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise fault(error, place) from error


def fault(error: Exception, place: str) -> AfreshError:
    """The error to raise instead of ``error``."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = _first_line(original)
    if isinstance(error, IntegrityError | DataError):
        return InternalError(f"the state database refused a value: {text}", where=place, hint="Please report this.")
    known = _POSTGRES.get(getattr(original, "sqlstate", None) or "") or _by_message(text)
    if known is not None:
        return StateUnavailableError(known[0], where=place, hint=known[1])
    return StateUnavailableError(f"the state database cannot be used: {text}", where=place, hint=_hint(place))


def is_conflict(error: DBAPIError) -> bool:
    """Whether other transactions were in the way, and the same one may succeed when it is tried again."""
    state = getattr(error.orig, "sqlstate", None)
    return state in _CONFLICTS or (isinstance(error.orig, sqlite3.Error) and "database is locked" in str(error.orig))


def is_outage(error: DBAPIError) -> bool:
    """Whether the server did not answer or sent us away, as it does when it is restarted: it may be back in a moment."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _OUTAGES or state.startswith("08")
    if isinstance(error.orig, sqlite3.Error) or not isinstance(error, OperationalError | InterfaceError):
        return False
    lowered = str(error.orig).lower()
    return not any(needle in lowered for needle in _REFUSALS)


def _by_message(text: str) -> tuple[str, str] | None:
    lowered = text.lower()
    return next((known for needle, known in (*_SQLITE, *_CONNECTING) if needle in lowered), None)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


def _hint(place: str) -> str | None:
    return _UNREACHABLE_HINT if "://" in place else None
