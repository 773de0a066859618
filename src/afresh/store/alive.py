"""Which runs are at work: each says so while it is, and is believed for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, text

from afresh.store.instants import length
from afresh.store.schema import ALIVE, RUNS

if TYPE_CHECKING:
    from datetime import timedelta

    from afresh.store.engine import Transaction

_SAY = text("INSERT INTO afresh_alive (run_id, until) VALUES (:run_id, :until) ON CONFLICT (run_id) DO UPDATE SET until = excluded.until")
_DROP = delete(ALIVE).where((ALIVE.c.run_id == bindparam("of_run")) | (ALIVE.c.until <= bindparam("now")))
_AT_WORK = (
    select(RUNS.c.run_id)
    .join(ALIVE, ALIVE.c.run_id == RUNS.c.run_id)
    .where(ALIVE.c.until > bindparam("now"), RUNS.c.finished_at.is_(None))
    .order_by(RUNS.c.number)
)


def say(tx: Transaction, run_id: str, span: timedelta) -> None:
    """The run is at work, and will be for so long, as far as it knows."""
    tx.conn.execute(_SAY, {"run_id": run_id, "until": tx.now + length(span)})


def end(tx: Transaction, run_id: str) -> None:
    """The run is not at work any more; what others have not said for too long goes too."""
    tx.conn.execute(_DROP, {"of_run": run_id, "now": tx.now})


def at_work(tx: Transaction) -> tuple[str, ...]:
    """The ids of the runs that are at work, in the order in which they began."""
    return tuple(tx.conn.execute(_AT_WORK, {"now": tx.now}).scalars())
