"""What came out of a run or of a plan, as the commands show it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.core import reason as why
from afresh.core.decision import Confidence, Reuse, Undetermined
from afresh.orchestration.given_settings import given_settings
from afresh.render.json import confidence_word, decision_word, last_build, reason_json, reason_view
from afresh.render.views import PlanRow, RunSummary
from afresh.store import DecisionRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from afresh.core.decision import Verdict
    from afresh.core.node import NodeId
    from afresh.core.trace import Trace
    from afresh.orchestration.journal import NodeDone
    from afresh.orchestration.run_session import RunSession
    from afresh.render.views import Assumed, LeaseLine, Schedule


@dataclass(frozen=True)
class RunReport:
    """The nodes of a run or of a plan, and the run's numbers (``None`` for a plan)."""

    run_id: str
    target: str
    rows: tuple[PlanRow, ...]
    summary: RunSummary | None = None
    now: datetime | None = None
    warnings: tuple[str, ...] = ()
    schedule: Schedule | None = None
    """Of a plan: how long it takes with the threads of the run."""
    leases: tuple[LeaseLine, ...] = ()
    """Of a plan: who holds the right to build one of its nodes at this moment."""
    what_if: Assumed | None = None


def about(verdict: Verdict, run_id: str) -> Mapping[str, object]:
    """What dbt's ``run_results.json`` tells of a node: ``adapter_response.afresh`` (interfaces, "What a run prints")."""
    codes = list(dict.fromkeys(reason.code for reason in verdict.reasons))
    return {"decision": decision_word(verdict), "confidence": confidence_word(verdict), "reasons": codes, "run_id": run_id}


def row_of(session: RunSession, node_id: NodeId, verdict: Verdict, trace: Trace | None) -> PlanRow:
    """A node and its verdict as the commands show it."""
    node = session.host.node(node_id)
    return PlanRow(
        unique_id=node.id,
        name=session.host.label(node_id),
        resource_type=node.resource_type.value,
        decision=decision_word(verdict),
        materialized=node.materialized,
        relation=session.host.relation_name(node_id),
        confidence=confidence_word(verdict),
        reasons=tuple(reason_view(reason) for reason in verdict.reasons),
        waiting_on=tuple(verdict.waiting_on) if isinstance(verdict, Undetermined) else (),
        due_at=next((reason.due_at for reason in verdict.reasons if isinstance(reason, why.TooSoon)), None),
        lag_bound_seconds=session.lag_bound(node_id),
        last_build=last_build(trace),
    )


def row_of_done(session: RunSession, done: NodeDone) -> PlanRow:
    """A node as the run left it."""
    trace = done.decision.trace if isinstance(done.decision, Reuse) else None
    row = row_of(session, done.node, done.decision, trace)
    return replace(row, status=done.status, execution_time=done.seconds)  # type: ignore[arg-type]


def summary_of(session: RunSession) -> RunSummary:
    """The run in numbers."""
    tally = session.tally
    return RunSummary(
        built=tally.built(),
        reused_verified=tally.reused(Confidence.VERIFIED),
        reused_tolerated=tally.reused(Confidence.TOLERATED),
        failed=tally.failed(),
        skipped=tally.skipped(),
        saved_seconds=session.saved_seconds(),
        deciding_seconds=tally.deciding_seconds,
    )


def report_of_run(session: RunSession) -> RunReport:
    """Everything that a run did."""
    rows = tuple(row_of_done(session, done) for done in session.tally.done)
    return RunReport(session.settings.run_id, session.settings.target, rows, summary_of(session), session.settings.scheduled_at)


def decision_row(session: RunSession, done: NodeDone) -> DecisionRow:
    """A decision as the state remembers it."""
    row, node = row_of_done(session, done), session.host.node(done.node)
    reasons = [reason_json(reason) for reason in row.reasons]
    if done.sql is not None:
        for reason in reasons:
            if reason["code"] == why.CodeChanged.code:
                reason["evidence"] = {**reason["evidence"], "sql": {"recorded": done.sql.recorded, "observed": done.sql.observed}}
    return DecisionRow(
        node=node.id,
        key=node.key,
        resource_type=row.resource_type,
        materialized=row.materialized,
        relation=row.relation or "",
        decision=row.decision,
        confidence=row.confidence,
        reasons=json.dumps(reasons, ensure_ascii=False, sort_keys=True),
        due_at=row.due_at,
        lag_bound_seconds=row.lag_bound_seconds,
        status=done.status,
        execution_time=done.seconds,
        policy=given_settings(session.host.settings(node.id)),
        waited_seconds=round(session.tally.waited.get(node.id, 0.0), 3),
    )
