"""Looking at each source that reaches a selected node: what tells of its changes, how far that can be trusted, what asking costs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.core.node import Kind, NodeId
from afresh.core.relation import TraceKey
from afresh.core.version import same_data
from afresh.orchestration.closure import reach
from afresh.orchestration.readings import converse
from afresh.warehouse.last_change import last_loaded
from afresh.warehouse.probe import Memo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from afresh.core.node import Node
    from afresh.orchestration.run_session import RunSession
    from afresh.warehouse.probe import ProbeAnswer, Target


@dataclass(frozen=True)
class SourceFinding:
    """One source: the answer of the warehouse, and what it took to get it.

    ``unchanged_since`` is the earliest build that read the data as it is now, ``changed_since`` the last one that read other data;
    ``kept_by``: the job of this state that builds it, so that nobody has to ask.
    """

    node: Node
    label: str
    target: Target | None
    answer: ProbeAnswer | None
    seconds: float = 0.0
    last_loaded: str = ""
    unchanged_since: datetime | None = None
    changed_since: datetime | None = None
    kept_by: str = ""


def examine(session: RunSession) -> tuple[SourceFinding, ...]:
    """Every source that bears on a selected node, in the order of their names. Nothing is touched."""
    return tuple(sorted(_findings(session), key=lambda found: found.node.name))


def _findings(session: RunSession) -> Iterator[SourceFinding]:
    host, picture = session.host, session.first_picture
    for node_id in _sources(session):
        node = host.node(node_id)
        trace = None if node.key is None else picture.trace(node.key)
        if node.relation is None:
            yield SourceFinding(node, host.label(node_id), None, None)
        elif trace is not None:
            yield SourceFinding(node, host.label(node_id), None, None, kept_by=trace.node)
        else:
            yield _asked(session, node, host.target(node.relation, node_id))


def _sources(session: RunSession) -> list[NodeId]:
    return [node_id for node_id in reach(session.host, session.host.selected) if session.host.node(node_id).kind is Kind.SOURCE]


def _asked(session: RunSession, node: Node, target: Target) -> SourceFinding:
    """Ask once more about one source alone, as a run would: with what the last run remembered."""
    stored = session.store.probe_memos([target.key])
    memos = {TraceKey(key): Memo(memo.token, memo.guard) for key, memo in stored.items()}
    began = time.perf_counter()
    answers = converse(session.host.engine.probe((target,), memos), session.host)
    seconds = time.perf_counter() - began
    answer = answers.get(target.key)
    dated = None if answer is None else last_loaded(answer)
    unchanged, changed = (None, None) if answer is None else _since(session, target.key, answer)
    return SourceFinding(
        node,
        session.host.label(node.id),
        target,
        answer,
        seconds,
        last_loaded="" if dated is None else dated.said,
        unchanged_since=unchanged,
        changed_since=changed,
    )


def _since(session: RunSession, key: TraceKey, answer: ProbeAnswer) -> tuple[datetime | None, datetime | None]:
    read = [(trace.started_at, entry.version) for trace in session.first_picture.traces() for entry in trace.inputs if entry.key == key]
    same = [at for at, version in read if same_data(version, answer.version)]
    other = [at for at, version in read if not same_data(version, answer.version)]
    return min(same, default=None), max(other, default=None)
