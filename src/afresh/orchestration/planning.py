"""A plan: the verdicts of a run that would start now, without touching anything.

Nodes are gone through in dbt's order. What an earlier node's verdict means for a later one is told by
:class:`~afresh.orchestration.versions.Planned`; what cannot be known before a node has run is *undetermined*.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from afresh.core.decide import plan_verdict
from afresh.core.decision import Build, Reuse, Undetermined, Verdict
from afresh.core.node import Kind, NodeId
from afresh.core.reason import ChangedOutside, CodeChanged, MetadataChanged, NeverBuilt, RelationTypeChanged, ViewStale
from afresh.orchestration.closure import DERIVED
from afresh.orchestration.forecast import Queue, schedule_of
from afresh.orchestration.order import in_order
from afresh.orchestration.run_report import RunReport, row_of
from afresh.orchestration.run_session import UNDECIDED_KINDS
from afresh.orchestration.versions import Planned
from afresh.orchestration.what_if import Assumptions
from afresh.render.views import LeaseLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from afresh.core.observation import Observation, ObservedInput
    from afresh.core.trace import Trace
    from afresh.orchestration.run_session import RunSession
    from afresh.render.views import PlanRow

_RESHAPING = (ChangedOutside, CodeChanged, NeverBuilt, RelationTypeChanged, ViewStale)
"""Why a build may leave other columns than there were; new data alone does so only where the columns of an input changed."""


class _Foresight:
    """What the plan has said so far, for the nodes that follow."""

    def __init__(self, writers: Mapping[str, Iterable[str]], assumptions: Assumptions) -> None:
        self._writers = writers
        self.assumptions = assumptions
        self._new_data = assumptions.new_data
        self.rebuilt: set[NodeId] = set()
        self.redefined: set[NodeId] = set()
        self.undetermined: set[NodeId] = set()
        self.reshaped: set[NodeId] = set()
        """Nodes whose columns may be others after they were built."""

    def planned(self) -> Planned:
        return Planned(frozenset(self.rebuilt), frozenset(self.redefined), frozenset(self.undetermined), self._new_data)

    def pending_writers(self, node_id: NodeId) -> tuple[NodeId, ...]:
        """Nodes of this run that write a source of this one, and are not known to stay as they are."""
        pending = self.rebuilt | self.undetermined
        return tuple(NodeId(writer) for writer in self._writers.get(node_id, ()) if NodeId(writer) in pending)

    def reshaped_under(self, seen: Observation) -> tuple[NodeId, ...]:
        """Nodes that will be built under a view, and may leave it with columns that are not theirs any more."""
        return tuple(NodeId(entry.node) for entry in seen.inputs if seen.node.kind is Kind.VIEW and entry.node in self.reshaped)

    def note(self, node_id: NodeId, verdict: Verdict, seen: Observation) -> None:
        match verdict:
            case Build(reasons=reasons):
                if any(isinstance(cause, _RESHAPING) for cause in reasons) or any(map(self._is_reshaped, seen.inputs)):
                    self.reshaped.add(node_id)
                if all(isinstance(cause, MetadataChanged) for cause in reasons):
                    return  # its data version stays
                self.rebuilt.add(node_id)
                if any(isinstance(cause, CodeChanged | NeverBuilt) for cause in reasons):
                    self.redefined.add(node_id)
            case Undetermined(waiting_on=waiting_on):
                self.reshaped.add(node_id)
                if not set(waiting_on) <= set(self.reshaped_under(seen)):  # else only its definition is: its data is that of its parents
                    self.undetermined.add(node_id)
            case _:
                return

    def _is_reshaped(self, entry: ObservedInput) -> bool:
        return entry.reshaped or entry.node in self.reshaped


def make_plan(session: RunSession, writers: Mapping[str, Iterable[str]], queue: Queue | None = None) -> RunReport:
    """The verdict on every selected node. ``writers`` maps a node to the nodes of this run that write what it reads.

    With dbt's ``queue`` it is also told how long that takes with its threads.
    """
    assumptions = Assumptions(session.host, session.settings.what_if.changed)
    foresight, rows = _Foresight(writers, assumptions), []
    for node_id in in_order(session.host, writers):
        if session.host.node(node_id).kind in UNDECIDED_KINDS:
            continue
        seen, verdict, trace = _verdict(session, node_id, foresight)
        foresight.note(node_id, verdict, seen)
        if isinstance(verdict, Reuse):
            session.note_tolerated(node_id, verdict)
        rows.append(row_of(session, node_id, verdict, trace))
    for node_id in assumptions.without_effect():
        label = session.host.label(node_id)
        session.host.say(
            f"assumed:{node_id}", f"nothing that is selected reads {label}, so it makes no difference that it is assumed to change"
        )
    timed = _with_estimates(session, rows)
    return RunReport(
        session.settings.run_id,
        session.settings.target,
        timed,
        now=session.settings.what_if.at or session.first_picture.now,
        schedule=None if queue is None else schedule_of(_seconds(timed), queue),
        leases=tuple(_leases(session)),
        what_if=assumptions.told(session.settings.what_if.at),
    )


def _seconds(rows: Sequence[PlanRow]) -> dict[NodeId, float]:
    return {NodeId(row.unique_id): row.estimated_seconds for row in rows if row.decision == "build" and row.estimated_seconds is not None}


def _leases(session: RunSession) -> Iterator[LeaseLine]:
    """Who may build what this plan is about at this moment."""
    picture = session.first_picture
    for node_id in session.host.selected:
        key = session.host.node(node_id).key
        held = None if key is None else picture.held(key)
        if held is not None:
            holder, is_building = held.holder, picture.builder(held.key) is not None
            yield LeaseLine(node_id, holder.run_id, holder.host, holder.pid, holder.job, held.since, held.expires_at, is_building)


def _with_estimates(session: RunSession, rows: Sequence[PlanRow]) -> tuple[PlanRow, ...]:
    """What each node took before, by the median of its own last builds."""
    keys = [session.host.node(NodeId(row.unique_id)).key for row in rows]
    took = session.store.durations(key for key in keys if key is not None)
    return tuple(row if key is None else replace(row, estimated_seconds=took.get(key)) for row, key in zip(rows, keys, strict=True))


def _verdict(session: RunSession, node_id: NodeId, foresight: _Foresight) -> tuple[Observation, Verdict, Trace | None]:
    planned = foresight.planned()
    seen, trace = session.observe_first(node_id, planned)
    pending = (*foresight.pending_writers(node_id), *foresight.reshaped_under(seen))
    if trace is not None and _would_query(session, trace):
        pending = (*pending, *_pending_above(session, node_id, planned))
    seen = foresight.assumptions.seen(replace(seen, undetermined=tuple(dict.fromkeys(pending))))
    return seen, plan_verdict(seen, trace, session.host.settings(node_id).policy), trace


def _would_query(session: RunSession, trace: Trace) -> bool:
    return session.host.may_query_while_rendering(session.code.on_record(trace))


def _pending_above(session: RunSession, node_id: NodeId, planned: Planned) -> tuple[NodeId, ...]:
    """Nodes that will be built and whose data this node's rendering may look at."""
    found: list[NodeId] = []
    waiting = list(session.host.node(node_id).parents)
    while waiting:
        parent = waiting.pop()
        if parent in planned.rebuilt or parent in planned.undetermined:
            found.append(parent)
        elif session.host.node(parent).kind in DERIVED:
            waiting.extend(session.host.node(parent).parents)
    return tuple(found)
