"""Dropping what is recorded: of relations that somebody names, of relations that no run comes to any more, and of the past.

Nothing that the safety of others rests on goes: live leases and the terms of all, builds that were announced and have not ended,
runs at work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from afresh.core.relation import TraceKey
from afresh.store import blobs, decisions, durations, events, leases, marks, memos, runs, traces
from afresh.store.instants import micros
from afresh.store.schema import MARKS, TRACES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.core.lease import Held
    from afresh.store.engine import Transaction


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much was dropped, or would be."""

    relations: tuple[TraceKey, ...]
    """Relations and tests to which no run came."""
    runs: int
    decisions: int


def forget(tx: Transaction, keys: Sequence[TraceKey], by: str, why: str) -> Mapping[TraceKey, Held]:
    """Drop the traces of these keys and what stands against them; if any of them is held, nothing, and say by whom.

    ``by``: who it was stands against the keys until the next build, with ``why``; empty: nothing stands against them.
    """
    # In this order: what is written after this moment may be newer than a build that begins after the leases were looked at.
    until = marks.newest(tx)
    held = leases.holders(tx, keys)
    if not held:
        _forget(tx, keys, until)
        if by:
            marks.invalidate(tx, keys, by, why)
    return held


def prune(tx: Transaction, before: int) -> Pruned:
    """Drop runs, verdicts, events and memos from before ``before``, and the traces of relations to which no run came since."""
    until = marks.newest(tx)
    found = look(tx, before)
    _forget(tx, found.relations, until)
    for family in (marks, decisions, runs, events, memos):
        family.prune(tx, before)
    blobs.collect(tx)
    return found


def look(tx: Transaction, before: int) -> Pruned:
    """What :func:`prune` would drop."""
    return Pruned(_idle(tx, before), runs.count_old(tx, before), decisions.count_old(tx, before))


def _forget(tx: Transaction, keys: Sequence[TraceKey], until: int) -> None:
    traces.forget(tx, keys)
    marks.forget(tx, keys, until)
    durations.forget(tx, keys)


def _idle(tx: Transaction, before: int) -> tuple[TraceKey, ...]:
    """The keys to which no run came since ``before``, and of which nobody may still write anything."""
    came = dict(decisions.last_at(tx))
    for row in tx.conn.execute(select(MARKS.c.key, MARKS.c.at).where(MARKS.c.state != marks.SUPERSEDED)):
        came[TraceKey(row.key)] = max(row.at, came.get(TraceKey(row.key), 0))
    built = map(TraceKey, tx.conn.execute(select(TRACES.c.key)).scalars())
    old = [key for key in dict.fromkeys([*came, *built]) if came.get(key, 0) < before]
    seen = traces.snapshot(tx, old)
    young = {key for key, trace in seen.traces.items() if micros(trace.finished_at) >= before}
    busy = young | set(seen.held) | marks.open_keys(tx)
    return tuple(sorted(key for key in old if key not in busy and (key in seen.traces or key in seen.marks)))
