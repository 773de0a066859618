"""Counting what a run did, and remembering what was decided until the state has it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from afresh.core.decision import Confidence, Reuse

if TYPE_CHECKING:
    from afresh.core.decision import Decision
    from afresh.core.node import NodeId
    from afresh.core.relation import TraceKey


@dataclass(frozen=True)
class SqlChange:
    """The compiled SQL of the last build and of this one, where they differ."""

    recorded: str
    observed: str


@dataclass(frozen=True)
class NodeDone:
    """One node as the run left it. ``status`` is ``success``, ``error``, ``skipped`` or ``reused``."""

    node: NodeId
    decision: Decision
    status: str
    seconds: float
    sql: SqlChange | None = None


@dataclass
class Tally:
    """The running account of one run; safe to use from many threads."""

    done: list[NodeDone] = field(default_factory=list)
    deciding_seconds: float = 0.0
    built_without_state: list[TraceKey] = field(default_factory=list)
    waited: dict[NodeId, float] = field(default_factory=dict)
    """The seconds that nodes waited for other runs."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, entry: NodeDone) -> None:
        """Count one node."""
        with self._lock:
            self.done.append(entry)

    def add_deciding(self, seconds: float) -> None:
        """Count time that was spent on deciding."""
        with self._lock:
            self.deciding_seconds += seconds

    def add_wait(self, node_id: NodeId, seconds: float) -> None:
        """Count time that a node waited for another run."""
        with self._lock:
            self.waited[node_id] = self.waited.get(node_id, 0.0) + seconds

    def built(self) -> int:
        """How many nodes were built with success."""
        return sum(1 for entry in self.done if entry.status == "success")

    def failed(self) -> int:
        """How many nodes were tried and did not end well."""
        return sum(1 for entry in self.done if entry.status == "error")

    def skipped(self) -> int:
        """How many nodes were below a failure."""
        return sum(1 for entry in self.done if entry.status == "skipped")

    def reused(self, confidence: Confidence) -> int:
        """How many nodes were reused with this confidence."""
        decisions = (entry.decision for entry in self.done)
        return sum(1 for decision in decisions if isinstance(decision, Reuse) and decision.confidence is confidence)
