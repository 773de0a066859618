"""The data version of everything a node can read (semantics §1, "Data version").

New data flows *through* views and ephemeral models without touching them: their versions are derived from their code
and from the versions of what they read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.core.node import Kind, NodeId
from afresh.core.observation import Missing, OutsideChange, Present
from afresh.core.relation import TraceKey, relation_of_key
from afresh.core.version import REBUILT, DataVersion, Known, Unknown
from afresh.orchestration.closure import DERIVED, is_derived
from afresh.orchestration.what_if import ASSUMED
from afresh.render.words import node_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from afresh.core.node import Node
    from afresh.core.trace import RecordedInput, Trace
    from afresh.orchestration.host import Host
    from afresh.orchestration.picture import Picture
    from afresh.orchestration.readings import Readings
    from afresh.orchestration.watch import Watch

_DEEPEST = 200
UNDECLARED = "undeclared:"
"""What an input of a trace is called that nobody can resolve; the sentence that says why follows."""


@dataclass(frozen=True)
class Input:
    """One thing a node reads: a node of the graph, or a relation or file that only the SQL names."""

    name: str
    node: NodeId | None
    key: TraceKey | None
    label: str


@dataclass(frozen=True)
class Planned:
    """What a plan foresees for nodes that have not run yet; empty in a run."""

    rebuilt: frozenset[NodeId] = frozenset()
    redefined: frozenset[NodeId] = frozenset()
    """Nodes among them whose definition will differ, so that even a view has another version."""
    undetermined: frozenset[NodeId] = frozenset()
    assumed: frozenset[str] = frozenset()
    """Ids and keys of what is taken to have new data, and is not built in this run."""


_NOTHING: AbstractSet[TraceKey] = frozenset()


@dataclass(frozen=True)
class _Asked:
    """What is asked of a version, at any depth: how old an answer may be, and whose data is left out."""

    not_before: datetime | None
    without: AbstractSet[TraceKey]


class DataVersions:
    """Versions as they are in one picture of the state and in the warehouse's answers."""

    def __init__(self, *, host: Host, readings: Readings, watch: Watch, picture: Picture, planned: Planned | None = None) -> None:
        self._host = host
        self._readings = readings
        self._watch = watch
        self._picture = picture
        self._planned = planned or Planned()
        self._memo: dict[tuple[str, _Asked], DataVersion] = {}
        self._missing: dict[str, str | None] = {}

    def of(self, entry: Input, *, not_before: datetime | None = None, without: AbstractSet[TraceKey] = _NOTHING) -> DataVersion:
        """The version of an input; an answer of the warehouse older than ``not_before`` is asked for again.

        ``without``: relations under it whose data is not new to who asks.
        """
        return self._of(entry, _Asked(not_before, frozenset(without)), 0)

    def _of(self, entry: Input, asked: _Asked, depth: int) -> DataVersion:
        if depth > _DEEPEST:
            return Unknown(f"{entry.label} reads itself through others")
        memo = (entry.name, asked)
        if memo not in self._memo:
            self._memo[memo] = self._derive(entry, asked, depth)
        return self._memo[memo]

    def _derive(self, entry: Input, asked: _Asked, depth: int) -> DataVersion:
        if entry.name in self._planned.assumed or entry.key in self._planned.assumed:
            return Known(ASSUMED)
        if entry.node is None:
            return self._of_relation(entry, asked, depth)
        node = self._host.node(entry.node)
        if node.id in self._planned.redefined or (node.id in self._planned.rebuilt and node.kind not in DERIVED):
            return REBUILT
        match node.kind:
            case Kind.EPHEMERAL:
                return self._of_ephemeral(node, asked, depth)
            case Kind.SOURCE | Kind.AUTO_REFRESHED:
                return self._of_relation(entry, asked, depth)
            case _:
                return self._of_built(node, asked, depth)

    def _of_relation(self, entry: Input, asked: _Asked, depth: int) -> DataVersion:
        """A source, or a table that others write: from a job of this store where one builds it, else as probed."""
        if entry.key is None:
            unresolved = entry.name.startswith(UNDECLARED)
            return Unknown(entry.name.removeprefix(UNDECLARED) if unresolved else f"nobody knows which relation {entry.label} is")
        trace = self._picture.trace(entry.key)
        if trace is None:
            return self._while_unsettled(entry.key, asked.not_before) or self._as_probed(entry.key, asked.not_before)
        return self._of_trace(entry.key, trace, asked=asked, depth=depth)

    def _of_built(self, node: Node, asked: _Asked, depth: int) -> DataVersion:
        if node.key is None:
            return Unknown(f"{node.name} keeps no data")
        trace = self._picture.trace(node.key)
        if trace is not None and node.id in self._planned.rebuilt:
            return self._of_view(trace, asked, depth)
        if isinstance(self._host.existence(node.id), Missing):
            return Unknown(f"{node.name} is not in the warehouse")
        if trace is None:
            return self._while_unsettled(node.key, asked.not_before) or self._as_probed(node.key, asked.not_before)
        existence = self._host.existence(node.id)
        if isinstance(existence, Present) and existence.type and trace.relation_type not in ("", existence.type):
            return Unknown(f"{node.name} is a {existence.type} now and was built as a {trace.relation_type}")
        return self._of_trace(node.key, trace, asked=asked, depth=depth)

    def _while_unsettled(self, key: TraceKey, not_before: datetime | None) -> DataVersion | None:
        """The version while the last write is no complete success of ours: to its readers it is a table that others write.

        Asked after the attempt ended, so that whatever it wrote is seen; ``None``: what we know of the relation holds.
        """
        held, attempt = self._picture.builder(key), self._picture.attempt(key)
        if held is not None:
            return Unknown(f"run {held.holder.run_id} is building it")
        if attempt is not None:
            return self._as_probed(key, attempt.at if not_before is None else max(not_before, attempt.at))
        return None

    def _of_trace(self, key: TraceKey, trace: Trace, *, asked: _Asked, depth: int) -> DataVersion:
        unsettled = self._while_unsettled(key, asked.not_before)
        if unsettled is not None:
            return unsettled
        if self.outside(trace) is not None:
            return self._as_probed(key, asked.not_before)  # to its readers it is a table that others write, until we build it again
        if is_derived(trace):
            return self._of_view(trace, asked, depth)
        return Known(trace.output_version)

    def _as_probed(self, key: TraceKey, not_before: datetime | None) -> DataVersion:
        """What the warehouse says of a relation that others write, asked now if nobody foresaw that it would be read."""
        if self._readings.get(key) is None:
            target = self._host.target_of_key(key)
            self._readings.read(() if target is None else (target,))
        return self._readings.version(key, not_before=not_before)

    def _of_view(self, trace: Trace, asked: _Asked, depth: int) -> DataVersion:
        inputs = [entry for entry in trace.inputs if entry.key is None or entry.key not in asked.without]
        parts = [self._of(self.input_of_record(entry), asked, depth + 1) for entry in inputs]
        own = [trace.code.digest]
        if trace.volatile_value is not None:
            own.append(self._host.current_date())
        return _derived("view", own, zip([entry.node for entry in inputs], parts, strict=True))

    def _of_ephemeral(self, node: Node, asked: _Asked, depth: int) -> DataVersion:
        inputs = [entry for entry in self.direct_inputs(node) if entry.key is None or entry.key not in asked.without]
        parts = [self._of(entry, asked, depth + 1) for entry in inputs]
        own = [self._host.ephemeral_version(node.id)]
        return _derived("ephemeral", own, zip([entry.name for entry in inputs], parts, strict=True))

    def outside(self, trace: Trace) -> OutsideChange | None:
        """Whether something that does not share this state wrote the relation after our last build (row 9)."""
        return self._watch.change(trace)

    def direct_inputs(self, node: Node, extra: Sequence[Input] = ()) -> tuple[Input, ...]:
        """What a node reads by the graph, and ``extra`` that only its SQL names, without its own output."""
        of_graph = [self.input_of_node(parent) for parent in self._parents(node)]
        known = {entry.key for entry in of_graph if entry.key is not None}
        more = [entry for entry in extra if entry.key is None or entry.key not in known]
        return tuple(entry for entry in (*of_graph, *more) if entry.key is None or entry.key != node.key)

    def _parents(self, node: Node) -> Iterable[NodeId]:
        """A view reads what its definition names: what is inlined into it stays so when the ephemeral model is edited."""
        if node.kind is not Kind.VIEW:
            return node.parents
        named = (self._named_in_sql(parent) for parent in node.parents)
        return dict.fromkeys(found for some in named for found in some)

    def _named_in_sql(self, node_id: NodeId) -> Iterator[NodeId]:
        node = self._host.node(node_id)
        if node.kind is not Kind.EPHEMERAL:
            yield node_id
            return
        for parent in node.parents:
            yield from self._named_in_sql(parent)

    def input_of_node(self, node_id: NodeId) -> Input:
        """A node of the graph as an input."""
        return Input(node_id, node_id, self._host.node(node_id).key, self._host.label(node_id))

    def input_of_record(self, recorded: RecordedInput) -> Input:
        """An input as a trace names it. Nodes that the project no longer has, or has elsewhere, are known by their relation then."""
        if self._host.has_node(recorded.node):
            entry = self.input_of_node(NodeId(recorded.node))
            if recorded.key is None or entry.key == recorded.key:
                return entry
        relation = relation_of_key(recorded.key) if recorded.key else None
        unnamed = "what else it reads" if recorded.node.startswith(UNDECLARED) else recorded.node
        return Input(recorded.node, None, recorded.key, relation.name if relation else unnamed)

    def signature(self, entry: Input, *, look: bool = True) -> str:
        """The digest of an input's columns and types, empty where nobody knows them.

        ``look``: whether to ask the warehouse about what this run has just built.
        """
        if entry.key is None:
            return ""
        trace, reading = self._picture.trace(entry.key), self._readings.get(entry.key)
        if reading is not None and reading.answer.signature is not None and (trace is None or reading.at >= trace.finished_at):
            return reading.answer.signature.digest
        columns = None if trace is None else self._watch.columns(trace) if look else trace.signature
        return "" if columns is None else columns.digest

    def missing(self, entry: Input, depth: int = 0) -> str | None:
        """What is not in the warehouse of all that reading an input takes: views and ephemeral models are looked through."""
        if depth > _DEEPEST or (entry.node is not None and entry.node in self._planned.rebuilt):
            return None
        if entry.name not in self._missing:
            self._missing[entry.name] = self._find_missing(entry, depth)
        return self._missing[entry.name]

    def _find_missing(self, entry: Input, depth: int) -> str | None:
        node = None if entry.node is None else self._host.node(entry.node)
        if node is not None and node.kind is Kind.EPHEMERAL:
            below = self.direct_inputs(node)
        elif self._is_missing(entry, node):
            return entry.label
        else:
            trace = self._picture.trace(entry.key) if entry.key is not None else None
            below = tuple(map(self.input_of_record, trace.inputs)) if trace is not None and is_derived(trace) else ()
        return next((found for one in below if (found := self.missing(one, depth + 1)) is not None), None)

    def _is_missing(self, entry: Input, node: Node | None) -> bool:
        if node is not None and node.kind is not Kind.SOURCE:
            return isinstance(self._host.existence(node.id), Missing)
        reading = None if entry.key is None else self._readings.get(entry.key)
        return reading is not None and reading.answer.exists is False

    def undetermined(self, entry: Input, depth: int = 0) -> tuple[NodeId, ...]:
        """The nodes that may still be built before an input's version is certain; only a plan has any."""
        if not self._planned.undetermined or entry.node is None or depth > _DEEPEST:
            return ()
        if entry.node in self._planned.undetermined:
            return (entry.node,)
        node = self._host.node(entry.node)
        if node.kind not in DERIVED:
            return ()
        below = (self.undetermined(parent, depth + 1) for parent in self.direct_inputs(node))
        return tuple(dict.fromkeys(found for some in below for found in some))


def _derived(kind: str, own: Sequence[str], inputs: Iterable[tuple[str, DataVersion]]) -> DataVersion:
    tokens: list[tuple[str, str]] = []
    for name, version in inputs:
        if isinstance(version, Unknown):
            return Unknown(version.why if name.startswith(UNDECLARED) else f"{node_text(name)}: {version.why}")
        tokens.append((name, version.token))
    text = json.dumps([kind, *own, sorted(tokens)])
    return Known(f"{kind}:{hashlib.sha256(text.encode()).hexdigest()[:32]}")
