"""Many observations and traces in memory, for measuring the decision alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from afresh.core.node import Kind, Node, NodeId, ResourceType
from afresh.core.observation import Observation, ObservedInput, Present
from afresh.core.relation import Relation
from afresh.core.trace import RecordedInput, Trace
from afresh.core.version import CodeVersion, Known

_NOW = datetime(2026, 1, 2, 6, tzinfo=timezone.utc)
_INPUTS = 3
_CHANGED_EACH = 10


def situations(count: int) -> list[tuple[Observation, Trace]]:
    """``count`` tables with three inputs each; one in ten has new data."""
    return [_situation(number) for number in range(count)]


def _situation(number: int) -> tuple[Observation, Trace]:
    relation = Relation("duckdb:/shop.duckdb", "shop", "main", f"table_{number}")
    node = Node(NodeId(f"model.shop.table_{number}"), relation.identifier, ResourceType.MODEL, Kind.TABLE, "table", relation, relation.key)
    names = [f"model.shop.input_{number}_{at}" for at in range(_INPUTS)]
    trace = Trace(
        key=relation.key,
        node=node.id,
        resource_type=node.resource_type,
        project="shop",
        build_id=f"B{number}",
        run_id="R1",
        code=CodeVersion(),
        inputs=tuple(RecordedInput(name, None, Known("1")) for name in names),
        output_version=f"B{number}",
        started_at=_NOW - timedelta(days=1),
        finished_at=_NOW - timedelta(days=1),
        scheduled_at=_NOW - timedelta(days=1),
        relation_type="table",
    )
    token = "2" if number % _CHANGED_EACH == 0 else "1"
    seen = Observation(
        node=node,
        now=_NOW,
        scheduled_at=_NOW,
        existence=Present("table"),
        inputs=tuple(ObservedInput(name, None, Known(token)) for name in names),
    )
    return seen, trace
