"""The verdict on one node: a closed union, ended by ``assert_never`` wherever it is taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from afresh.core.reason import Reason

if TYPE_CHECKING:
    from afresh.core.node import NodeId
    from afresh.core.trace import Trace


class Confidence(str, Enum):
    """Reuse is *verified* when nothing differs, *tolerated* when something does and a policy says not yet."""

    VERIFIED = "verified"
    TOLERATED = "tolerated"


@dataclass(frozen=True)
class Build:
    """Build the node, for all of these reasons; the first one is the verdict's."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Reuse:
    """Leave the node as its trace says it is."""

    trace: Trace | None
    confidence: Confidence
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Clone:
    """Make the node from the same relation of another environment."""

    source: Trace
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Skip:
    """Do not touch the node: dbt's rule for what is below a failure."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Undetermined:
    """A plan cannot know before these nodes have run. ``reasons`` are the causes known already."""

    waiting_on: tuple[NodeId, ...]
    reasons: tuple[Reason, ...] = ()


Decision = Build | Reuse | Clone | Skip
"""What a run does with a node."""

Verdict = Decision | Undetermined
"""What a plan may say of a node."""
