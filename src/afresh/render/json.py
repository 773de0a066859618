"""The documented JSON of plans, explanations, status and summaries (interfaces, "JSON"), and of the reasons that the store keeps.

The shapes are a contract: keys are added, never renamed. ``schema.json`` beside this file is the same contract for machines.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from typing_extensions import NotRequired, assert_never

from afresh.core.decision import Build, Clone, Reuse, Skip, Undetermined, Verdict
from afresh.render.diff import unified
from afresh.render.evidence import evidence
from afresh.render.prospects import content_json, history_json, next_json
from afresh.render.sentences import sentence
from afresh.render.views import LastBuild, ReasonView
from afresh.render.words import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from afresh.core.reason import Reason
    from afresh.core.trace import Trace
    from afresh.render.views import Assumed, ConfidenceWord, DecisionWord, Estimate, Explanation, PlanRow, RunSummary

SCHEMA = 1
"""The number of the contract: it moves only if a reader of the old one would misread the new one."""

DocumentKind = Literal["plan", "run", "explain", "status", "state", "runs", "recommend", "check", "doctor"]


class ReasonJson(TypedDict):
    """One cause."""

    code: str
    text: str
    evidence: dict[str, Any]


class BuiltByJson(TypedDict):
    """The run, and the job if there was one, that built a relation."""

    run_id: str
    job: str | None


class NodeJson(TypedDict):
    """One node of a document."""

    unique_id: str
    relation: str | None
    resource_type: str
    materialized: str | None
    decision: str
    confidence: str | None
    reasons: list[ReasonJson]
    waiting_on: list[str]
    due_at: str | None
    lag_bound_seconds: int
    last_built_at: str | None
    last_built_by: BuiltByJson | None
    status: str | None
    execution_time: float
    estimated_seconds: float | None
    explanation: NotRequired[dict[str, Any]]


class SummaryJson(TypedDict):
    """What a run did, in numbers."""

    built: int
    reused: int
    verified: int
    tolerated: int
    cloned: int
    failed: int
    skipped: int
    saved_seconds: float | None
    deciding_seconds: float


class CriticalPathJson(TypedDict):
    """The chain of nodes that no number of threads makes shorter."""

    seconds: float
    nodes: list[str]


class EstimateJson(TypedDict):
    """How long what a plan builds takes: one node after another, and with the threads of the run."""

    seconds: float | None
    known: int
    nodes: int
    undetermined: int
    threads: int | None
    with_threads_seconds: float | None
    critical_path: CriticalPathJson | None


class DocumentJson(TypedDict):
    """The one object that every command prints with ``--output json``."""

    schema: int
    kind: str
    run_id: str | None
    target: str | None
    summary: SummaryJson | None
    estimate: EstimateJson | None
    nodes: list[NodeJson]


# --- reasons ----------------------------------------------------------------------------------------------------------


def reason_view(reason: Reason, now: datetime | None = None) -> ReasonView:
    """A cause with its sentence and its evidence; ``now`` makes the times in the sentence short and local."""
    return ReasonView(code=reason.code, text=sentence(reason, now), evidence=evidence(reason))


def reason_json(reason: ReasonView) -> ReasonJson:
    """A cause as a JSON object."""
    return {"code": reason.code, "text": reason.text, "evidence": dict(reason.evidence)}


def reasons_json(reasons: Iterable[Reason]) -> str:
    """Causes as canonical JSON text: equal causes give equal text, so that the store can tell that a verdict repeats."""
    return _canonical([reason_json(reason_view(reason)) for reason in reasons])


def reasons_from_json(text: str) -> tuple[ReasonView, ...]:
    """The causes that :func:`reasons_json` wrote, of any release: unknown codes and keys are kept as they are.

    Raises:
        ValueError: the text is not a JSON list of objects with a code.
    """
    entries = json.loads(text)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "code" in entry for entry in entries):
        raise ValueError("not a list of reasons")
    return tuple(ReasonView(str(entry["code"]), str(entry.get("text", entry["code"])), entry.get("evidence") or {}) for entry in entries)


# --- verdicts ---------------------------------------------------------------------------------------------------------


def decision_word(verdict: Verdict) -> DecisionWord:
    """The contract's word for a verdict."""
    match verdict:
        case Build():
            return "build"
        case Reuse():
            return "reuse"
        case Clone():
            return "clone"
        case Skip():
            return "skip"
        case Undetermined():
            return "undetermined"
        case _:
            assert_never(verdict)


def confidence_word(verdict: Verdict) -> ConfidenceWord | None:
    """How sure a reuse is; ``None`` for every other verdict."""
    match verdict:
        case Reuse():
            return verdict.confidence.value
        case Build() | Clone() | Skip() | Undetermined():
            return None
        case _:
            assert_never(verdict)


# --- documents --------------------------------------------------------------------------------------------------------


def node_json(row: PlanRow) -> NodeJson:
    """One node as the contract has it."""
    return {
        "unique_id": row.unique_id,
        "relation": row.relation,
        "resource_type": row.resource_type,
        "materialized": row.materialized or None,
        "decision": row.decision,
        "confidence": row.confidence,
        "reasons": [reason_json(reason) for reason in row.reasons],
        "waiting_on": list(row.waiting_on),
        "due_at": _moment(row.due_at),
        "lag_bound_seconds": row.lag_bound_seconds,
        "last_built_at": None if row.last_build is None else _moment(row.last_build.finished_at),
        "last_built_by": _built_by(row.last_build),
        "status": row.status,
        "execution_time": row.execution_time,
        "estimated_seconds": row.estimated_seconds,
    }


def explanation_json(told: Explanation) -> NodeJson:
    """One node with everything that bore on its decision, under the key ``explanation``."""
    detail = {
        "decided_at": _moment(told.decided_at),
        "decided_by": told.run_id,
        "repeated": told.repeated,
        "target": told.target,
        "parts": [{"name": p.name, "group": p.group, "recorded": p.recorded, "observed": p.observed} for p in told.parts],
        "diffs": [{"name": change.name, "diff": "\n".join(unified(change))} for change in told.texts],
        "inputs": [
            {
                "node": i.node,
                "label": i.label,
                "recorded": i.recorded,
                "observed": i.observed,
                "same": i.same,
                "note": i.note,
                "changed_at": _moment(i.changed_at),
            }
            for i in told.inputs
        ],
        "policy": [{"key": line.key, "value": line.value, "origin": line.origin} for line in told.policy],
        "waited_seconds": told.waited_seconds,
        "content": content_json(told.content),
        "next": next_json(told.next),
        "history": history_json(told.history),
        "warnings": list(told.warnings),
    }
    return {**node_json(told.row), "explanation": detail}


def summary_json(summary: RunSummary) -> SummaryJson:
    """The numbers of a run."""
    return {
        "built": summary.built,
        "reused": summary.reused,
        "verified": summary.reused_verified,
        "tolerated": summary.reused_tolerated,
        "cloned": summary.cloned,
        "failed": summary.failed,
        "skipped": summary.skipped,
        "saved_seconds": summary.saved_seconds,
        "deciding_seconds": summary.deciding_seconds,
    }


def estimate_json(estimate: Estimate) -> EstimateJson:
    """How long a plan takes."""
    took = estimate.schedule if estimate.known or not estimate.nodes else None
    return {
        "seconds": estimate.seconds,
        "known": estimate.known,
        "nodes": estimate.nodes,
        "undetermined": estimate.undetermined,
        "threads": None if estimate.schedule is None else estimate.schedule.threads,
        "with_threads_seconds": None if took is None else round(took.seconds, 3),
        "critical_path": None if took is None else {"seconds": round(took.path_seconds, 3), "nodes": list(took.path)},
    }


def assumed_json(assumed: Assumed | None) -> dict[str, Any] | None:
    """What a what-if plan takes for given; ``None`` for a plan of what is."""
    if assumed is None:
        return None
    changes = [{"node": change.node, "label": change.label, "change": change.change} for change in assumed.changes]
    return {"at": _moment(assumed.at), "changes": changes}


def document(
    kind: DocumentKind,
    nodes: Iterable[NodeJson],
    *,
    run_id: str | None,
    target: str | None,
    summary: RunSummary | None = None,
    estimate: Estimate | None = None,
) -> DocumentJson:
    """The whole object; ``nodes`` come from :func:`node_json` or :func:`explanation_json`, a plan's ``estimate`` from its rows."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "run_id": run_id,
        "target": target,
        "summary": None if summary is None else summary_json(summary),
        "estimate": None if estimate is None else estimate_json(estimate),
        "nodes": list(nodes),
    }


def document_text(whole: Mapping[str, object]) -> str:
    """A document, and what a command adds to it, as it is printed: indented, in the contract's order of keys, one line feed at the end."""
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def last_build(trace: Trace | None) -> LastBuild | None:
    """What a trace says of who built it."""
    if trace is None:
        return None
    return LastBuild(
        run_id=trace.run_id,
        job=trace.job,
        started_at=trace.started_at,
        finished_at=trace.finished_at,
        seconds=trace.execution_seconds,
        adopted=trace.adopted,
    )


def _built_by(last: LastBuild | None) -> BuiltByJson | None:
    return None if last is None else {"run_id": last.run_id, "job": last.job or None}


def _moment(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
