"""What goes on at one moment, and how things stand, as far as the state holds it: for people who look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from afresh.core.event import WaitBegan, WaitEnded
from afresh.store import alive, decisions, leases, runs, traces
from afresh.store.codec import event_of_row
from afresh.store.engine import chunks
from afresh.store.instants import instant
from afresh.store.schema import EVENTS, RUNS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from afresh.core.lease import Held
    from afresh.store.engine import Transaction
    from afresh.store.records import DecisionRecord, Run, Snapshot


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody in a run that is at work waits since a moment."""

    run_id: str
    since: datetime
    event: WaitBegan


@dataclass(frozen=True, slots=True)
class Overview:
    """All of this at one moment, by the database's clock."""

    now: datetime
    at_work: tuple[Run, ...]
    """The runs that are at work, in the order in which they began."""
    held: tuple[Held, ...]
    waits: tuple[Waiting, ...]
    last: tuple[Run, ...]
    """The last runs, newest first."""
    decided: tuple[DecisionRecord, ...]
    """The last word on each node and key."""
    seen: Snapshot
    """What is known of the keys of these nodes and of the leases."""
    targets: Mapping[str, str]
    """The targets of the runs that came to these decisions."""


def overview(tx: Transaction, recent: int) -> Overview:
    """Look at everything at one moment."""
    at_work = [run for run_id in alive.at_work(tx) if (run := runs.one(tx, run_id)) is not None]
    decided = decisions.last(tx, None, run_id=None, limit=1, target=None)
    held = leases.held(tx)
    keys = [record.row.key for record in decided]
    return Overview(
        now=instant(tx.now),
        at_work=tuple(at_work),
        held=held,
        waits=_waits(tx, [run.record.run_id for run in at_work]),
        last=runs.newest(tx, recent),
        decided=decided,
        seen=traces.snapshot(tx, [*(key for key in keys if key is not None), *(one.key for one in held)]),
        targets=_targets(tx, {record.last_run for record in decided if record.last_run is not None}),
    )


def _waits(tx: Transaction, of_runs: Collection[str]) -> tuple[Waiting, ...]:
    """Waits that began and did not end; a run that is not at work waits for nothing."""
    found: dict[tuple[str, str], Waiting] = {}
    for some in chunks(list(of_runs)):
        for row in tx.conn.execute(select(EVENTS).where(EVENTS.c.run_id.in_(some)).order_by(EVENTS.c.number)):
            event = event_of_row(row.kind, row.payload)
            if isinstance(event, WaitBegan):
                before = found.get((row.run_id, event.subject))
                found[row.run_id, event.subject] = Waiting(row.run_id, instant(row.at) if before is None else before.since, event)
            elif isinstance(event, WaitEnded):
                found.pop((row.run_id, event.subject), None)
    return tuple(sorted(found.values(), key=lambda waiting: waiting.since))


def _targets(tx: Transaction, run_ids: Iterable[str]) -> Mapping[str, str]:
    wanted = select(RUNS.c.run_id, RUNS.c.target)
    return {row.run_id: row.target for some in chunks(sorted(run_ids)) for row in tx.conn.execute(wanted.where(RUNS.c.run_id.in_(some)))}
