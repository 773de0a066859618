"""Readers come after writers, also where dbt's graph does not say so (semantics §1, "Inputs").

A node may read a relation that another node of the same run writes without a ``ref``: through a source, or because its SQL
names the table. dbt's graph is not edited; the reader is only decided later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.node import Kind, NodeId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from afresh.core.relation import TraceKey
    from afresh.orchestration.host import Host
    from afresh.orchestration.picture import Picture


def writers_of_reads(host: Host, picture: Picture) -> dict[str, set[str]]:
    """For every selected node, the selected nodes that write what it reads and are not its parents in dbt's graph.

    What only SQL reads is known from the last build; before the first one nobody knows it. Who writes what is made of the
    reader comes after it, as dbt's graph says.
    """
    writers = {relation.key: node_id for node_id in host.selected if (relation := host.node(node_id).relation) is not None}
    found: dict[str, set[str]] = {}
    for node_id in host.selected:
        for key in _reads_beyond_graph(node_id, host, picture):
            writer = writers.get(key)
            if writer is not None and writer != node_id and not is_above(host, node_id, writer):
                found.setdefault(node_id, set()).add(writer)
    return found


def is_above(host: Host, node_id: NodeId, other: NodeId) -> bool:
    """Whether ``other`` is made of ``node_id``, however indirectly, by dbt's graph."""
    seen: set[NodeId] = set()
    waiting = [other]
    while waiting:
        for parent in host.node(waiting.pop()).parents:
            if parent == node_id:
                return True
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return False


def _reads_beyond_graph(node_id: NodeId, host: Host, picture: Picture) -> Iterator[TraceKey]:
    node = host.node(node_id)
    sources = (host.node(parent) for parent in node.parents)
    yield from (source.key for source in sources if source.kind is Kind.SOURCE and source.key is not None)
    trace = picture.trace(node.key) if node.key is not None else None
    if trace is not None:
        yield from (entry.key for entry in trace.inputs if entry.key is not None and not host.has_node(entry.node))


def in_order(host: Host, writers: Mapping[str, Iterable[str]]) -> tuple[NodeId, ...]:
    """The selected nodes, parents and writers first; an order that would close a cycle is left out."""
    seen: dict[NodeId, None] = {}
    begun: set[NodeId] = set()

    def visit(node_id: NodeId) -> None:
        if node_id in begun:
            return
        begun.add(node_id)
        for above in (*host.node(node_id).parents, *map(NodeId, sorted(writers.get(node_id, ())))):
            visit(above)
        seen[node_id] = None

    for node_id in host.selected:
        visit(node_id)
    selected = set(host.selected)
    return tuple(node_id for node_id in seen if node_id in selected)
