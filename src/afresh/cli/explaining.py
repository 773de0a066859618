"""Bringing together what the state remembers of a decision."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from afresh.cli.node_names import resolved, short_name
from afresh.cli.run_names import run_called
from afresh.core.version import DataVersion, Known
from afresh.render.json import last_build, reasons_from_json
from afresh.render.views import Explanation, InputLine, PartLine, PlanRow, TextChange
from afresh.render.words import BEYOND_GRAPH, node_text
from afresh.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from afresh.config.settings import Settings
    from afresh.core.trace import Trace
    from afresh.render.views import ConfidenceWord, DecisionWord, ReasonView, StatusWord
    from afresh.store import DecisionRecord, StateStore

_ALL_OF_LAST_RUN = "`afresh explain` without a name tells of all nodes of the last run."


def explanations(settings: Settings, names: Sequence[str], *, run_id: str | None) -> tuple[Explanation, ...]:
    """What was decided on these nodes, and why.

    Raises:
        UsageError: there is no such node or run, or a name stands for several nodes.
    """
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        run = run_called(store, run_id) if run_id else None
        known = store.last_decisions(run_id=run)
        told = _named(names, known) if names else known if run else _of_last_run(store, known)
        targets = _Targets(store)
        traces = store.snapshot(record.row.key for record in told if record.row.key).traces
        return tuple(
            _explanation(record, traces.get(record.row.key) if record.row.key else None, targets.of(run or record.last_run))
            for record in told
        )


def _named(names: Sequence[str], known: Sequence[DecisionRecord]) -> list[DecisionRecord]:
    """The last words on each named node: one per target in which it was decided."""
    wanted = [resolved(name, [record.row.node for record in known], hint=_ALL_OF_LAST_RUN) for name in names]
    return [record for node in wanted for record in known if record.row.node == node]


class _Targets:
    """The targets of runs, asked for once each."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._known: dict[str, str | None] = {}

    def of(self, run_id: str | None) -> str | None:
        """The target of a run, unless its record was pruned."""
        if run_id is None:
            return None
        if run_id not in self._known:
            run = self._store.run(run_id)
            self._known[run_id] = None if run is None else run.record.target
        return self._known[run_id]


def _of_last_run(store: StateStore, known: Sequence[DecisionRecord]) -> list[DecisionRecord]:
    last = {run.record.run_id for run in store.runs(1)}
    return [record for record in known if record.last_run in last]


def _explanation(record: DecisionRecord, trace: Trace | None, target: str | None) -> Explanation:
    reasons = reasons_from_json(record.row.reasons)
    return Explanation(
        row=plan_row(record, map(without_texts, reasons), trace),
        run_id=record.last_run,
        decided_at=record.last_at,
        repeated=record.count,
        target=target,
        parts=tuple(_parts(reasons)),
        parts_total=None if trace is None else len(trace.code.parts),
        texts=tuple(_texts(reasons)),
        inputs=tuple(_inputs(trace, reasons)),
        now=datetime.now(timezone.utc).astimezone(),
    )


def plan_row(record: DecisionRecord, reasons: Iterable[ReasonView], trace: Trace | None) -> PlanRow:
    """A remembered verdict as it is shown; ``trace`` is of the last build of its relation."""
    row = record.row
    return PlanRow(
        unique_id=row.node,
        name=short_name(row.node),
        resource_type=row.resource_type,
        decision=cast("DecisionWord", row.decision),
        materialized=row.materialized,
        relation=row.relation or None,
        confidence=cast("ConfidenceWord | None", row.confidence),
        reasons=tuple(reasons),
        due_at=row.due_at,
        lag_bound_seconds=int(row.lag_bound_seconds),
        last_build=last_build(trace),
        status=cast("StatusWord | None", row.status),
        execution_time=row.execution_time,
    )


def without_texts(reason: ReasonView) -> ReasonView:
    """A cause without the SQL that stood in its evidence."""
    evidence = {key: value for key, value in reason.evidence.items() if key != "sql"}
    return type(reason)(reason.code, reason.text, evidence)


def _parts(reasons: Sequence[ReasonView]) -> list[PartLine]:
    found: list[PartLine] = []
    for reason in reasons:
        for part in reason.evidence.get("parts") or ():
            found.append(PartLine(part["name"], part.get("group", ""), part.get("recorded", ""), part.get("observed", "")))  # noqa: PERF401 - reads better
    return found


def _texts(reasons: Sequence[ReasonView]) -> list[TextChange]:
    sql = [reason.evidence["sql"] for reason in reasons if "sql" in reason.evidence]
    return [TextChange("compiled SQL", change["recorded"], change["observed"]) for change in sql]


def _inputs(trace: Trace | None, reasons: Sequence[ReasonView]) -> list[InputLine]:
    changed: dict[str, Any] = {}
    for reason in reasons:
        for entry in reason.evidence.get("inputs") or ():
            if isinstance(entry, dict):
                changed[entry["node"]] = entry
    lines = [_changed_input(entry) for entry in changed.values()]
    recorded = () if trace is None else trace.inputs
    return [*lines, *(same_input(entry.node, entry.version) for entry in recorded if entry.node not in changed)]


def _changed_input(entry: dict[str, Any]) -> InputLine:
    called = entry["node"] if entry["node"].startswith(BEYOND_GRAPH) else entry.get("label", entry["node"])
    return InputLine(entry["node"], node_text(called), entry.get("recorded"), entry.get("observed"), same=False)


def same_input(node: str, version: DataVersion) -> InputLine:
    """An input as the last build read it."""
    token = version.token if isinstance(version, Known) else None
    return InputLine(node, node_text(node), token, token, same=token is not None, note="" if isinstance(version, Known) else version.why)
