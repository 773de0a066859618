"""Readers come after writers, also where dbt's graph does not say so (semantics §1, "Inputs").

A node may read a relation that another node of the same run writes without a ``ref``: through a source, or because its SQL
names the table. dbt's graph is not edited; the reader is only decided later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.node import NodeId
from afresh.orchestration.cycles import Cycles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from afresh.orchestration.host import Host
    from afresh.orchestration.picture import Picture


def writers_of_reads(host: Host, picture: Picture) -> dict[str, set[str]]:
    """For every selected node, the selected nodes that write what it reads and are not its parents in dbt's graph.

    What only SQL reads is known from the last build; before the first one nobody knows it. Who writes what is made of the
    reader comes after it.
    """
    cycles = Cycles(host)
    writers = {relation.key: node_id for node_id in host.selected if (relation := host.node(node_id).relation) is not None}
    found: dict[str, set[str]] = {}
    for node_id in host.selected:
        for key in cycles.beyond_graph(host.node(node_id), picture):
            writer = writers.get(key)
            if writer is not None and cycles.follows(node_id, writer, picture):
                found.setdefault(node_id, set()).add(writer)
    return found


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
