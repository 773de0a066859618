"""The evidence of a reason as plain JSON values: part of the documented contract, so each key is spelled here by hand.

Core types are never serialised as they are: renaming a field in the core must not change what scripts read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import assert_never

from afresh.core import reason as why
from afresh.core.version import DataVersion, Known, PartChange, Unknown
from afresh.render.words import iso

if TYPE_CHECKING:
    from afresh.core.observation import FailedTest

Json = dict[str, Any]

_Bare = why.FullRefresh | why.NeverBuilt | why.RelationMissing | why.Unchanged
_Attempt = why.Interrupted | why.LastBuildFailed | why.Tainted | why.PartialBuild
_Parts = why.CodeChanged | why.EngineUpgraded | why.MetadataChanged
_Moved = why.RelationTypeChanged | why.ChangedOutside | why.VolatileValue | why.WindowMoved
_Delay = why.TooSoon | why.WaitingForInputs | why.UpstreamTolerated | why.MaxAge
_Other = (
    why.Forced
    | why.UpstreamFailed
    | why.Invalidated
    | why.NotReusable
    | why.BuiltByOtherNode
    | why.FailedTests
    | why.ViewStale
    | why.ClonedFrom
    | why.Adopted
    | why.NotPassedBefore
)
_Trouble = why.QueueTimeout | why.LeaseLost | why.OrphanedQuery | why.StateUnavailable


def evidence(reason: why.Reason) -> Json:
    """What was recorded and what was seen, as JSON values; empty where the code says it all."""
    if isinstance(reason, _Bare):
        return {}
    if isinstance(reason, _Attempt):
        return _of_attempt(reason)
    if isinstance(reason, _Parts):
        return {"parts": [_part(part) for part in reason.parts]}
    if isinstance(reason, _Moved):
        return _of_moved(reason)
    if isinstance(reason, why.NewData):
        return {"inputs": [_input(change) for change in reason.inputs]}
    if isinstance(reason, _Delay):
        return _of_delay(reason)
    if isinstance(reason, _Other):
        return _of_other(reason)
    if isinstance(reason, _Trouble):
        return _of_trouble(reason)
    assert_never(reason)


def _of_attempt(reason: _Attempt) -> Json:
    at = {"at": iso(reason.at), "detail": reason.detail}
    match reason:
        case why.Interrupted():
            return {"run_id": reason.run_id, "state": reason.state.value, **at}
        case why.LastBuildFailed() | why.PartialBuild():
            return {"run_id": reason.run_id, **at}
        case why.Tainted():
            return at
        case _:
            assert_never(reason)


def _of_moved(reason: _Moved) -> Json:
    both = {"recorded": reason.recorded, "observed": reason.observed}
    match reason:
        case why.VolatileValue():
            return {"what": reason.what, **both}
        case why.ChangedOutside():
            return {**both, "detail": reason.text}
        case why.RelationTypeChanged() | why.WindowMoved():
            return both
        case _:
            assert_never(reason)


def _of_delay(reason: _Delay) -> Json:
    match reason:
        case why.TooSoon():
            return {"due_at": iso(reason.due_at), "interval_seconds": _seconds(reason.interval)}
        case why.WaitingForInputs() | why.UpstreamTolerated():
            return {"inputs": list(reason.inputs)}
        case why.MaxAge():
            return {"age_seconds": _seconds(reason.age), "limit_seconds": _seconds(reason.limit)}
        case _:
            assert_never(reason)


def _of_other(reason: _Other) -> Json:
    match reason:
        case why.Forced():
            return {"setting": reason.setting} if reason.setting else {}
        case why.UpstreamFailed():
            return {"parent": reason.parent}
        case why.Invalidated():
            return {"by": reason.by, "at": iso(reason.at), "why": reason.why}
        case why.NotReusable() | why.NotPassedBefore():
            return {"why": reason.why}
        case why.BuiltByOtherNode():
            return {"other": reason.other}
        case why.FailedTests():
            return {"tests": [_test(test) for test in reason.tests]}
        case why.ViewStale():
            return {"parent": reason.parent, "detail": reason.text}
        case why.Adopted():
            return {} if reason.as_of is None else {"by": reason.by, "why": reason.why, "as_of": iso(reason.as_of)}
        case why.ClonedFrom():
            return {"source": reason.source}
        case _:
            assert_never(reason)


def _of_trouble(reason: _Trouble) -> Json:
    match reason:
        case why.QueueTimeout():
            return {"holder": reason.holder, "waited_seconds": _seconds(reason.waited)}
        case why.OrphanedQuery():
            return {"holder": reason.holder, "detail": reason.detail}
        case why.LeaseLost() | why.StateUnavailable():
            return {"detail": reason.detail}
        case _:
            assert_never(reason)


def _part(part: PartChange) -> Json:
    return {"name": part.name, "group": part.group.value, "recorded": part.recorded, "observed": part.observed}


def _input(change: why.InputChange) -> Json:
    """Both versions; ``unknown`` says why there is none to compare with, and is only there if so."""
    unknown = next((version.why for version in (change.observed, change.recorded) if isinstance(version, Unknown)), None)
    both = {"recorded": _token(change.recorded), "observed": _token(change.observed)}
    return {"node": change.node, "label": change.label, **both, **({} if unknown is None else {"unknown": unknown})}


def _token(version: DataVersion | None) -> str | None:
    return version.token if isinstance(version, Known) else None


def _test(test: FailedTest) -> Json:
    return {"node": str(test.node), "at": iso(test.at), "failures": test.failures}


def _seconds(span: timedelta) -> float:
    return span.total_seconds()
