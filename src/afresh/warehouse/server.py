"""The place of a server as credentials name it, in one spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "[::1]", "0.0.0.0", "localhost.localdomain"})  # noqa: S104 - names are compared, nothing binds


def host_and_port(credentials: Mapping[str, object], *, default_port: int | None = None) -> str | None:
    """``host:port`` in lower case, or ``None`` where the credentials name no host, or one that means another machine to everybody.

    ``localhost`` and socket paths are such: two people who share one state have each a server of that name.
    """
    host = str(credentials.get("host") or credentials.get("server") or "").strip().lower().rstrip(".")
    if not host or host in _LOCAL or host.startswith(("/", "@")):
        return None
    port = credentials.get("port") or default_port
    return host if port is None else f"{host}:{port}"
