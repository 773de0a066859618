"""What a node reads that is made of it (semantics §1, "Inputs").

dbt's graph has no cycles. One closes where a node reads, without a ``ref``, a relation that is made of the node: its own,
or one below it. Each build would then be the reason for the next, so at one place of the cycle such data is not new.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from afresh.core.node import Kind, Node, NodeId
from afresh.orchestration.closure import DERIVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from afresh.core.relation import TraceKey
    from afresh.orchestration.host import Host
    from afresh.orchestration.picture import Picture


class Cycles:
    """Finds the cycles among the nodes of one project.

    New data flows through views and ephemeral models, so only what keeps data is a place where a cycle can be cut. Of
    several such places it is the one with the first id that reads beyond the graph, whatever is selected.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    @cached_property
    def _selected_writers(self) -> Mapping[TraceKey, NodeId]:
        nodes = map(self._host.node, self._host.selected)
        return {node.relation.key: node.id for node in nodes if node.relation is not None}

    def writer(self, key: TraceKey, picture: Picture) -> NodeId | None:
        """The node of this project that writes a relation: one of this run, or who built it last."""
        if key in self._selected_writers:
            return self._selected_writers[key]
        trace = picture.trace(key)
        return trace.node if trace is not None and self._host.has_node(trace.node) else None

    def beyond_graph(self, node: Node, picture: Picture) -> Iterator[TraceKey]:
        """Relations that a node reads without a ``ref``: sources, what its settings name, and what its SQL named in the last build."""
        sources = (self._host.node(parent) for parent in node.parents)
        yield from (source.key for source in sources if source.kind is Kind.SOURCE and source.key is not None)
        named = self._host.settings(node.id).inputs
        targets = (self._host.target_named(name) for name in named) if isinstance(named, tuple) else ()
        yield from (target.relation.key for target in targets if target is not None)
        trace = picture.trace(node.key) if node.key is not None else None
        if trace is not None:
            yield from (entry.key for entry in trace.inputs if entry.key is not None and not self._host.has_node(entry.node))

    def closing(self, node_id: NodeId, picture: Picture, named: Iterable[TraceKey] = ()) -> Mapping[TraceKey, NodeId]:
        """The relations under a node whose data is not new to it, with who writes them: its own, and what is made of it.

        ``named``: relations that its SQL, just compiled, names beyond what is known of it.
        """
        node = self._host.node(node_id)
        if node.relation is None or node.kind in DERIVED:
            return {}
        found = self._beyond(node, picture, named)
        return {key: writer for key, writer in found.items() if writer == node_id or self._is_made_of(node_id, writer, picture)}

    def follows(self, node_id: NodeId, writer: NodeId, picture: Picture) -> bool:
        """Whether a node that reads beyond the graph what another writes can come after it."""
        if writer == node_id or self._is_above(node_id, writer):
            return False
        closing = self.closing(node_id, picture)
        if not closing:
            return True
        found = self._host.node(writer)
        made_of = {found.key} if found.kind not in DERIVED else self._reads(found, picture)
        return closing.keys().isdisjoint(made_of)

    def _is_above(self, node_id: NodeId, other: NodeId) -> bool:
        """Whether ``other`` is made of ``node_id``, however indirectly, by dbt's graph."""
        seen: set[NodeId] = set()
        waiting = [other]
        while waiting:
            for parent in self._host.node(waiting.pop()).parents:
                if parent == node_id:
                    return True
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return False

    def _is_made_of(self, node_id: NodeId, other: NodeId, picture: Picture) -> bool:
        """The same, and by what is read beyond the graph, except at places that come first where a cycle is cut."""
        seen = {other}
        level = {other}
        while level:
            nodes = [self._host.node(one) for one in level]
            picture.foresee(node.key for node in nodes if node.key is not None)
            level = {below for node in nodes for below in self._leads_to(node, node_id, picture)} - seen
            if node_id in level:
                return True
            seen |= level
        return False

    def _leads_to(self, node: Node, cut: NodeId, picture: Picture) -> Iterator[NodeId]:
        reads = self._reads(node, picture)
        beyond = self._beyond(node, picture) if node.id < cut else {}
        yield from (writer for key, (writer, _) in reads.items() if key not in beyond)

    def _beyond(self, node: Node, picture: Picture, named: Iterable[TraceKey] = ()) -> Mapping[TraceKey, NodeId]:
        """What of its reads the graph does not show."""
        return {key: writer for key, (writer, is_beyond) in self._reads(node, picture, named).items() if is_beyond}

    def _reads(self, node: Node, picture: Picture, named: Iterable[TraceKey] = ()) -> dict[TraceKey, tuple[NodeId, bool]]:
        """What keeps data under a node, through views and ephemeral models: who writes it, and whether no chain of ``ref`` leads there."""
        found: dict[TraceKey, tuple[NodeId, bool]] = {}
        seen: set[tuple[NodeId, bool]] = set()
        waiting = [(node, False)]
        while waiting:
            reader, is_beyond = waiting.pop()
            for below, crosses in self._direct(reader, picture, named if reader is node else ()):
                step = (below.id, is_beyond or crosses)
                if step in seen or below.kind is Kind.SOURCE:
                    continue
                seen.add(step)
                if below.kind in DERIVED:
                    waiting.append((below, step[1]))
                elif below.key is not None:
                    found[below.key] = (below.id, step[1] and (below.key not in found or found[below.key][1]))
        return found

    def _direct(self, node: Node, picture: Picture, named: Iterable[TraceKey]) -> Iterator[tuple[Node, bool]]:
        yield from ((self._host.node(parent), False) for parent in node.parents)
        writers = (self.writer(key, picture) for key in (*self.beyond_graph(node, picture), *named))
        yield from ((self._host.node(writer), True) for writer in writers if writer is not None)
