"""Waiting for a database file that another program has open, where the adapter's own library would give up at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dbt_common.exceptions import DbtDatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

_REFUSED = "Could not set lock on file"
"""DuckDB's words, to readers too: it lets one process at a time have a file."""
_PAUSE = 0.2


def wait_for_files(adapter: Any, *, limit: timedelta, say: Callable[[str], None]) -> None:
    """From now on the adapter waits, at most ``limit``, for files that others have open. ``say`` is told who has them."""
    manager = adapter.connections
    opening = type(manager).open
    deadline = time.monotonic() + limit.total_seconds()

    def open_when_free(connection: Any) -> Any:
        while True:
            try:
                return opening(connection)
            except Exception as error:
                if _REFUSED not in str(error):
                    raise
                told = str(error).strip().splitlines()[0]
                if time.monotonic() >= deadline:
                    raise DbtDatabaseError(told) from error
                say(told)
            time.sleep(_PAUSE)

    manager.open = open_when_free
