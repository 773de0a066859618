"""Taking over from a run that died: what it left at work in the warehouse is ended before anything is built in its place."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from afresh.errors import OrphanedQueryError
from afresh.orchestration.readings import converse
from afresh.warehouse.fence import CannotTell, Gone, Left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from afresh.core.node import NodeId
    from afresh.orchestration.host import Host
    from afresh.warehouse.fence import Fence

_PATIENCE = timedelta(seconds=30)
_PAUSE = 0.1


class Fencing:
    """Ends what runs that died left behind, once for each of them.

    ``pause`` waits for some seconds and says whether this run is being ended meanwhile. What cannot be ended is waited for
    until ``limit``, and at most half a minute.
    """

    def __init__(self, host: Host, run_id: str, *, pause: Callable[[float], bool], limit: timedelta) -> None:
        self._host = host
        self._run_id = run_id
        self._pause = pause
        self._patience = min(limit, _PATIENCE).total_seconds()
        self._gone: set[str] = set()
        self._stayed: set[str] = set()
        self._lock = threading.Lock()

    def fence(self, node_id: NodeId, runs: Iterable[str]) -> None:
        """Before a node is built that these runs were building when they were last heard of.

        Raises:
            OrphanedQueryError: something of them is still at work.
        """
        dead = sorted(set(runs) - {self._run_id})
        for run in dead:
            with self._lock:  # who comes second waits until the first has seen it gone
                self._end(node_id, run)
        if dead:
            self._host.reread_relations(node_id)  # it may have written its last after dbt's cache was filled

    def _end(self, node_id: NodeId, run: str) -> None:
        if run in self._gone:
            return
        left = self._look(node_id, run)
        if left is not None:
            self._outlast(node_id, run, left)
            if left.sessions:
                self._host.say(f"fenced:{run}", f"run {run} is gone and had left its query behind: {_pids(left)} ended in the warehouse")
        self._gone.add(run)

    def _outlast(self, node_id: NodeId, run: str, left: Left) -> None:
        """Look again until it is gone; a run that was in vain before gets one look only."""
        deadline = time.monotonic() + (0.0 if run in self._stayed else self._patience)
        is_told = False
        still: Left | None = left
        while still is not None:
            if time.monotonic() >= deadline or self._pause(_PAUSE):
                self._stayed.add(run)
                raise OrphanedQueryError(_advice(run, still), run_id=run, detail=_detail(still))
            still = self._look(node_id, run)
            if still is not None and not is_told:
                is_told = True
                self._host.say_waiting(node_id, f"for run {run}, which is gone, to leave the warehouse ({_detail(still)})")

    def _look(self, node_id: NodeId, run: str) -> Left | None:
        found: Fence = converse(self._host.engine.fence(run), self._host)
        match found:
            case Left():
                return found
            case Gone():
                return None
            case CannotTell():
                self._host.say(f"fence:{run}", _cannot_tell(run, self._host.label(node_id), self._host.engine.adapter_type))
                return None


def _cannot_tell(run: str, label: str, adapter: str) -> str:
    return (
        f"run {run} died while it was building {label}; its query may still be at work in the warehouse, which Afresh cannot tell "
        f"on {adapter}, so this build may run beside it"
    )


def _pids(left: Left) -> str:
    return ", ".join(f"session {session.pid}" for session in left.sessions)


def _detail(left: Left) -> str:
    if left.error:
        return f"its sessions cannot be looked for: {left.error}"
    return ", ".join(
        f"session {session.pid} of {session.user or 'an unknown user'}" + (f": {session.refused}" if session.refused else "")
        for session in left.sessions
    )


def _advice(run: str, left: Left) -> str:
    hint = "; ".join(f"select pg_terminate_backend({session.pid})" for session in left.sessions)
    what = f"have them ended by a role that may ({hint}), or wait until they are done" if hint else "see that the warehouse answers"
    return (
        f"run {run} died while it was building this relation, and its query may still be at work in the warehouse ({_detail(left)}), "
        f"so nothing is built beside it: {what}, then run this again"
    )
