"""Where the state lives: a url, checked, and what may be shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from afresh.errors import UsageError

_EXAMPLES = "Use sqlite:///.afresh/state.db for a file, or postgresql://user@host/database for a server."
_WHERE = "state_url"
_POSTGRES_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A state file on this machine."""

    path: Path

    @property
    def shown(self) -> str:
        """The place, for people."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A database on a PostgreSQL server; ``url`` holds the password if there is one and must not be printed."""

    url: URL

    @property
    def shown(self) -> str:
        """The place, for people: no password, and no parameters, since those may hold one too."""
        url = self.url
        return URL.create("postgresql", url.username, None, url.host, url.port, url.database).render_as_string()

    def __repr__(self) -> str:
        return f"PostgresServer({self.shown!r})"


Address = SqliteFile | PostgresServer


def parse_address(url: str, base: Path | None = None) -> Address:
    """Read a state url; a relative file is taken from ``base`` (default: the current folder).

    Raises:
        UsageError: it is no url, or of a kind that is not supported. The url is not shown: it may hold a password.
    """
    if url.startswith("sqlite:"):
        return _file(url, base or Path.cwd())
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError("the state url cannot be read", where=_WHERE, hint=_EXAMPLES) from None
    if parsed.drivername in _POSTGRES_SCHEMES:
        return PostgresServer(parsed.set(drivername="postgresql+psycopg"))
    raise UsageError(f"the state cannot be kept in `{parsed.drivername}`", where=_WHERE, hint=_EXAMPLES)


def _file(url: str, base: Path) -> SqliteFile:
    """The path as it stands after ``sqlite:///``, which is how people write it: spaces and percent signs are themselves."""
    path = url.removeprefix("sqlite:///")
    if path == url and url.startswith("sqlite://") and url != "sqlite://":
        what = "a file's url has three slashes before a relative path and four before an absolute one"
        raise UsageError(what, where=_WHERE, hint=_EXAMPLES)
    if path in {url, "", ":memory:"}:
        raise UsageError("the state url names no file, and state that ends with the process is of no use", where=_WHERE, hint=_EXAMPLES)
    if "?" in path or "\0" in path:
        raise UsageError("the url of a state file takes no parameters", where=_WHERE, hint=_EXAMPLES)
    home = Path.home() if path.startswith("~/") else None
    return SqliteFile((base / path if home is None else home / path[2:]).absolute())
