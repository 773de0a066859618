"""One consistent view of the shared state, as a decision needs it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from afresh.store import Head

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from afresh.core.lease import Held
    from afresh.core.relation import TraceKey
    from afresh.core.trace import AttemptProblem, Invalidation, Trace
    from afresh.store import Snapshot, StateStore

NOTHING = Head()
"""Of a key about which nothing is known."""


class Picture:
    """A snapshot of the state, made larger on demand for keys that nobody foresaw.

    A key that is read later is read later: the answer is never older than the snapshot, and a trace that is newer
    only makes an input look newer, which builds.
    """

    def __init__(self, store: StateStore, keys: Iterable[TraceKey]) -> None:
        self._store = store
        self._known = set(keys)
        self._asked_at = time.monotonic()
        self._snapshots: list[Snapshot] = [store.snapshot(self._known)]
        self._ours: dict[TraceKey, Trace] = {}

    @property
    def now(self) -> datetime:
        """The state database's clock at the moment of the snapshot."""
        return self._snapshots[0].now

    def clock(self) -> datetime:
        """The state database's clock at this moment, as far as this machine can tell without asking: never too early."""
        return self.now + timedelta(seconds=time.monotonic() - self._asked_at)

    def foresee(self, keys: Iterable[TraceKey]) -> None:
        """Read these keys as well, in one go, unless they are here already."""
        more = set(keys) - self._known
        if more:
            self._known |= more
            self._snapshots.append(self._store.snapshot(more))

    def add(self, trace: Trace) -> None:
        """Take in a trace that this run has just written: newer than the snapshot, and never newer than what is read next."""
        self._ours[trace.key] = trace

    def take_back(self, trace: Trace) -> None:
        """Forget a trace that was taken in and not written after all."""
        self._ours.pop(trace.key, None)

    def trace(self, key: TraceKey) -> Trace | None:
        """What the last complete build of a relation recorded."""
        if key in self._ours:
            return self._ours[key]
        self.foresee((key,))
        return next((found for snap in self._snapshots if (found := snap.traces.get(key))), None)

    def attempt(self, key: TraceKey) -> AttemptProblem | None:
        """What went wrong with the newest attempt, if it did not end in the trace."""
        if key in self._ours:
            return None
        self.foresee((key,))
        return next((found for snap in self._snapshots if (found := snap.attempts.get(key))), None)

    def cut_off(self, key: TraceKey) -> frozenset[str]:
        """The runs that announced a build of a relation, lost its lease, and were not heard of since."""
        if key in self._ours:
            return frozenset()
        self.foresee((key,))
        return next((found for snap in self._snapshots if (found := snap.cut_off.get(key))), frozenset())

    def held(self, key: TraceKey) -> Held | None:
        """Who holds the right to build a relation at this moment."""
        self.foresee((key,))
        return next((found for snap in self._snapshots if (found := snap.held.get(key))), None)

    def builder(self, key: TraceKey) -> Held | None:
        """Who may be writing a relation at this moment. A holder who still decides has not sent anything yet."""
        if key in self._ours:
            return None  # whoever was writing before us has ended or lost its lease to us
        held = self.held(key)
        return held if any(key in snap.building for snap in self._snapshots) else None

    def invalidation(self, key: TraceKey) -> Invalidation | None:
        """Who made a relation due by hand."""
        if key in self._ours:
            return None
        self.foresee((key,))
        return next((found for snap in self._snapshots if (found := snap.invalidations.get(key))), None)

    def heads(self, keys: Iterable[TraceKey]) -> Mapping[TraceKey, Head]:
        """All that was seen of these keys, in short: what this run has written since counts as seen."""
        wanted = tuple(keys)
        self.foresee(wanted)
        return {key: self._head(key) for key in wanted}

    def _head(self, key: TraceKey) -> Head:
        if key in self._ours:
            return Head(self._ours[key].build_id)
        return next((head for snap in self._snapshots if (head := snap.head(key)) != NOTHING), NOTHING)

    def holders(self) -> tuple[Held, ...]:
        """Every live lease that has been read so far."""
        return tuple(held for snap in self._snapshots for held in snap.held.values())

    @property
    def keys(self) -> frozenset[TraceKey]:
        """Every key that has been read so far."""
        return frozenset(self._known)

    def traces(self) -> tuple[Trace, ...]:
        """Every trace that has been read so far."""
        return tuple(trace for snap in self._snapshots for trace in snap.traces.values())
