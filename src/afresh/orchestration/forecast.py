"""How long a plan takes with some threads, and which chain of nodes no number of threads makes shorter."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from afresh.render.views import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from afresh.core.node import NodeId


@dataclass(frozen=True)
class Queue:
    """dbt's queue of a run: how many nodes run side by side, and which nodes come directly before each."""

    threads: int
    above: Mapping[NodeId, Iterable[NodeId]]


def schedule_of(took: Mapping[NodeId, float], queue: Queue) -> Schedule:
    """When all is built that takes time: ``took`` has the seconds of each of these nodes, in the order of the plan."""
    order = tuple(dict.fromkeys((*took, *queue.above)))
    given, endless = _Run(took, queue, order), _Run(took, queue, order)
    return Schedule(queue.threads, given.go(queue.threads), endless.go(len(order) or 1), endless.longest_chain())


@dataclass
class _Run:
    """A run on a clock of its own: nodes begin when all above them have ended and a thread is free."""

    took: Mapping[NodeId, float]
    queue: Queue
    order: tuple[NodeId, ...]
    ended: dict[NodeId, float] = field(default_factory=dict)
    last_above: dict[NodeId, NodeId] = field(default_factory=dict)

    def go(self, threads: int) -> float:
        """The seconds until the last node has ended."""
        place = {node: number for number, node in enumerate(self.order)}
        waits = {node: {above for above in self.queue.above.get(node, ()) if above in place and above != node} for node in self.order}
        below: dict[NodeId, list[NodeId]] = {}
        for node, above in waits.items():
            for one in above:
                below.setdefault(one, []).append(node)
        ready = [place[node] for node, above in waits.items() if not above]
        running: list[tuple[float, int]] = []
        now = 0.0
        while ready or running:
            while ready and len(running) < threads:
                number = heapq.heappop(ready)
                heapq.heappush(running, (now + self.took.get(self.order[number], 0.0), number))
            now, number = heapq.heappop(running)
            done = self.order[number]
            self.ended[done] = now
            for node in below.get(done, ()):
                waits[node].discard(done)
                if not waits[node]:
                    self.last_above[node] = done
                    heapq.heappush(ready, place[node])
        return now + sum(seconds for node, seconds in self.took.items() if node not in self.ended)  # a cycle is none of dbt's

    def longest_chain(self) -> tuple[NodeId, ...]:
        """The nodes that take time on the way to the one that ends last, each because of the one before it."""
        chain: list[NodeId] = []
        node = max(self.ended, key=lambda one: (self.ended[one], one in self.took), default=None)
        while node is not None:
            if self.took.get(node):
                chain.append(node)
            node = self.last_above.get(node)
        return tuple(reversed(chain))
