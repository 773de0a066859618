"""A node of dbt's graph as the decision sees it: what kind of thing it is and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from afresh.core.relation import Relation, TraceKey

NodeId = NewType("NodeId", str)
"""dbt's ``unique_id``."""


class ResourceType(str, Enum):
    """dbt's resource types that pass through a run, spelled as dbt spells them."""

    MODEL = "model"
    SEED = "seed"
    SNAPSHOT = "snapshot"
    TEST = "test"
    UNIT_TEST = "unit_test"
    FUNCTION = "function"
    SOURCE = "source"
    EXPOSURE = "exposure"
    SAVED_QUERY = "saved_query"
    OPERATION = "operation"


class Kind(str, Enum):
    """How a node keeps its data, which decides what its data version means (semantics §1, "Data version")."""

    TABLE = "table"
    """Holds rows that a build wrote: tables, incrementals, seeds, snapshots."""
    VIEW = "view"
    EPHEMERAL = "ephemeral"
    AUTO_REFRESHED = "auto_refreshed"
    """The warehouse refreshes it: materialized views, dynamic tables."""
    FUNCTION = "function"
    DATA_TEST = "data_test"
    UNIT_TEST = "unit_test"
    SOURCE = "source"
    OPAQUE = "opaque"
    """A custom materialization that nobody vouched for: cannot be reasoned about."""
    PASSIVE = "passive"
    """Touches no warehouse in a run: exposures, saved queries."""


TESTS = (Kind.DATA_TEST, Kind.UNIT_TEST)


@dataclass(frozen=True, slots=True)
class Node:
    """One node. ``key`` is what its trace is stored under; ``None`` for nodes that leave no trace (ephemerals, passive ones)."""

    id: NodeId
    name: str
    resource_type: ResourceType
    kind: Kind
    materialized: str = ""
    relation: Relation | None = None
    key: TraceKey | None = None
    project: str = ""
    parents: tuple[NodeId, ...] = ()
    path: str = ""
