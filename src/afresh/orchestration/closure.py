"""Which relations bear on a decision: the keys to read from the state, and the relations to ask the warehouse about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.node import TESTS, Kind, NodeId, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from afresh.core.relation import TraceKey
    from afresh.core.trace import Trace
    from afresh.orchestration.host import Host
    from afresh.orchestration.picture import Picture
    from afresh.warehouse.probe import Target

DERIVED = (Kind.VIEW, Kind.EPHEMERAL)
"""Nodes that keep no data: new data flows through them."""
_NOT_PROBED = (*TESTS, Kind.FUNCTION, Kind.EPHEMERAL)


def reach(host: Host, nodes: Iterable[NodeId]) -> tuple[NodeId, ...]:
    """The nodes themselves and everything whose version they see: through views and ephemerals, to tables and sources."""
    seen: dict[NodeId, None] = {}
    waiting = list(nodes)
    first = set(waiting)
    while waiting:
        node_id = waiting.pop()
        if node_id in seen:
            continue
        seen[node_id] = None
        if node_id in first or host.node(node_id).kind in DERIVED:
            waiting.extend(host.node(node_id).parents)
    return tuple(seen)


def state_keys(host: Host, nodes: Iterable[NodeId]) -> set[TraceKey]:
    """The keys that deciding these nodes reads from the state, the tests that they own included."""
    wanted = tuple(nodes)
    owned = (test for node in wanted for test in host.tests_owned_by(node))
    ids = (*reach(host, wanted), *owned)
    return {key for node in ids if (key := host.node(node).key) is not None}


def recorded_keys(picture: Picture, keys: Iterable[TraceKey]) -> set[TraceKey]:
    """Keys that the traces of ``keys`` name as inputs, through deployed views at any depth: what decides the versions of these."""
    found: set[TraceKey] = set()
    traces = _traces(picture, keys)
    while traces:
        named = {entry.key for trace in traces for entry in trace.inputs if entry.key is not None} - found
        found |= named
        traces = [trace for trace in _traces(picture, named) if is_derived(trace)]
    return found


def _traces(picture: Picture, keys: Iterable[TraceKey]) -> list[Trace]:
    wanted = tuple(keys)
    picture.foresee(wanted)
    return [trace for key in wanted if (trace := picture.trace(key)) is not None]


def is_derived(trace: Trace) -> bool:
    """Whether new data flows through what was built: it keeps none of its own."""
    return trace.relation_type == "view" or trace.resource_type is ResourceType.FUNCTION


def probe_targets(host: Host, nodes: Iterable[NodeId], picture: Picture) -> Iterator[Target]:
    """What to ask the warehouse before deciding: sources, and tables that no job of this store is known to build."""
    asked: set[TraceKey] = set()
    for node_id in reach(host, nodes):
        node = host.node(node_id)
        if node.relation is None or node.kind in _NOT_PROBED or picture.trace(node.relation.key) is not None:
            continue
        asked.add(node.relation.key)
        yield host.target(node.relation, node_id)
    yield from undeclared_targets(host, asked, picture, nodes)


def undeclared_targets(host: Host, asked: set[TraceKey], picture: Picture, nodes: Iterable[NodeId]) -> Iterator[Target]:
    """What only the SQL of the last builds reads."""
    keys = {key for node in reach(host, nodes) if (key := host.node(node).key) is not None}
    for key in sorted(key for key in recorded_keys(picture, keys) - asked if picture.trace(key) is None):
        target = host.target_of_key(key)
        if target is not None:
            yield target
