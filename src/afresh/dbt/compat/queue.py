"""dbt's queue of nodes: taking nodes out before the first one runs, and ordering readers after writers."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty
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


def settle(task: Any, node_id: str) -> None:
    """A node that was given out runs now."""
    if isinstance(task.job_queue, _Queue):
        task.job_queue.settle(node_id)


def put_back(task: Any, node_id: str) -> None:
    """A node that was given out is to be given out once more."""
    task.job_queue.put_back(node_id)


_TICK = 0.5
"""Seconds.

Python sees a signal only between two steps of its main thread. One that comes just before that thread begins to wait
does not wake it, so an endless wait could outlast Ctrl-C for ever; nothing here waits longer than this at a time.
"""


class _Queue(GraphQueue):
    """dbt's queue, for nodes that may be done before anybody waits for them, and for nodes that come back.

    dbt gives nodes out until all that are left are in progress, and then only waits. A node that was given out may come
    back here, so the giving goes on until it is settled of every node that it runs.
    """

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - dbt's signature
        """The next node."""
        while block and timeout is None:
            with suppress(Empty):
                return super().get(timeout=_TICK)
        return super().get(block, timeout)

    def join(self) -> None:
        """Wait until all nodes are done."""
        with self.inner.all_tasks_done:
            while self.inner.unfinished_tasks:
                self.inner.all_tasks_done.wait(_TICK)

    def __init__(self, *args: Any) -> None:
        self._unsettled: set[str] = set()
        super().__init__(*args)

    def _mark_in_progress(self, node_id: str, **facts: Any) -> None:
        self._unsettled.add(node_id)
        super()._mark_in_progress(node_id, **facts)

    def mark_done(self, node_id: str) -> None:
        """A node ended."""
        self.settle(node_id)
        super().mark_done(node_id)

    def settle(self, node_id: str) -> None:
        """A node that was given out runs now; it does not come back."""
        with self.lock:
            self._unsettled.discard(node_id)
            self.some_task_done.notify_all()

    def put_back(self, node_id: str) -> None:
        """A node that was given out is to be given out once more."""
        with self.lock:
            self.in_progress.remove(node_id)
            if hasattr(self, "in_progress_microbatch"):  # from dbt-core 1.10 on
                self.in_progress_microbatch.discard(node_id)
            self._unsettled.discard(node_id)
            self.queued.add(node_id)
            self.inner.put((self._scores[node_id], node_id))
            self.inner.task_done()
            self.some_task_done.notify_all()

    def empty(self) -> bool:
        """Whether no node is left to be given out, now or later."""
        with self.lock:
            while len(self.graph) == len(self.in_progress) and self._unsettled:
                self.some_task_done.wait(_TICK)
            return len(self.graph) == len(self.in_progress)

    def wait_until_something_was_done(self) -> int:
        """Wait for one node, unless none is left: dbt, which asks in a loop and under ``--fail-fast`` only, would then wait for ever."""
        with self.lock:
            if self.inner.unfinished_tasks:
                self.some_task_done.wait(_TICK)
            return int(self.inner.unfinished_tasks)
