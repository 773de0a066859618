"""Everything that happens in a run, as a closed set of events: the log, the summary and the tests all read these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from afresh.core.decision import Decision
    from afresh.core.lease import Held
    from afresh.core.node import NodeId


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run opened its state."""

    run_id: str
    command: str
    selected: int


@dataclass(frozen=True, slots=True)
class NodeDecided:
    """The verdict on a node, as the run acted on it."""

    node: NodeId
    decision: Decision


@dataclass(frozen=True, slots=True)
class NodeWaiting:
    """A node waits for another run that builds the same relation."""

    node: NodeId
    held: Held


@dataclass(frozen=True, slots=True)
class NodeBuilt:
    """A node was built and its trace written."""

    node: NodeId
    seconds: float


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """A node was tried and did not end well."""

    node: NodeId
    detail: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should know once: ``code`` groups equal warnings."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run closed its state."""

    run_id: str
    built: int
    reused_verified: int
    reused_tolerated: int
    failed: int
    skipped: int
    deciding_seconds: float
    saved_seconds: float


Event = RunStarted | NodeDecided | NodeWaiting | NodeBuilt | NodeFailed | Warned | RunEnded
"""The closed union of events."""
