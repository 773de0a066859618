"""Bringing together what the state holds of what goes on and of how things stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from afresh.cli.explaining import plan_row, without_texts
from afresh.core.decide import causes_of_attempt
from afresh.core.reason import Invalidated
from afresh.render.json import reason_view, reasons_from_json
from afresh.render.status import GONE, NodeLine, RunLine, Status, WaitLine
from afresh.render.views import LeaseLine, RunSummary
from afresh.store import RunStatus

if TYPE_CHECKING:
    from collections.abc import Container

    from afresh.core.lease import Held
    from afresh.core.relation import TraceKey
    from afresh.render.status import StateWord
    from afresh.render.views import ReasonView
    from afresh.store import DecisionRecord, Overview, Run, Snapshot, StateStore, Waiting

_FAILED = frozenset({"last_build_failed"})


def status_of(store: StateStore) -> Status:
    """Look once."""
    seen = store.overview()
    waiting = {wait.event.subject for wait in seen.waits}
    at_work = {run.record.run_id for run in seen.at_work}
    return Status(
        place=store.place,
        now=seen.now.astimezone(),
        at_work=tuple(run_line(run, is_at_work=True) for run in seen.at_work),
        ended=tuple(run_line(run, is_at_work=False) for run in seen.last if run.record.run_id not in at_work),
        leases=tuple(lease_line(held, seen.seen) for held in seen.held),
        waits=tuple(_wait(waiting) for waiting in seen.waits),
        nodes=tuple(sorted((_node(record, seen, waiting) for record in seen.decided), key=lambda node: (node.row.name, node.target or ""))),
    )


def run_line(run: Run, *, is_at_work: bool) -> RunLine:
    """A run; one that is not at work and never said how it ended is gone."""
    record, outcome = run.record, run.outcome
    line = RunLine(record.run_id, record.command, record.target, record.job, record.host, record.pid, run.started_at)
    if is_at_work:
        return line
    return replace(
        line,
        finished_at=run.finished_at,
        outcome=GONE if outcome.status is RunStatus.RUNNING else outcome.status.value,
        summary=RunSummary(
            built=outcome.built,
            reused_verified=outcome.reused_verified,
            reused_tolerated=outcome.reused_tolerated,
            cloned=outcome.cloned,
            failed=outcome.failed,
            skipped=outcome.skipped,
            saved_seconds=outcome.saved_seconds,
            deciding_seconds=outcome.deciding_seconds,
        ),
    )


def lease_line(held: Held, seen: Snapshot) -> LeaseLine:
    """Who holds a lease."""
    holder = held.holder
    is_building = held.key in seen.building
    return LeaseLine(holder.node, holder.run_id, holder.host, holder.pid, holder.job, held.since, held.expires_at, is_building)


def _wait(waiting: Waiting) -> WaitLine:
    event = waiting.event
    return WaitLine(event.subject, waiting.run_id, event.for_run, event.host, event.pid, event.job, waiting.since)


# --- nodes ------------------------------------------------------------------------------------------------------------


def _node(record: DecisionRecord, seen: Overview, waiting: Container[str]) -> NodeLine:
    row = record.row
    trace = None if row.key is None else seen.seen.traces.get(row.key)
    is_built_since = trace is not None and trace.started_at > record.last_at
    state, reasons = _standing(record, seen, waiting, is_built_since=is_built_since)
    return NodeLine(
        row=plan_row(record, reasons, trace),
        state=state,
        target=None if record.last_run is None else seen.targets.get(record.last_run),
    )


def _standing(
    record: DecisionRecord, seen: Overview, waiting: Container[str], *, is_built_since: bool
) -> tuple[StateWord, tuple[ReasonView, ...]]:
    """How a node stands: what goes on now says more than what stands against it, and that more than what was decided last."""
    row = record.row
    reasons = tuple(map(without_texts, reasons_from_json(row.reasons)))
    if row.key is not None and row.key in seen.seen.building:
        holder = seen.seen.held.get(row.key)
        return "building", reasons if holder is not None and holder.holder.run_id == record.last_run else ()
    if row.node in waiting:
        return "waiting", ()
    against = () if row.key is None else standing(row.key, seen.seen)
    if against:
        return ("failed" if against[0].code in _FAILED else "due"), against
    if is_built_since:
        return "current", ()
    if row.status in ("error", "skipped"):
        return ("failed" if row.status == "error" else "skipped"), reasons
    if row.confidence == "tolerated":
        return ("due" if row.due_at is not None and row.due_at <= seen.now else "tolerated"), reasons
    return "current", reasons


def standing(key: TraceKey, seen: Snapshot) -> tuple[ReasonView, ...]:
    """What stands against what was built: how the last attempt ended, and who made it due by hand."""
    invalidation, attempt = seen.invalidations.get(key), seen.attempts.get(key)
    causes = [
        *(() if attempt is None else causes_of_attempt(attempt)),
        *(() if invalidation is None else [Invalidated(invalidation.by, invalidation.at, invalidation.why)]),
    ]
    return tuple(reason_view(cause, seen.now.astimezone()) for cause in causes)
