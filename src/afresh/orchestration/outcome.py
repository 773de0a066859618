"""What the protocol tells the host to do, or that it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from afresh.core.decision import Reuse, Skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from afresh.core.decision import Build
    from afresh.core.node import NodeId
    from afresh.core.reason import Reason
    from afresh.core.relation import TraceKey
    from afresh.orchestration.host import BuildReport

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Act(Protocol[R_co]):
    """The host's own run of one node."""

    def __call__(self, before_execution: Callable[[], None]) -> tuple[R_co, BuildReport]:
        """Run the node as the host would; ``before_execution`` is called once its SQL is known and none of it was sent."""


@dataclass(frozen=True)
class Reused:
    """The node stays as it is."""

    decision: Reuse


@dataclass(frozen=True)
class Ran(Generic[R]):
    """The host ran the node, and this is its result."""

    result: R
    decision: Build | Skip | None


@dataclass(frozen=True)
class Refused:
    """The node fails for a reason of ours: a wait that was too long, a lost lease, a state that cannot be reached."""

    reason: Reason
    text: str


@dataclass(frozen=True)
class Wait:
    """The node waits for the holder of ``key``, at most until a moment of ``time.monotonic``."""

    node: NodeId
    key: TraceKey
    until: float
