"""Saying that a run is at work, for those who look at the state from outside. No decision depends on it."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from afresh.errors import AfreshError

if TYPE_CHECKING:
    from afresh.store import StateStore

BELIEVED = timedelta(seconds=30)
"""How long a run that went silent counts as being at work."""
_TIMES = 3
_LONGEST_END = 1.0
"""Seconds that the end of a run waits for a message that is on its way."""


class Heartbeat:
    """Repeats in the background what a run said when it was begun, until it is stopped."""

    def __init__(self, store: StateStore, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="afresh-heartbeat", daemon=True)

    def start(self) -> None:
        """From now on."""
        self._thread.start()

    def stop(self) -> None:
        """Say no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_LONGEST_END)

    def _repeat(self) -> None:
        while not self._stop.wait(BELIEVED.total_seconds() / _TIMES):
            with suppress(AfreshError):  # the next round tries again
                self._store.say_alive(self._run_id, BELIEVED)
