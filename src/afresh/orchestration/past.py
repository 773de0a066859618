"""An earlier run of plain dbt, as far as adopting what it built asks about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from afresh.core.node import NodeId
    from afresh.orchestration.code_types import CodeRecord


@dataclass(frozen=True)
class BuiltThen:
    """When an earlier run built a node, from its first step on, by the clock of the machine that it ran on."""

    started_at: datetime
    finished_at: datetime
    seconds: float


class PastRun(Protocol):
    """An earlier run, held against the project as it is now. An answer that is a text says why there is none."""

    @property
    def started_at(self) -> datetime:
        """When it began to build."""

    @property
    def finished_at(self) -> datetime:
        """When it had ended."""

    def built(self, node_id: NodeId) -> BuiltThen | str:
        """When it built the relation of a node."""

    def code(self, node_id: NodeId) -> CodeRecord | str:
        """The code that it built the node with, if that is the node's code now."""

    def unseen_variables(self, node_id: NodeId) -> tuple[str, ...]:
        """Variables that a node reads, and of whose values in that run nothing is left."""
