"""How long the last complete builds of a key took: what a reuse saves, and what a plan estimates."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, text

from afresh.core.relation import TraceKey
from afresh.store.engine import chunks
from afresh.store.schema import DURATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from afresh.store.engine import Transaction

KEPT = 20
"""How many builds of a key are remembered."""

_OF_KEYS = select(DURATIONS).where(DURATIONS.c.key.in_(bindparam("keys", expanding=True)))
_PUT = text(
    """
    INSERT INTO afresh_durations (key, seconds) VALUES (:key, :seconds)
    ON CONFLICT (key) DO UPDATE SET seconds = excluded.seconds
    """
)


def remember(tx: Transaction, took: Mapping[TraceKey, float]) -> None:
    """Add the duration, in seconds, of one more complete build of each key."""
    for some in chunks(list(took)):
        known = {row.key: json.loads(row.seconds) for row in tx.conn.execute(_OF_KEYS, {"keys": some})}
        newest = {key: [*known.get(key, ()), round(took[key], 3)][-KEPT:] for key in some}
        tx.conn.execute(_PUT, [{"key": key, "seconds": json.dumps(newest[key], separators=(",", ":"))} for key in some])


def medians(tx: Transaction, keys: Iterable[TraceKey]) -> Mapping[TraceKey, float]:
    """The median duration of each key that was ever built, in seconds."""
    found: dict[TraceKey, float] = {}
    for some in chunks(list(keys)):
        known = select(DURATIONS.c.key, DURATIONS.c.seconds).where(DURATIONS.c.key.in_(some))
        found.update({TraceKey(row.key): median(json.loads(row.seconds)) for row in tx.conn.execute(known)})
    return found


def forget(tx: Transaction, keys: Sequence[TraceKey]) -> None:
    """Drop what is known of these keys."""
    for some in chunks(keys):
        tx.conn.execute(delete(DURATIONS).where(DURATIONS.c.key.in_(some)))
