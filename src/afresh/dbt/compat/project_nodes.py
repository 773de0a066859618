"""dbt's manifest as nodes of the decision: kinds, relations, parents, owners of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt.node_types import NodeType

from afresh.core.node import TESTS, Kind, Node, NodeId, ResourceType
from afresh.core.relation import Relation, TraceKey, test_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KIND_OF_MATERIALIZATION = {
    "view": Kind.VIEW,
    "ephemeral": Kind.EPHEMERAL,
    "materialized_view": Kind.AUTO_REFRESHED,
    "dynamic_table": Kind.AUTO_REFRESHED,
    "streaming_table": Kind.AUTO_REFRESHED,
}
_KIND_OF_TYPE = {
    NodeType.Seed: Kind.TABLE,
    NodeType.Snapshot: Kind.TABLE,
    NodeType.Test: Kind.DATA_TEST,
    NodeType.Unit: Kind.UNIT_TEST,
    NodeType.Source: Kind.SOURCE,
    NodeType.Exposure: Kind.PASSIVE,
    NodeType.SavedQuery: Kind.PASSIVE,
}
_FUNCTION = getattr(NodeType, "Function", None)


class ProjectNodes:
    """Nodes of one manifest, made on demand and kept."""

    def __init__(self, manifest: Any, *, relation_of: Callable[[Any], Relation | None], warehouse: str) -> None:
        self._manifest = manifest
        self._relation_of = relation_of
        self._warehouse = warehouse
        self._nodes: dict[NodeId, Node] = {}
        self._owned: dict[NodeId, list[NodeId]] | None = None

    def raw(self, node_id: str) -> Any:
        """dbt's own object of this id; ``None`` where the project has none."""
        for table in self._tables():
            if node_id in table:
                return table[node_id]
        return None

    def _tables(self) -> Iterator[Any]:
        names = ("nodes", "sources", "unit_tests", "functions", "exposures", "saved_queries")
        return (getattr(self._manifest, name) for name in names if hasattr(self._manifest, name))

    def get(self, node_id: NodeId) -> Node:
        """The node of this id."""
        found = self._nodes.get(node_id)
        if found is None:
            found = self._nodes[node_id] = self._make(node_id, self.raw(node_id))
        return found

    def _make(self, node_id: NodeId, raw: Any) -> Node:
        kind = kind_of(raw)
        relation = None if kind in (*TESTS, Kind.PASSIVE, Kind.EPHEMERAL) else self._relation_of(raw)
        parents = tuple(parent for parent in self._parents(raw) if parent != node_id)
        return Node(
            id=node_id,
            name=str(raw.name) if kind is not Kind.SOURCE else f"{raw.source_name}.{raw.name}",
            resource_type=ResourceType(str(getattr(raw.resource_type, "value", raw.resource_type))),
            kind=kind,
            materialized=_materialized(raw),
            relation=relation,
            key=self._key(node_id, kind, relation, parents),
            project=str(raw.package_name),
            parents=parents,
            path=str(raw.original_file_path),
        )

    def _parents(self, raw: Any) -> Iterator[NodeId]:
        depends_on = getattr(raw, "depends_on", None)
        for parent in dict.fromkeys(getattr(depends_on, "nodes", ()) or ()):
            found = self.raw(parent)
            if found is not None and kind_of(found) is not Kind.PASSIVE:
                yield NodeId(parent)

    def _key(self, node_id: NodeId, kind: Kind, relation: Relation | None, parents: tuple[NodeId, ...]) -> TraceKey | None:
        if kind is Kind.UNIT_TEST:
            return test_key(node_id, self._warehouse, ())
        if kind is Kind.DATA_TEST:
            keys = (self.get(parent).key or TraceKey(parent) for parent in parents)
            return test_key(node_id, self._warehouse, keys)
        return relation.key if relation is not None else None

    def label(self, node_id: NodeId) -> str:
        """What people call a node."""
        node = self.get(node_id)
        return f"source {node.name}" if node.kind is Kind.SOURCE else node.name

    def tests_owned_by(self, node_id: NodeId) -> list[NodeId]:
        """Data tests of which the node is the attached node, or which name no node and read it (semantics §2, "Tests")."""
        if self._owned is None:
            self._owned = self._owners()
        return self._owned.get(node_id, [])

    def _owners(self) -> dict[NodeId, list[NodeId]]:
        owned: dict[NodeId, list[NodeId]] = {}
        for raw in self._manifest.nodes.values():
            if raw.resource_type == NodeType.Test:
                for owner in self._owners_of(raw):
                    owned.setdefault(owner, []).append(NodeId(raw.unique_id))
        return owned

    def _owners_of(self, raw: Any) -> tuple[NodeId, ...]:
        attached = getattr(raw, "attached_node", None)
        if attached:
            return (NodeId(attached),)
        if str(getattr(raw, "file_key_name", None) or "").startswith("sources."):
            return ()
        return tuple(parent for parent in self._parents(raw) if self.raw(parent).resource_type != NodeType.Source)


def kind_of(raw: Any) -> Kind:
    """How a node of dbt's manifest keeps its data."""
    if raw.resource_type == NodeType.Model:
        return _KIND_OF_MATERIALIZATION.get(_materialized(raw), Kind.TABLE)
    if _FUNCTION is not None and raw.resource_type == _FUNCTION:
        return Kind.FUNCTION
    return _KIND_OF_TYPE.get(raw.resource_type, Kind.PASSIVE)


def _materialized(raw: Any) -> str:
    return str(getattr(getattr(raw, "config", None), "materialized", "") or "")
