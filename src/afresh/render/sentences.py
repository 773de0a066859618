"""A reason as one short sentence in the user's words. The wording is for people and may change; the codes are the contract.

Sentences start in lower case and end without a full stop, so that they can stand in a log line, a table or a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import assert_never

from afresh.core import reason as why
from afresh.core.decision import Confidence, Reuse
from afresh.core.node import ResourceType
from afresh.core.trace import AttemptState
from afresh.core.version import REBUILT, Unknown
from afresh.render.words import BEYOND_GRAPH, counted, duration_text, failure_text, listed, moment_text, node_text, one_line, run_text

if TYPE_CHECKING:
    from datetime import datetime

    from afresh.core.observation import FailedTest
    from afresh.core.trace import Trace

_Asked = why.UpstreamFailed | why.Forced | why.FullRefresh | why.Invalidated | why.NotReusable
_Relation = why.NeverBuilt | why.RelationMissing | why.RelationTypeChanged | why.BuiltByOtherNode | why.ChangedOutside | why.ViewStale
_Attempt = why.Interrupted | why.LastBuildFailed | why.Tainted | why.PartialBuild
_Code = why.CodeChanged | why.EngineUpgraded | why.MetadataChanged
_Test = why.FailedTests | why.NotPassedBefore
_Data = why.NewData | why.VolatileValue | why.WindowMoved | why.MaxAge
_Reused = why.Unchanged | why.Adopted | why.TooSoon | why.WaitingForInputs | why.UpstreamTolerated | why.ClonedFrom
_Trouble = why.QueueTimeout | why.LeaseLost | why.OrphanedQuery | why.StateUnavailable


def sentence(reason: why.Reason, now: datetime | None = None) -> str:
    """One line that says why. With ``now``, times are short and in its time zone; without, they are full dates in UTC."""
    return one_line(_sentence(reason, now))


def _sentence(reason: why.Reason, now: datetime | None) -> str:
    if isinstance(reason, _Asked):
        return _of_asked(reason, now)
    if isinstance(reason, _Relation):
        return _of_relation(reason)
    if isinstance(reason, _Attempt):
        return _of_attempt(reason, now)
    if isinstance(reason, _Code):
        return _of_code(reason)
    if isinstance(reason, _Test):
        return _of_test(reason)
    if isinstance(reason, _Data):
        return _of_data(reason)
    if isinstance(reason, _Reused):
        return _of_reused(reason, now)
    if isinstance(reason, _Trouble):
        return _of_trouble(reason)
    assert_never(reason)


def reused_line(decision: Reuse, now: datetime | None = None) -> str:
    """What stands inside dbt's ``[REUSED …]``: that nothing changed and since when, or why a change waits.

    Both name the run whose result is reused, because that is where the reader looks next.
    """
    built = "" if decision.trace is None else _built(decision.trace, now)
    if decision.confidence is Confidence.TOLERATED or decision.trace is None:
        told = "; ".join(sentence(reason, now) for reason in decision.reasons if isinstance(reason, _Reused)) or "nothing changed"
        return f"{told} ({built})" if built else told
    return _verified(decision.trace, now)


def _verified(trace: Trace, now: datetime | None) -> str:
    # The inputs were read before the build started: from then on nothing has changed, not only from its end on.
    since = moment_text(trace.started_at, now)
    if trace.adopted:
        return f"nothing changed since {since}; adopted, not built by Afresh"
    run = f"(run {run_text(trace.run_id)})"
    if trace.resource_type in (ResourceType.TEST, ResourceType.UNIT_TEST):
        return f"passed {since}, nothing changed since {run}"
    if trace.resource_type is ResourceType.SEED:
        return f"file unchanged since {since} {run}"
    if trace.resource_type is ResourceType.FUNCTION or trace.relation_type == "view":
        return f"unchanged since {since} {run}"
    return f"no new data since {since} {run}"


def _built(trace: Trace, now: datetime | None) -> str:
    return f"built {moment_text(trace.started_at, now)}, run {run_text(trace.run_id)}"


def _of_asked(reason: _Asked, now: datetime | None) -> str:
    match reason:
        case why.UpstreamFailed():
            return f"{node_text(reason.parent)} failed or was skipped in this run"
        case why.Forced():
            by_itself = "asked to build whatever the state says"
            return f"`{reason.setting}: false` builds it in every run" if reason.setting else by_itself
        case why.FullRefresh():
            return "asked for a full refresh"
        case why.Invalidated():
            return _with(f"invalidated by {reason.by} at {moment_text(reason.at, now)}", reason.why)
        case why.NotReusable():
            return _with("cannot be reused", reason.why)
        case _:
            assert_never(reason)


def _of_relation(reason: _Relation) -> str:
    match reason:
        case why.NeverBuilt():
            return "never built with this state"
        case why.RelationMissing():
            return "the relation is not in the warehouse any more"
        case why.RelationTypeChanged():
            return f"the warehouse has a {reason.observed} where a {reason.recorded} was built"
        case why.BuiltByOtherNode():
            return f"last built by another node: {node_text(reason.other)}"
        case why.ChangedOutside():
            return _with("changed outside of Afresh since its last build", reason.text)
        case why.ViewStale():
            return f"the stored view no longer fits {_with(node_text(reason.parent), reason.text)}"
        case _:
            assert_never(reason)


def _of_attempt(reason: _Attempt, now: datetime | None) -> str:
    at = moment_text(reason.at, now)
    match reason:
        case why.Interrupted():
            how = "lost its lease" if reason.state is AttemptState.LOST_LEASE else "was interrupted"
            return _with(f"the last build {how} at {at} (run {run_text(reason.run_id)})", reason.detail)
        case why.LastBuildFailed():
            return _with(f"the last build failed at {at} (run {run_text(reason.run_id)})", failure_text(reason.detail))
        case why.Tainted():
            return _with(f"nobody knows what it holds since {at}" if reason.detail else f"built without state at {at}", reason.detail)
        case why.PartialBuild():
            return _with(f"the last build at {at} was partial (run {run_text(reason.run_id)})", reason.detail)
        case _:
            assert_never(reason)


def _of_code(reason: _Code) -> str:
    names = listed([part.name for part in reason.parts])
    match reason:
        case why.CodeChanged():
            return _with("code changed", names)
        case why.EngineUpgraded():
            return _with("macros of dbt or of the adapter changed", names)
        case why.MetadataChanged():
            return _with("only descriptions or grants changed", names)
        case _:
            assert_never(reason)


def _of_test(reason: _Test) -> str:
    match reason:
        case why.FailedTests():
            noun = "a test" if len(reason.tests) == 1 else f"{len(reason.tests)} tests"
            return _with(f"{noun} failed on its last build", listed([_failed(test) for test in reason.tests]))
        case why.NotPassedBefore():
            return _with("the test has to run", reason.why)
        case _:
            assert_never(reason)


def _failed(test: FailedTest) -> str:
    rows = "" if test.failures is None else f" ({counted(test.failures, 'failure')})"
    return f"{node_text(test.node)}{rows}"


def _of_data(reason: _Data) -> str:
    match reason:
        case why.NewData():
            return _of_inputs(reason.inputs)
        case why.VolatileValue():
            return f"{reason.what} moved: {_or_none(reason.recorded)} → {_or_none(reason.observed)}"
        case why.WindowMoved():
            return f"the batch window moved: {_or_none(reason.recorded)} → {_or_none(reason.observed)}"
        case why.MaxAge():
            return f"the last build is {duration_text(reason.age)} old; `max_age` allows {duration_text(reason.limit)}"
        case _:
            assert_never(reason)


def _of_inputs(changes: tuple[why.InputChange, ...]) -> str:
    """New data, new inputs and inputs about which nobody knows are three different things to the reader."""
    rebuilt = [change for change in changes if change.observed == REBUILT]
    unknown = [change for change in changes if _why_unknown(change) is not None and change not in rebuilt]
    added = [change for change in changes if change.recorded is None and change not in (*unknown, *rebuilt)]
    moved = [change for change in changes if change not in (*unknown, *rebuilt, *added)]
    told = [
        f"new data in {_inputs(moved)}" if moved else "",
        f"this run builds {_inputs(rebuilt)}" if rebuilt else "",
        f"not read before: {_inputs(added)}" if added else "",
        f"cannot tell whether {_inputs(unknown)} changed ({_whys(unknown)})" if unknown else "",
    ]
    return "; ".join(filter(None, told))


def _inputs(changes: list[why.InputChange]) -> str:
    return listed([node_text(_called(change)) for change in changes])


def _called(change: why.InputChange) -> str:
    return change.node if change.node.startswith(BEYOND_GRAPH) else change.label or change.node


def _whys(changes: list[why.InputChange]) -> str:
    return listed(list(dict.fromkeys(told for change in changes if (told := _why_unknown(change)))), most=1)


def _why_unknown(change: why.InputChange) -> str | None:
    if isinstance(change.observed, Unknown):
        return change.observed.why
    return f"not known at the last build: {change.recorded.why}" if isinstance(change.recorded, Unknown) else None


def _of_reused(reason: _Reused, now: datetime | None) -> str:
    match reason:
        case why.Unchanged():
            return "nothing changed"
        case why.Adopted():
            return _adopted(reason, now)
        case why.TooSoon():
            return f"too soon: due at {moment_text(reason.due_at, now)}, builds at most every {duration_text(reason.interval)}"
        case why.WaitingForInputs():
            return f"waits for new data in {listed(_names(reason.inputs))}"
        case why.UpstreamTolerated():
            return f"as fresh as its inputs, which may lag: {listed(_names(reason.inputs))}"
        case why.ClonedFrom():
            return f"cloned from {reason.source}"
        case _:
            assert_never(reason)


def _adopted(reason: why.Adopted, now: datetime | None) -> str:
    if reason.as_of is None:
        return "nothing changed since it was adopted; not built by Afresh"
    told = f": {reason.why}" if reason.why else ""
    return f"adopted by {reason.by} as the run of {moment_text(reason.as_of, now)} built it; not built by Afresh{told}"


def _names(nodes: tuple[str, ...]) -> list[str]:
    return [node_text(node) for node in nodes]


def _of_trouble(reason: _Trouble) -> str:
    match reason:
        case why.QueueTimeout():
            return f"waited {duration_text(reason.waited)} for {reason.holder}, longer than `queue_timeout`"
        case why.LeaseLost():
            return _with("lost its lease while building", reason.detail)
        case why.OrphanedQuery():
            return f"{reason.holder} died, and what it left at work in the warehouse could not be ended: {reason.detail}"
        case why.StateUnavailable():
            return _with("built without state, which could not be reached", reason.detail)
        case _:
            assert_never(reason)


def _with(told: str, detail: str) -> str:
    return f"{told}: {detail}" if detail else told


def _or_none(value: str | None) -> str:
    return "none" if value is None else value
