"""The address of the state database: which are understood, where a relative file is, and how one is shown without its password."""

from __future__ import annotations

import re
from pathlib import Path

STATE_URL_ALLOWED = "sqlite:///path/to/state.db or postgresql://user@host/database"

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_SQLITE = frozenset({"sqlite", "sqlite+pysqlite"})
_POSTGRES = frozenset({"postgresql", "postgresql+psycopg", "postgres"})
_PASSWORD = re.compile(r"(://[^/:@]*:).*@", re.DOTALL)
_PASSWORD_PARAMETER = re.compile(r"([?&][^=&]*pass[^=&]*=)[^&]*", re.IGNORECASE)


def redacted(url: str) -> str:
    """``url`` as it may be shown: without its password. Text that is no URL at all may be a secret and is not shown."""
    if _SCHEME.match(url) is None:
        return "(not a URL, not shown)"
    return _PASSWORD_PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1***@", url))


def is_sqlite(url: str) -> bool:
    """Whether the state is one file on this machine, and not shared with others."""
    scheme = _SCHEME.match(url)
    return scheme is not None and scheme[1].lower() in _SQLITE


def checked_state_url(text: str) -> str:
    """The address with its scheme as SQLAlchemy spells it; a relative file stays relative.

    Raises:
        ValueError: not an address of a kind of database that can hold the state; the message says why, without a password.
    """
    scheme = _SCHEME.match(text)
    name = "" if scheme is None else scheme[1].lower()
    rest = "" if scheme is None else text[scheme.end() :]
    if name in _SQLITE:
        return f"{name}://{_checked_file(rest)}"
    if name in _POSTGRES:
        if not rest.strip("/"):
            raise ValueError("the address names neither host nor database")
        return f"{'postgresql' if name == 'postgres' else name}://{rest}"
    raise ValueError(f"state cannot be kept in {redacted(text)}")


def located(url: str, project_dir: Path) -> str:
    """A checked address in which the file of SQLite is absolute: relative to the project, wherever the command runs.

    Raises:
        ValueError: the folder has a name that cannot stand in such an address.
    """
    if not is_sqlite(url):
        return url
    scheme, _, rest = url.partition("://")
    path, mark, query = rest.removeprefix("/").partition("?")
    file = (project_dir / Path(path).expanduser()).resolve()
    if "?" in str(file):
        raise ValueError("a folder with a question mark in its name cannot hold the state database")
    return f"{scheme}:///{file}{mark}{query}"


def _checked_file(rest: str) -> str:
    path = rest.removeprefix("/").partition("?")[0]
    if not rest.startswith("/") and rest:
        raise ValueError("a SQLite address has three slashes before a relative file and four before an absolute one")
    if path in ("", ":memory:"):
        raise ValueError("a state database in memory would forget everything when the run ends")
    try:
        Path(path).expanduser()
    except RuntimeError:
        raise ValueError("the home folder that `~` stands for is not known") from None
    return rest
