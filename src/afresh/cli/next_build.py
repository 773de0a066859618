"""What would make a node be built next, as far as the state tells: what stands against it, what it reads, its settings, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.config.durations import parse_duration
from afresh.core import reason as why
from afresh.core.decide import causes_of_attempt
from afresh.core.policy import due_at
from afresh.core.version import Unknown
from afresh.render.sentences import sentence
from afresh.render.views import NextBuild
from afresh.render.words import counted, listed, moment_text, node_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from afresh.core.trace import Trace
    from afresh.render.views import ReasonView
    from afresh.store import DecisionRecord, Snapshot

_TESTS = ("test", "unit_test")
_LISTED = 4


@dataclass(frozen=True)
class Standing:
    """All that is known of a node: the last word on it, its last build, what stands against that, and the settings it had."""

    record: DecisionRecord
    trace: Trace | None
    seen: Snapshot
    reasons: tuple[ReasonView, ...]
    settings: Mapping[str, str]
    now: datetime

    def span(self, key: str) -> timedelta | None:
        """The duration that a setting has; ``None`` where it has none."""
        given = self.settings.get(key, "none")
        return None if given == "none" else parse_duration(given)

    @property
    def is_last_word(self) -> bool:
        """Whether nothing was built since the decision was made."""
        return self.trace is None or self.trace.started_at <= self.record.last_at


def next_builds(node: Standing) -> tuple[NextBuild, ...]:
    """What makes the next run build it, or else what would: never nothing."""
    at_once = tuple(_at_once(node))
    return at_once or tuple(_changes(node))


# --- the next run that selects it -------------------------------------------------------------------------------------


def _at_once(node: Standing) -> Iterator[NextBuild]:
    key = node.record.row.key
    attempt = None if key is None else node.seen.attempts.get(key)
    invalidation = None if key is None else node.seen.invalidations.get(key)
    standing = [*(() if attempt is None else causes_of_attempt(attempt))]
    standing += [] if invalidation is None else [why.Invalidated(invalidation.by, invalidation.at, invalidation.why)]
    for cause in standing:
        yield NextBuild(cause.code, f"the next run: {sentence(cause, node.now)}")
    if node.settings.get("enabled") == "false":
        yield NextBuild(why.Forced.code, "every run: `state.enabled: false`")
    yield from (NextBuild(one.code, f"every run: {one.text}") for one in node.reasons if one.code == why.NotReusable.code)
    if node.trace is None:
        yield from _without_trace(node)
    elif node.record.row.status == "error" and node.is_last_word and not standing:
        yield NextBuild(
            node.reasons[0].code,
            f"the next run: the last one failed before it wrote anything, and it was to be built: {node.reasons[0].text}",
        )
    elif node.record.row.resource_type in _TESTS:
        yield from _test_at_once(node, node.trace)
    elif not _is_view(node.trace):
        yield from _unknown_inputs(node.trace)


def _without_trace(node: Standing) -> Iterator[NextBuild]:
    if node.record.row.decision == "skip":
        yield NextBuild(why.NeverBuilt.code, "the next run in which nothing above it fails: no complete build of it is recorded")
    else:
        yield NextBuild(why.NeverBuilt.code, "the next run: no complete build of it is recorded")


def _test_at_once(node: Standing, trace: Trace) -> Iterator[NextBuild]:
    if trace.volatile_value is not None:
        yield NextBuild(why.NotPassedBefore.code, f"every run: it uses {trace.volatile_value}, so its answer may change by itself")
    elif trace.test is None or not trace.test.passed:
        yield NextBuild(why.NotPassedBefore.code, "the next run: it did not pass the last time")
    elif node.record.row.resource_type == "test":
        yield from _unknown_inputs(trace)


def _unknown_inputs(trace: Trace) -> Iterator[NextBuild]:
    unknown = {node_text(entry.node): entry.version.why for entry in trace.inputs if isinstance(entry.version, Unknown)}
    if unknown:
        whys = listed(list(dict.fromkeys(unknown.values())), most=1)
        yield NextBuild(why.NewData.code, f"the next run: which data of {listed(list(unknown), _LISTED)} it has could not be told ({whys})")


# --- what has to happen first -----------------------------------------------------------------------------------------


def _changes(node: Standing) -> Iterator[NextBuild]:
    trace = node.trace
    assert trace is not None  # noqa: S101 - without one the next run builds it
    parts = counted(len(trace.code.parts), "part")
    yield NextBuild(
        why.CodeChanged.code, f"a change of its code, at once: {parts} of it are compared" if trace.code.parts else "a change of its code"
    )
    if node.record.row.resource_type in _TESTS:
        yield from _data_of_test(trace)
    elif _is_view(trace):
        yield NextBuild(
            why.ViewStale.code, f"other columns or types in {_inputs(trace)}; new data flows through it" if trace.inputs else "a drop"
        )
    else:
        yield from _data(node, trace)
    if node.record.row.resource_type not in _TESTS:
        yield NextBuild(why.RelationMissing.code, "somebody else drops or changes the relation, where the warehouse shows that")


def _is_view(trace: Trace) -> bool:
    return trace.relation_type == "view"


def _inputs(trace: Trace) -> str:
    return listed([node_text(entry.node) for entry in trace.inputs], _LISTED)


def _data_of_test(trace: Trace) -> Iterator[NextBuild]:
    if trace.inputs:
        yield NextBuild(why.NewData.code, f"new data in {_inputs(trace)}")


def _data(node: Standing, trace: Trace) -> Iterator[NextBuild]:
    interval = node.span("lag_tolerance")
    due = due_at(trace.scheduled_at, interval) if interval else None
    not_before = "" if due is None or due <= node.now else f", not before {moment_text(due, node.now)}"
    waiting = [name for one in node.reasons if one.code == why.WaitingForInputs.code for name in one.evidence.get("inputs", ())]
    if waiting:
        yield NextBuild(why.NewData.code, f"new data in {listed([node_text(name) for name in waiting], _LISTED)}{not_before}", due)
    elif any(one.code == why.TooSoon.code for one in node.reasons) and due is not None:
        yield NextBuild(why.NewData.code, f"the first run from {moment_text(due, node.now)} on, because of what has changed already", due)
    elif trace.inputs:
        of = "each of " if node.settings.get("require_fresh_data_from") == "all" and len(trace.inputs) > 1 else ""
        yield NextBuild(why.NewData.code, f"new data in {of}{_inputs(trace)}{not_before}", due if not_before else None)
    if trace.volatile_value is not None and node.settings.get("evaluate_volatile_sql") == "true":
        yield NextBuild(why.VolatileValue.code, f"every run, because `evaluate_volatile_sql` is true{not_before}")
    elif trace.volatile_value is not None:
        yield NextBuild(why.VolatileValue.code, f"another day than {trace.volatile_value}, because its SQL uses the date{not_before}")
    if trace.window is not None:
        yield NextBuild(why.WindowMoved.code, f"the next batch after {trace.window.removeprefix('up to ')}{not_before}")
    oldest = node.span("max_age")
    if oldest is not None:
        at = due_at(trace.scheduled_at, oldest)
        yield NextBuild(why.MaxAge.code, f"the first run from {moment_text(at, node.now)} on, whatever has changed: `max_age`", at)
