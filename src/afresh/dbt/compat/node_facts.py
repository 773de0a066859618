"""dbt's nodes as plain values for the fingerprint. Renders nothing, asks nothing of the warehouse, changes no node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbt.adapters.factory import get_adapter
from dbt.exceptions import ParsingError
from dbt.flags import get_flags
from dbt.node_types import NodeType

from afresh.core.node import ResourceType
from afresh.dbt.compat.project_nodes import kind_of
from afresh.fingerprint.node_code import ColumnCode, FunctionCode, NodeCode, TestCode, UnitTestCode

if TYPE_CHECKING:
    from collections.abc import Iterator

INLINED = "(inlined)"
"""Stands for the relation name of an ephemeral model: its code is part of the SQL of whoever refers to it."""

_CLONE_ONLY = frozenset({"__dbt_internal_microbatch_event_time_start", "__dbt_internal_microbatch_event_time_end"})


class NodeFacts:
    """Fills in :class:`NodeCode` for the nodes of one manifest."""

    def __init__(self, manifest: Any, config: Any) -> None:
        self._manifest = manifest
        self._config = config

    def node_code(self, node: Any, *, seed_digest: str | None = None, tested: Mapping[str, str] | None = None) -> NodeCode:
        """The node's code as it can be known without rendering."""
        kind = kind_of(node)
        return NodeCode(
            resource_type=ResourceType(_text(node.resource_type)),
            kind=kind,
            adapter_type=self._config.credentials.type,
            raw_code=getattr(node, "raw_code", "") or "",
            language=_text(getattr(node, "language", "sql")),
            config=_config_of(node),
            columns={name: _column(column) for name, column in (getattr(node, "columns", None) or {}).items()},
            constraints=[self._constraint(entry, node) for entry in getattr(node, "constraints", None) or ()],
            relation_name=own_relation_name(node),
            refs=dict(self._refs(node)),
            ref_event_times=dict(self._event_times(node)),
            description=getattr(node, "description", "") or "",
            seed_digest=seed_digest,
            test=_test(node),
            unit_test=_unit_test(node, tested or {}) if node.resource_type == NodeType.Unit else None,
            function=_function(node) if _text(node.resource_type) == "function" else None,
            extra=_extra(node),
        )

    # --- what the node refers to --------------------------------------------------------------------------------------

    def find(self, unique_id: str) -> Any:
        """dbt's object of a node, source or function; ``None`` where the project has none."""
        for table in ("nodes", "sources", "functions"):
            found = getattr(self._manifest, table, {}).get(unique_id)
            if found is not None:
                return found
        return None

    def parents(self, node: Any) -> Iterator[Any]:
        """What the node refers to, by dbt's graph."""
        for unique_id in dict.fromkeys(getattr(node.depends_on, "nodes", ())):
            found = self.find(unique_id)
            if found is not None and found.unique_id != node.unique_id:
                yield found

    def ephemerals_above(self, node: Any) -> tuple[Any, ...]:
        """Every ephemeral model that is inlined into the node, however deep."""
        found: dict[str, Any] = {}
        waiting = [parent for parent in self.parents(node) if _is_ephemeral(parent)]
        while waiting:
            parent = waiting.pop()
            if parent.unique_id not in found:
                found[parent.unique_id] = parent
                waiting.extend(above for above in self.parents(parent) if _is_ephemeral(above))
        return tuple(found[unique_id] for unique_id in sorted(found))

    def _refs(self, node: Any) -> Iterator[tuple[str, str]]:
        for parent in self.parents(node):
            yield parent.unique_id, self.relation_name(parent)

    def _event_times(self, node: Any) -> Iterator[tuple[str, str | None]]:
        if _text(getattr(node.config, "incremental_strategy", None)) == "microbatch":
            for parent in self.parents(node):
                yield parent.unique_id, getattr(parent.config, "event_time", None)

    def relation_name(self, target: Any) -> str:
        """What ``ref`` or ``source`` gives for a node now, with ``--defer`` where it is asked for."""
        if _is_ephemeral(target):
            return INLINED
        deferred = getattr(target, "defer_relation", None) or getattr(target, "defer_function", None)
        if deferred and getattr(self._config.args, "defer", False) and self._is_deferred(target):
            return str(getattr(deferred, "relation_name", None) or deferred)
        return str(getattr(target, "relation_name", None) or target.unique_id)

    def _is_deferred(self, target: Any) -> bool:
        """dbt's own rule (``RuntimeRefResolver.create_relation``), from its cache of relations."""
        from dbt import selected_resources

        if self._config.args.favor_state and target.unique_id not in selected_resources.SELECTED_RESOURCES:
            return True
        return not self.exists(target)

    def exists(self, node: Any) -> bool:
        """Whether the node's relation is in dbt's cache of relations."""
        identifier = str(getattr(node, "identifier", None) or getattr(node, "alias", "")).lower()
        relations = get_adapter(self._config).cache.get_relations(node.database, node.schema)
        return any((found.identifier or "").lower() == identifier for found in relations)

    def _constraint(self, entry: Any, node: Any) -> dict[str, Any]:
        """dbt replaces ``to`` by a relation's name when it compiles the node: the name is taken either way."""
        said = dict(entry.to_dict(omit_none=True))
        if said.get("to"):
            said["to"] = self._target_of_key(str(said["to"]), node)
        return said

    def _target_of_key(self, expression: str, node: Any) -> str:
        try:
            found = self._manifest.find_node_from_ref_or_source(expression)
        except ParsingError:
            return expression
        return self.relation_name(found) if found is not None and found is not node else expression


def own_relation_name(node: Any) -> str | None:
    """The node's relation as the adapter quotes it. dbt names a test's relation when it compiles it, stored or not."""
    if node.resource_type == NodeType.Test and not stores_failures(node):
        return None
    return getattr(node, "relation_name", None)


def stores_failures(node: Any) -> bool:
    """Whether a test writes its failing rows into a table, by config or by flag."""
    return node.resource_type == NodeType.Test and bool(node.config.store_failures or get_flags().STORE_FAILURES)


def _is_ephemeral(node: Any) -> bool:
    return bool(getattr(node, "is_ephemeral_model", False))


def _config_of(node: Any) -> dict[str, Any]:
    config = node.config.to_dict(omit_none=True)
    return {key: value for key, value in config.items() if key not in _CLONE_ONLY}


def _column(column: Any) -> ColumnCode:
    return ColumnCode(
        data_type=column.data_type,
        description=column.description or "",
        constraints=[entry.to_dict(omit_none=True) for entry in column.constraints],
        quote=column.quote,
        tags=column.tags,
        meta=column.meta,
        extra=dict(column._extra),
    )


def _test(node: Any) -> TestCode | None:
    metadata = getattr(node, "test_metadata", None)
    if metadata is None:
        return None
    return TestCode(
        name=metadata.name,
        namespace=metadata.namespace,
        kwargs=metadata.kwargs,
        column_name=getattr(node, "column_name", None),
        attached_node=getattr(node, "attached_node", None),
    )


def _unit_test(node: Any, tested: Mapping[str, str]) -> UnitTestCode:
    return UnitTestCode(
        model=node.model,
        given=[given.to_dict(omit_none=True) for given in node.given],
        expect=node.expect.to_dict(omit_none=True),
        overrides=node.overrides.to_dict(omit_none=True) if node.overrides else {},
        version=node.version,
        tested=tested,
    )


def _function(node: Any) -> FunctionCode:
    return FunctionCode(
        arguments=[entry.to_dict(omit_none=True) for entry in getattr(node, "arguments", ())],
        returns=node.returns.to_dict(omit_none=True),
        overloads=[entry.to_dict(omit_none=True) for entry in getattr(node, "overloads", ())],
    )


def _extra(node: Any) -> dict[str, Any]:
    """What is no config and yet decides: a flag of the command line that makes a test write a table."""
    return {"stores_failures": True} if stores_failures(node) else {}


def _text(value: Any) -> str:
    return str(getattr(value, "value", value))
