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
from afresh.core.reason import CodeChanged, MetadataChanged, NeverBuilt
from afresh.orchestration.order import in_order
from afresh.orchestration.run_report import RunReport, row_of
from afresh.orchestration.run_session import UNDECIDED_KINDS
from afresh.orchestration.versions import Planned

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from afresh.core.trace import Trace
    from afresh.orchestration.run_session import RunSession
    from afresh.render.views import PlanRow

_DERIVED = (Kind.VIEW, Kind.EPHEMERAL)


class _Foresight:
    """What the plan has said so far, for the nodes that follow."""

    def __init__(self, writers: Mapping[str, Iterable[str]]) -> None:
        self._writers = writers
        self.rebuilt: set[NodeId] = set()
        self.redefined: set[NodeId] = set()
        self.undetermined: set[NodeId] = set()

    def planned(self) -> Planned:
        return Planned(frozenset(self.rebuilt), frozenset(self.redefined), frozenset(self.undetermined))

    def pending_writers(self, node_id: NodeId) -> tuple[NodeId, ...]:
        """Nodes of this run that write a source of this one, and are not known to stay as they are."""
        pending = self.rebuilt | self.undetermined
        return tuple(NodeId(writer) for writer in self._writers.get(node_id, ()) if NodeId(writer) in pending)

    def note(self, node_id: NodeId, verdict: Verdict) -> None:
        match verdict:
            case Build(reasons=reasons):
                if all(isinstance(cause, MetadataChanged) for cause in reasons):
                    return  # its data version stays
                self.rebuilt.add(node_id)
                if any(isinstance(cause, CodeChanged | NeverBuilt) for cause in reasons):
                    self.redefined.add(node_id)
            case Undetermined():
                self.undetermined.add(node_id)
            case _:
                return


def make_plan(session: RunSession, writers: Mapping[str, Iterable[str]]) -> RunReport:
    """The verdict on every selected node. ``writers`` maps a node to the nodes of this run that write what it reads."""
    foresight, rows = _Foresight(writers), []
    for node_id in in_order(session.host, writers):
        if session.host.node(node_id).kind in UNDECIDED_KINDS:
            continue
        verdict, trace = _verdict(session, node_id, foresight)
        foresight.note(node_id, verdict)
        if isinstance(verdict, Reuse):
            session.note_tolerated(node_id, verdict)
        rows.append(row_of(session, node_id, verdict, trace))
    timed = _with_estimates(session, rows)
    return RunReport(session.settings.run_id, session.settings.target, timed, None, session.first_picture.now)


def _with_estimates(session: RunSession, rows: Sequence[PlanRow]) -> tuple[PlanRow, ...]:
    """What each node took before, by the median of its own last builds."""
    keys = [session.host.node(NodeId(row.unique_id)).key for row in rows]
    took = session.store.durations(key for key in keys if key is not None)
    return tuple(row if key is None else replace(row, estimated_seconds=took.get(key)) for row, key in zip(rows, keys, strict=True))


def _verdict(session: RunSession, node_id: NodeId, foresight: _Foresight) -> tuple[Verdict, Trace | None]:
    planned = foresight.planned()
    seen, trace = session.observe_first(node_id, planned)
    pending = foresight.pending_writers(node_id)
    if trace is not None and _would_query(session, trace):
        pending = (*pending, *_pending_above(session, node_id, planned))
    return plan_verdict(replace(seen, undetermined=tuple(dict.fromkeys(pending))), trace, session.host.settings(node_id).policy), trace


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
        elif session.host.node(parent).kind in _DERIVED:
            waiting.extend(session.host.node(parent).parents)
    return tuple(found)
