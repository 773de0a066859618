"""Nodes that wait for another run, without a thread each (semantics §5).

A node whose lease is held elsewhere leaves its thread and enters the waiting room. One thread watches all the keys that
are waited for, and lets a node come again when its key is free, its time is up, or the run ends. Nothing is promised to
a node that comes again: it looks at everything anew, and may have to wait once more.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from afresh.errors import StateUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from afresh.core.node import NodeId
    from afresh.orchestration.outcome import Wait
    from afresh.store import StateStore

_LONGEST_PAUSE = 0.2
"""Seconds between two looks, where no message says that a lease was given back (or the message is lost)."""


class WaitingRoom:
    """Watches the leases of other runs for the nodes that wait for them."""

    def __init__(self, store: StateStore, come_again: Callable[[NodeId], None]) -> None:
        self._store = store
        self._come_again = come_again
        self._waiters: dict[NodeId, Wait] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def enter(self, waiter: Wait) -> None:
        """Wait; ``come_again`` is called once for it, on another thread."""
        with self._changed:
            self._waiters[waiter.node] = waiter
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="afresh-waiting", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def let_all_go(self) -> None:
        """Everybody comes again now."""
        self._let_go(tuple(self._waiters))

    def close(self) -> None:
        """The run ends: nobody comes again."""
        with self._changed:
            self._closed = True
            self._waiters.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        with self._store.released_leases() as released:
            while (waiters := self._wait_for_waiters()) is not None:
                free = self._free(waiters)
                self._let_go(free)
                if not free:
                    released.wait(self._pause(waiters))

    def _wait_for_waiters(self) -> tuple[Wait, ...] | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiters) or self._closed)
            return None if self._closed else tuple(self._waiters.values())

    def _free(self, waiters: Collection[Wait]) -> tuple[NodeId, ...]:
        try:
            held = self._store.holders({waiter.key for waiter in waiters})
        except StateUnavailableError:
            return tuple(waiter.node for waiter in waiters)  # each node says by itself what that means for it
        now = time.monotonic()
        return tuple(waiter.node for waiter in waiters if waiter.key not in held or now >= waiter.until)

    def _let_go(self, nodes: Collection[NodeId]) -> None:
        with self._changed:
            gone = [node for node in nodes if self._waiters.pop(node, None) is not None]
        for node in gone:
            self._come_again(node)

    def _pause(self, waiters: Collection[Wait]) -> float:
        left = min(waiter.until for waiter in waiters) - time.monotonic()
        return max(0.0, min(_LONGEST_PAUSE, left))
