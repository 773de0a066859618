"""dbt's queue of nodes: taking nodes out before the first one runs, and ordering readers after writers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import networkx as nx
from dbt.graph import GraphQueue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


def ancestors_in_queue(task: Any) -> dict[str, set[str]]:
    """For every node of the queue, the nodes of the queue that must be done before it (directly)."""
    graph = task.job_queue.graph
    return {node: set(graph.predecessors(node)) for node in graph.nodes()}


def order_in_queue(task: Any) -> tuple[str, ...]:
    """The selected nodes, parents first."""
    return tuple(nx.topological_sort(task.job_queue.graph))


def replace_queue(task: Any, *, without: Collection[str], after: Mapping[str, Iterable[str]]) -> None:
    """A queue without some nodes, in which some nodes come after others although dbt's graph does not say so.

    ``without`` must be closed under ancestors, so that no order is lost. dbt's own graph, which decides what is skipped
    below a failure, is not touched. An order that would close a cycle is left out.
    """
    old = task.job_queue
    graph: Any = nx.DiGraph(old.graph)
    graph.remove_nodes_from(without)
    for node, writers in after.items():
        for writer in writers:
            if node in graph and writer in graph and not nx.has_path(graph, node, writer):
                graph.add_edge(writer, node)
    task.job_queue = _Queue(graph, old.manifest, set(graph.nodes()))


class _Queue(GraphQueue):
    """dbt's queue, for nodes that may be done before anybody waits for them."""

    def wait_until_something_was_done(self) -> int:
        """Wait for one node, unless none is left: dbt, which asks under ``--fail-fast`` only, would then wait for ever."""
        with self.lock:
            if self.inner.unfinished_tasks:
                self.some_task_done.wait()
            return int(self.inner.unfinished_tasks)
