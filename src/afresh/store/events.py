"""What happened in runs, for live pages: a table that keeps its last rows only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from afresh.store.instants import instant
from afresh.store.records import EventRecord
from afresh.store.schema import EVENTS

if TYPE_CHECKING:
    from afresh.store.engine import Transaction

KEPT = 10_000
"""How many events are kept in all."""
_SWEEP_EVERY = 100


def record(tx: Transaction, run_id: str, kind: str, payload: str) -> None:
    """Write one event down, and now and then drop the oldest."""
    if tx.in_doubt and _is_last(tx, run_id, kind, payload):
        return
    done = tx.conn.execute(insert(EVENTS).values(run_id=run_id, at=tx.now, kind=kind, payload=payload))
    (number,) = done.inserted_primary_key or (0,)
    if number % _SWEEP_EVERY == 0:
        tx.conn.execute(delete(EVENTS).where(EVENTS.c.number <= number - KEPT))


def _is_last(tx: Transaction, run_id: str, kind: str, payload: str) -> bool:
    newest = select(EVENTS.c.kind, EVENTS.c.payload).where(EVENTS.c.run_id == run_id).order_by(EVENTS.c.number.desc()).limit(1)
    return tx.conn.execute(newest).one_or_none() == (kind, payload)


def since(tx: Transaction, after: int, run_id: str | None, limit: int) -> tuple[EventRecord, ...]:
    """The events after number ``after``, oldest first, of one run or of all."""
    newer = select(EVENTS).where(EVENTS.c.number > after).order_by(EVENTS.c.number).limit(limit)
    rows = tx.conn.execute(newer if run_id is None else newer.where(EVENTS.c.run_id == run_id))
    return tuple(EventRecord(row.number, row.run_id, instant(row.at), row.kind, row.payload) for row in rows)


def prune(tx: Transaction, before: int) -> None:
    """Drop events from before ``before``."""
    tx.conn.execute(delete(EVENTS).where(EVENTS.c.at < before))
