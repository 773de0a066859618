"""Whether the feed of a source is late: dbt's ``warn_after`` and ``error_after``, held against what the probes have read anyway.

A different question from "is there new data?" (semantics §4): it decides nothing about a node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.render.words import duration_text, rough_duration
from afresh.warehouse.probe import NO_ROWS

if TYPE_CHECKING:
    from datetime import timedelta

    from afresh.core.node import NodeId
    from afresh.orchestration.host import Host


@dataclass(frozen=True, slots=True)
class LateFeed:
    """A source whose newest row is older than it may be."""

    source: NodeId
    text: str
    is_error: bool


def late_feed(host: Host, source: NodeId, age: timedelta) -> LateFeed | None:
    """What to say of a source whose newest row is this old; ``None`` if it is not late, or nobody said when it would be."""
    limits = host.feed_limits(source)
    for limit, word in ((limits.error_after, "error_after"), (limits.warn_after, "warn_after")):
        if limit is not None and age > limit:
            found = "it holds no rows" if age == NO_ROWS else f"its newest row is {rough_duration(age.total_seconds())} old"
            text = f"{host.label(source)} is late: {found}, and {word} is {duration_text(limit)}"
            return LateFeed(source, text, is_error=word == "error_after")
    return None
