"""Everything that is seen now about one node, gathered before the decision is made.

An observation only holds facts; what follows from them is :func:`afresh.core.decide.decide`'s business alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from afresh.core.version import DataVersion, PartChange

if TYPE_CHECKING:
    from datetime import datetime

    from afresh.core.node import Node, NodeId
    from afresh.core.relation import TraceKey
    from afresh.core.trace import AttemptProblem, Invalidation


class Mode(str, Enum):
    """How the run was asked to treat this node."""

    STATE_AWARE = "state_aware"
    FORCED = "forced"
    """State-agnostic: ``--force``, ``state_aware: false`` or ``state.enabled: false``."""
    FULL_REFRESH = "full_refresh"


@dataclass(frozen=True, slots=True)
class Present:
    """The relation exists, and the warehouse calls it this type (``table``, ``view``, …; empty where it does not say)."""

    type: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """The relation does not exist."""


@dataclass(frozen=True, slots=True)
class NoRelation:
    """The node has no relation of its own (tests, ephemerals)."""


Existence = Present | Missing | NoRelation


@dataclass(frozen=True, slots=True)
class ObservedInput:
    """One direct input as it is now. Inputs that are the node's own output do not appear here."""

    node: str
    key: TraceKey | None
    version: DataVersion
    label: str = ""
    """How people call it, for example ``source ecom.raw_orders``."""
    waited_for: bool = True
    """False for seeds, functions and inputs marked static: ``updates_on: all`` does not wait for them."""
    tolerated: bool = False
    """Whether this run knows the input to be behind its own inputs because a policy allows it."""
    undetermined: tuple[NodeId, ...] = ()
    """Nodes that may still be built in this run before the version is certain; only a plan meets this."""
    reshaped: bool = False
    """Whether its columns or types are not known to be those that the last build read."""


@dataclass(frozen=True, slots=True)
class OutsideChange:
    """The relation's own token differs from the one that stood after our last build."""

    recorded: str
    observed: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class FailedTest:
    """A data test owned by this node that failed on exactly the build that stands in the warehouse."""

    node: NodeId
    at: datetime
    failures: int | None = None


@dataclass(frozen=True, slots=True)
class StaleView:
    """Why the warehouse's stored definition of a view no longer fits what is under it."""

    parent: str
    text: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A value that counts as an input (a volatile SQL value, a microbatch window) and its two readings."""

    what: str
    recorded: str | None
    observed: str | None


@dataclass(frozen=True)
class Observation:
    """All facts about one node at one moment. ``now`` and ``scheduled_at`` come from the state database's clock."""

    node: Node
    now: datetime
    scheduled_at: datetime
    mode: Mode = Mode.STATE_AWARE
    upstream_failed: NodeId | None = None
    invalidation: Invalidation | None = None
    not_reusable: str | None = None
    existence: Existence = NoRelation()
    attempt: AttemptProblem | None = None
    code_changes: tuple[PartChange, ...] = ()
    outside: OutsideChange | None = None
    failed_tests: tuple[FailedTest, ...] = ()
    stale_view: StaleView | None = None
    inputs: tuple[ObservedInput, ...] = ()
    volatile: Moved | None = None
    window: Moved | None = None
    volatile_test: str | None = None
    """Why a test can change its answer while nothing it reads changes; tests only."""
    undetermined: tuple[NodeId, ...] = ()
    """Nodes that must have run before this one can be decided at all; only a plan meets this."""
