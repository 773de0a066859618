"""Bringing together what the state remembers of a decision."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from afresh.cli.held_data import Upwards
from afresh.cli.next_build import Standing, next_builds
from afresh.cli.node_names import resolved, short_name
from afresh.cli.run_names import run_called
from afresh.core.node import ResourceType
from afresh.core.policy import DEFAULT_POLICY
from afresh.core.version import DataVersion, Known
from afresh.orchestration.closure import is_derived
from afresh.render.json import last_build, reasons_from_json
from afresh.render.lines import policy_lines
from afresh.render.views import Content, Explanation, InputLine, PartLine, PastDecision, PlanRow, PolicyLine, TextChange
from afresh.render.words import BEYOND_GRAPH, node_text
from afresh.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from afresh.config.settings import Settings
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Trace
    from afresh.render.views import ConfidenceWord, DecisionWord, ReasonView, StatusWord
    from afresh.store import DecisionRecord, Snapshot, StateStore

_ALL_OF_LAST_RUN = "`afresh explain` without a name tells of all nodes of the last run."


@dataclass(frozen=True)
class Asked:
    """Which decisions are to be explained: of some nodes or of all of a run; ``last``: with how many of the decisions before."""

    names: Sequence[str] = ()
    run_id: str | None = None
    last: int = 0


def explanations(settings: Settings, asked: Asked) -> tuple[Explanation, ...]:
    """What was decided on these nodes, and why.

    Raises:
        UsageError: there is no such node or run, or a name stands for several nodes.
    """
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        run = run_called(store, asked.run_id) if asked.run_id else None
        known = store.last_decisions(run_id=run)
        told = _named(asked.names, known) if asked.names else known if run else _of_last_run(store, known)
        before = _before(store, told, asked)
        seen = store.snapshot(record.row.key for record in told if record.row.key)
        state = _State(seen, Upwards(store, seen.traces), _Targets(store), before, asked)
        return tuple(_explanation(record, state, target_of=run or record.last_run) for record in told)


@dataclass(frozen=True)
class _State:
    """What explanations are made of."""

    seen: Snapshot
    upwards: Upwards
    targets: _Targets
    before: Mapping[_Subject, tuple[DecisionRecord, ...]]
    asked: Asked


_Subject = tuple[str, "TraceKey | None"]
_LOOKED_BACK = 20
"""How many verdicts of a named node are read to tell since when it is behind."""


def _before(store: StateStore, told: Sequence[DecisionRecord], asked: Asked) -> Mapping[_Subject, tuple[DecisionRecord, ...]]:
    """The last decisions on each node and key, the newest first; of nodes that nobody named, the last one alone."""
    found: dict[_Subject, tuple[DecisionRecord, ...]] = {(one.row.node, one.row.key): (one,) for one in told}
    if asked.names or asked.last:
        nodes = sorted({one.row.node for one in told})
        history: dict[_Subject, list[DecisionRecord]] = {}
        for record in store.last_decisions(nodes, limit=max(asked.last, _LOOKED_BACK)):
            history.setdefault((record.row.node, record.row.key), []).append(record)
        found.update({subject: tuple(records) for subject, records in history.items() if subject in found})
    return found


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


def _explanation(record: DecisionRecord, state: _State, *, target_of: str | None) -> Explanation:
    reasons, key = reasons_from_json(record.row.reasons), record.row.key
    trace = None if key is None else state.seen.traces.get(key)
    before, policy = state.before[record.row.node, key], _settings(record)
    now = datetime.now(timezone.utc).astimezone()
    told = Explanation(
        row=plan_row(record, map(without_texts, reasons), trace),
        run_id=record.last_run,
        decided_at=record.last_at,
        repeated=record.count,
        target=state.targets.of(target_of),
        parts=tuple(_parts(reasons)),
        parts_total=None if trace is None else len(trace.code.parts),
        texts=tuple(_texts(reasons)),
        inputs=tuple(_with_changes(_inputs(trace, reasons), before)),
        policy=policy,
        waited_seconds=record.row.waited_seconds,
        history=tuple(map(_past, _runs(before, state.asked.last))),
        now=now,
    )
    if state.asked.run_id is not None:  # what comes next, and what is held, is not that run's
        return told
    standing = Standing(record, trace, state.seen, reasons, {line.key: line.value for line in policy}, now)
    return replace(told, content=_content(trace, before, state.upwards, now), next=next_builds(standing))


def _settings(record: DecisionRecord) -> tuple[PolicyLine, ...]:
    """The settings that counted, those that were not given as the defaults that they have; none where nobody recorded them."""
    if record.row.policy is None:
        return ()
    given = {key: PolicyLine(key, value, origin) for key, value, origin in json.loads(record.row.policy)}
    counted = _COUNTED.get(record.row.resource_type, _COUNTED.get(record.row.materialized))
    lines = [given.pop(line.key, line) for line in policy_lines(DEFAULT_POLICY) if counted is None or line.key in (*counted, *given)]
    return (*lines, *given.values())


_COUNTED = {"test": ("enabled",), "unit_test": ("enabled",), "view": ("enabled", "on_engine_upgrade")}
"""The settings that can make a difference to some kinds of nodes, by resource type or materialization; to others, all can."""


def _runs(records: Sequence[DecisionRecord], wanted: int) -> Iterator[DecisionRecord]:
    """As many of the verdicts as it takes to tell of so many runs."""
    told = 0
    for record in records:
        if told >= wanted:
            return
        told += record.count
        yield record


def _past(record: DecisionRecord) -> PastDecision:
    row = plan_row(record, map(without_texts, reasons_from_json(record.row.reasons)), None)
    return PastDecision(
        decision=row.decision,
        confidence=row.confidence,
        reasons=row.reasons,
        status=row.status,
        run_id=record.last_run,
        first_at=record.first_at,
        last_at=record.last_at,
        repeated=record.count,
        waited_seconds=record.row.waited_seconds,
        execution_time=row.execution_time,
    )


def _content(trace: Trace | None, before: Sequence[DecisionRecord], upwards: Upwards, now: datetime) -> Content | None:
    """How current what stands in the warehouse is; a test has no content."""
    if trace is None or trace.test is not None or trace.resource_type in (ResourceType.TEST, ResourceType.UNIT_TEST):
        return None
    if is_derived(trace):
        held = upwards.held_by(trace, read_at=now)
        return Content(now, is_own=False, sources=held.data, not_recorded=held.not_recorded)
    held, behind = upwards.held_by(trace, read_at=trace.started_at), None
    verified = next((one.last_at for one in before if one.row.confidence == "verified"), None)
    for record in before:
        if record.row.confidence != "tolerated":
            break
        behind = record.first_at
    is_newer = verified is not None and verified >= trace.started_at
    return Content(
        as_of=trace.started_at,
        verified_at=verified if is_newer else None,
        behind_since=behind,
        sources=held.data,
        not_recorded=held.not_recorded,
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
    same = [same_input(entry.node, entry.version) for entry in recorded if entry.node not in changed]
    if trace is not None and is_derived(trace):  # data flows through it: nobody compared versions
        same = [replace(line, observed=None) for line in same]
    return [*lines, *same]


def _with_changes(lines: Iterable[InputLine], before: Sequence[DecisionRecord]) -> Iterator[InputLine]:
    """Each input with the moment at which a run saw last that it had changed."""
    seen: dict[str, datetime] = {}
    for record in before:
        for reason in reasons_from_json(record.row.reasons):
            for entry in reason.evidence.get("inputs") or ():
                if isinstance(entry, dict):
                    seen.setdefault(entry["node"], record.first_at)
    return (replace(line, changed_at=seen.get(line.node)) for line in lines)


def _changed_input(entry: dict[str, Any]) -> InputLine:
    called = entry["node"] if entry["node"].startswith(BEYOND_GRAPH) else entry.get("label", entry["node"])
    return InputLine(entry["node"], node_text(called), entry.get("recorded"), entry.get("observed"), same=False)


def same_input(node: str, version: DataVersion) -> InputLine:
    """An input as the last build read it."""
    token = version.token if isinstance(version, Known) else None
    return InputLine(node, node_text(node), token, token, same=token is not None, note="" if isinstance(version, Known) else version.why)
