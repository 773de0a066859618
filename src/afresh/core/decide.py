"""The one place where build or reuse is decided (semantics §2).

The functions below are the rows of the design's decision table, in its order. Each returns the causes it finds; all
causes are collected, and the first row that applies gives the verdict. The same arguments give the same decision for
ever: nothing here asks the time, the warehouse or the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core import reason as why
from afresh.core.decision import Build, Confidence, Decision, Reuse, Skip, Undetermined, Verdict
from afresh.core.node import TESTS, Kind
from afresh.core.observation import Missing, Mode, Observation, ObservedInput, Present
from afresh.core.policy import DEFAULT_POLICY, EngineUpgrade, Policy, UpdatesOn, due_at, elapsed, interval_tolerance
from afresh.core.trace import AttemptProblem, AttemptState, Trace
from afresh.core.version import PartGroup, same_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from afresh.core.node import NodeId

Causes = tuple[why.Reason, ...]


def decide(seen: Observation, trace: Trace | None, policy: Policy = DEFAULT_POLICY) -> Decision:
    """What to do with a node now. Whatever is not certain is built."""
    verdict = plan_verdict(seen, trace, policy)
    if isinstance(verdict, Undetermined):
        return Build(verdict.reasons or (why.NotReusable("its inputs are not settled yet"),))
    return verdict


def plan_verdict(seen: Observation, trace: Trace | None, policy: Policy = DEFAULT_POLICY) -> Verdict:
    """What a plan can say of a node before anything ran: a decision, or which nodes must have run first."""
    if seen.upstream_failed is not None:
        return Skip((why.UpstreamFailed(seen.upstream_failed),))
    certain = tuple(_certain_causes(seen, trace, policy))
    data = () if trace is None else tuple(_data_causes(seen, trace, policy))
    if certain:
        return Build(certain + data)
    if trace is None:  # pragma: no cover - never_built is among the certain causes
        return Build((why.NeverBuilt(),))
    decision = _by_policy(seen, trace, policy, data)
    pending = _undetermined(seen)
    # What is still open can only add new data, so it takes nothing back from a build for the data that is known to be new.
    if not pending or (data and isinstance(decision, Build)):
        return decision
    return Undetermined(pending, data)


# --- rows 2 to 11: causes that no freshness setting delays ------------------------------------------------------------


def _certain_causes(seen: Observation, trace: Trace | None, policy: Policy) -> Iterator[why.Reason]:
    for row in _ROWS_BEFORE_TRACE:
        yield from row(seen, policy)
    if trace is None:
        yield why.NeverBuilt()
        yield from _unfinished(seen)
        return
    for check in _ROWS_AGAINST_TRACE:
        yield from check(seen, trace, policy)


def _asked_for(seen: Observation, policy: Policy) -> Iterator[why.Reason]:
    if seen.mode is Mode.FORCED:
        yield why.Forced()
    elif not policy.enabled:
        yield why.Forced("state.enabled")
    if seen.mode is Mode.FULL_REFRESH:
        yield why.FullRefresh()
    if seen.invalidation is not None:
        yield why.Invalidated(seen.invalidation.by, seen.invalidation.at, seen.invalidation.why)


def _cannot_be_reasoned_about(seen: Observation, policy: Policy) -> Iterator[why.Reason]:  # noqa: ARG001 - one row's shape
    if seen.not_reusable is not None:
        yield why.NotReusable(seen.not_reusable)


def _existence(seen: Observation, trace: Trace, policy: Policy) -> Iterator[why.Reason]:  # noqa: ARG001 - one row's shape
    match seen.existence:
        case Missing():
            yield why.RelationMissing()
        case Present(type=now) if now and trace.relation_type and now != trace.relation_type:
            yield why.RelationTypeChanged(trace.relation_type, now)
        case _:
            return


def _attempt(seen: Observation, trace: Trace, policy: Policy) -> Iterator[why.Reason]:  # noqa: ARG001 - one row's shape
    yield from _unfinished(seen)


def _unfinished(seen: Observation) -> Iterator[why.Reason]:
    if seen.attempt is not None:
        yield from causes_of_attempt(seen.attempt)


def causes_of_attempt(attempt: AttemptProblem) -> Iterator[why.Reason]:
    """Why an attempt that did not end in a trace makes a node due."""
    match attempt.state:
        case AttemptState.INTERRUPTED | AttemptState.LOST_LEASE:
            yield why.Interrupted(attempt.state, attempt.run_id, attempt.at, attempt.detail)
        case AttemptState.FAILED:
            yield why.LastBuildFailed(attempt.run_id, attempt.at, attempt.detail)
        case AttemptState.TAINTED:
            yield why.Tainted(attempt.at, attempt.detail)
        case AttemptState.PARTIAL:
            yield why.PartialBuild(attempt.run_id, attempt.at, attempt.detail)


def _other_node(seen: Observation, trace: Trace, policy: Policy) -> Iterator[why.Reason]:  # noqa: ARG001 - one row's shape
    if trace.node != seen.node.id:
        yield why.BuiltByOtherNode(trace.node)


def _code(seen: Observation, trace: Trace, policy: Policy) -> Iterator[why.Reason]:  # noqa: ARG001 - one row's shape
    changed = tuple(part for part in seen.code_changes if part.group is PartGroup.CODE)
    if changed:
        yield why.CodeChanged(changed)
    upgraded = tuple(part for part in seen.code_changes if part.group is PartGroup.ENGINE)
    if upgraded and policy.on_engine_upgrade is EngineUpgrade.BUILD:
        yield why.EngineUpgraded(upgraded)


def _outside(seen: Observation, trace: Trace, policy: Policy) -> Iterator[why.Reason]:  # noqa: ARG001 - one row's shape
    # What is gone, or was written by an attempt of ours that left no trace, differs from the trace for that reason.
    if seen.outside is not None and seen.attempt is None and not isinstance(seen.existence, Missing):
        yield why.ChangedOutside(seen.outside.recorded, seen.outside.observed, seen.outside.text)


def _tests(seen: Observation, trace: Trace, policy: Policy) -> Iterator[why.Reason]:  # noqa: ARG001 - one row's shape
    if seen.failed_tests:
        yield why.FailedTests(seen.failed_tests)
    if seen.node.kind in TESTS:
        yield from _test_must_run(seen, trace)


def _test_must_run(seen: Observation, trace: Trace) -> Iterator[why.Reason]:
    if seen.volatile_test is not None:
        yield why.NotPassedBefore(seen.volatile_test)
    elif trace.test is None or not trace.test.passed:
        yield why.NotPassedBefore("it did not pass the last time")


def _view(seen: Observation, trace: Trace, policy: Policy) -> Iterator[why.Reason]:  # noqa: ARG001 - one row's shape
    if seen.stale_view is not None:
        yield why.ViewStale(seen.stale_view.parent, seen.stale_view.text)


_ROWS_BEFORE_TRACE: tuple[Callable[[Observation, Policy], Iterator[why.Reason]], ...] = (
    _asked_for,
    _cannot_be_reasoned_about,
)
_ROWS_AGAINST_TRACE: tuple[Callable[[Observation, Trace, Policy], Iterator[why.Reason]], ...] = (
    _existence,
    _attempt,
    _other_node,
    _code,
    _outside,
    _tests,
    _view,
)


# --- row 12: data, and the policy that may delay it -------------------------------------------------------------------


def _data_causes(seen: Observation, trace: Trace, policy: Policy) -> Iterator[why.Reason]:
    if seen.node.kind is Kind.VIEW:
        return
    changed = tuple(_input_changes(seen, trace))
    if changed:
        yield why.NewData(changed)
    if seen.volatile is not None and seen.volatile.recorded != seen.volatile.observed:
        yield why.VolatileValue(seen.volatile.what, seen.volatile.recorded, seen.volatile.observed)
    if seen.window is not None and seen.window.recorded != seen.window.observed:
        yield why.WindowMoved(seen.window.recorded, seen.window.observed)
    age = elapsed(trace.scheduled_at, seen.scheduled_at)
    if policy.max_age is not None and age >= policy.max_age:
        yield why.MaxAge(age, policy.max_age)


def _input_changes(seen: Observation, trace: Trace) -> Iterator[why.InputChange]:
    recorded = {entry.node: entry.version for entry in trace.inputs}
    for entry in seen.inputs:
        if not entry.undetermined and not same_data(recorded.get(entry.node), entry.version):
            yield why.InputChange(entry.node, entry.label or entry.node, recorded.get(entry.node), entry.version)


def _undetermined(seen: Observation) -> tuple[NodeId, ...]:
    of_inputs = () if seen.node.kind is Kind.VIEW else (node for entry in seen.inputs for node in entry.undetermined)
    return tuple(dict.fromkeys((*seen.undetermined, *of_inputs)))


def _by_policy(seen: Observation, trace: Trace, policy: Policy, data: Causes) -> Decision:
    if not data:
        return _nothing_differs(seen, trace, policy)
    if any(isinstance(cause, why.MaxAge) for cause in data):
        return Build(data)
    delays = tuple(_delays(seen, trace, policy, data))
    return Reuse(trace, Confidence.TOLERATED, delays + data) if delays else Build(data)


def _delays(seen: Observation, trace: Trace, policy: Policy, data: Causes) -> Iterator[why.Reason]:
    waiting = _still_waited_for(seen, data) if policy.updates_on is UpdatesOn.ALL else ()
    if waiting:
        yield why.WaitingForInputs(waiting)
    due = due_at(trace.scheduled_at, policy.interval)
    # A build that lies in the future of the state's own clock (it was set back) says nothing of how long ago it was.
    is_past = trace.scheduled_at <= seen.now
    if policy.interval and is_past and elapsed(seen.scheduled_at, due) > interval_tolerance(policy.interval):
        yield why.TooSoon(due, policy.interval)


def _still_waited_for(seen: Observation, data: Causes) -> tuple[str, ...]:
    moved = {change.node for cause in data if isinstance(cause, why.NewData) for change in cause.inputs}
    return tuple(_label(entry) for entry in seen.inputs if entry.waited_for and entry.node not in moved)


# --- rows 13 and 14: nothing that asks for a build --------------------------------------------------------------------


def _nothing_differs(seen: Observation, trace: Trace, policy: Policy) -> Decision:
    metadata = tuple(part for part in seen.code_changes if part.group is PartGroup.METADATA)
    if metadata:
        return Build((why.MetadataChanged(metadata),))
    behind = tuple(_label(entry) for entry in seen.inputs if entry.tolerated)
    if behind:
        return Reuse(trace, Confidence.TOLERATED, (why.UpstreamTolerated(behind),))
    return Reuse(trace, Confidence.VERIFIED, tuple(_why_unchanged(seen, trace, policy)))


def _why_unchanged(seen: Observation, trace: Trace, policy: Policy) -> Iterator[why.Reason]:
    yield why.Adopted() if trace.adopted else why.Unchanged()
    upgraded = tuple(part for part in seen.code_changes if part.group is PartGroup.ENGINE)
    if upgraded and policy.on_engine_upgrade is EngineUpgrade.KEEP:
        yield why.EngineUpgraded(upgraded)


def _label(entry: ObservedInput) -> str:
    return entry.label or entry.node
