"""Results of tests on their way into the state, several at a time.

A test takes no lease and writes nothing that others wait for, so its trace may be written a moment later. What a crash
loses of them is run again.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from afresh.core.trace import Trace
    from afresh.orchestration.code_types import CodeRecord
    from afresh.store import StateStore

_MANY = 40
_LONG = 0.5


class TestResults:
    """Gathers results and writes them together: when there are many, when one has waited for long, and at the end."""

    __test__ = False

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._waiting: list[tuple[Trace, str, bytes]] = []
        self._since = 0.0
        self._lock = threading.Lock()

    def add(self, trace: Trace, record: CodeRecord) -> None:
        """Take in one result. Raises :class:`StateUnavailableError` if results are due and cannot be written."""
        with self._lock:
            self._since = self._since if self._waiting else time.monotonic()
            self._waiting.append((trace, record.compiled, record.depfile))
            is_due = len(self._waiting) >= _MANY or time.monotonic() - self._since >= _LONG
        if is_due:
            self.write()

    def write(self) -> None:
        """Write what waits. Raises :class:`StateUnavailableError` if that is not possible; it waits on then."""
        with self._lock:
            taken, self._waiting = self._waiting, []
        try:
            self._store.record_tests(taken)
        except BaseException:
            with self._lock:
                self._waiting = [*taken, *self._waiting]
            raise
