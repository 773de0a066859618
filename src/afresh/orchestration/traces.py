"""Making the trace of a build or of a test that just ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.node import Kind
from afresh.core.observation import Present
from afresh.core.trace import Trace
from afresh.orchestration.ids import new_id

if TYPE_CHECKING:
    from afresh.core.decision import Build
    from afresh.core.node import Node
    from afresh.orchestration.code_types import CodeRecord
    from afresh.orchestration.host import BuildReport, Host
    from afresh.orchestration.inputs import InputsRead
    from afresh.orchestration.run_session import RunSession
    from afresh.store import Build as Intent

_TYPE_OF_KIND = {Kind.VIEW: "view", Kind.TABLE: "table", Kind.AUTO_REFRESHED: "materialized_view", Kind.FUNCTION: "function"}


def trace_of_build(
    node: Node,
    inputs: InputsRead,
    record: CodeRecord,
    *,
    run: RunSession,
    report: BuildReport,
    decision: Build,
    intent: Intent,
) -> Trace:
    """The trace of a relation that was built to its full result; the store says when it was finished, as it records it."""
    assert node.key is not None  # noqa: S101 - only what has a key is recorded
    return Trace(
        key=node.key,
        node=node.id,
        resource_type=node.resource_type,
        project=node.project,
        build_id=intent.build_id,
        run_id=run.settings.run_id,
        code=record.code,
        inputs=inputs.recorded,
        output_version=intent.build_id,
        started_at=intent.started_at,
        finished_at=intent.started_at,
        scheduled_at=run.settings.scheduled_at,
        relation_type=_relation_type(node, run.host),
        volatile_value=_volatile_value(node, record, inputs, run.host),
        window=run.host.window(node.id),
        reasons=tuple(reason.code for reason in decision.reasons),
        execution_seconds=report.seconds,
        job=run.settings.job,
    )


def test_trace(node: Node, inputs: InputsRead, record: CodeRecord, *, run: RunSession, report: BuildReport, decision: Build) -> Trace:
    """The trace of a test that ran to an end, whatever its result."""
    assert node.key is not None  # noqa: S101 - tests have keys
    build_id = new_id()
    return Trace(
        key=node.key,
        node=node.id,
        resource_type=node.resource_type,
        project=node.project,
        build_id=build_id,
        run_id=run.settings.run_id,
        code=record.code,
        inputs=inputs.recorded,
        output_version=build_id,
        started_at=inputs.at,
        finished_at=inputs.at + inputs.elapsed(),
        scheduled_at=run.settings.scheduled_at,
        volatile_value=", ".join(sorted({call.name for call in record.volatile})) or None,
        test=report.test,
        reasons=tuple(reason.code for reason in decision.reasons),
        execution_seconds=report.seconds,
        job=run.settings.job,
    )


def _relation_type(node: Node, host: Host) -> str:
    existence = host.existence(node.id) if node.relation is not None and node.kind is not Kind.FUNCTION else None
    if isinstance(existence, Present) and existence.type:
        return existence.type
    return _TYPE_OF_KIND.get(node.kind, "table")


def _volatile_value(node: Node, record: CodeRecord, inputs: InputsRead, host: Host) -> str | None:
    setting = host.settings(node.id).evaluate_volatile_sql
    if setting == "false" or not record.volatile:
        return None
    if setting == "true":
        return inputs.at.isoformat()
    return inputs.date if any(call.counts for call in record.volatile) else None
