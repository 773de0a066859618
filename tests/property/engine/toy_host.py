"""The toy project as the protocol's host: it answers the questions that dbt answers in a real run."""

# ruff: noqa: ARG002 - the signatures are the protocol's

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from afresh.config.node_settings import NodeSettings
from afresh.core.node import Kind, Node, NodeId, ResourceType
from afresh.core.observation import Existence, Missing, Mode, NoRelation, Present
from afresh.core.policy import DEFAULT_POLICY, Policy
from afresh.core.relation import Relation, TraceKey, relation_of_key, test_key
from afresh.core.version import CodeVersion, Part, changed_parts
from afresh.orchestration.code_types import CodeComparison, CodeRecord, DeclaredReads, VolatileCall
from afresh.orchestration.host import CodeOnRecord, FeedLimits
from afresh.warehouse.asks import Answer, Ask
from afresh.warehouse.names import Name
from afresh.warehouse.probe import Purpose, Target
from property.engine.toy_engine import FILE, Signal, ToyEngine
from property.engine.toy_project import NO_FLAGS, Check, Flags, Model, Project
from property.engine.toy_warehouse import DATE, Warehouse

_KINDS = {"view": Kind.VIEW, "ephemeral": Kind.EPHEMERAL}


def relation(name: str) -> Relation:
    """The relation of this name in the toy warehouse."""
    return Relation("toy", "db", "main", name)


@dataclass(frozen=True)
class Invocation:
    """One command: what is selected and with which flags. ``policies`` are the owners' settings by model."""

    selected: frozenset[str]
    flags: Flags = NO_FLAGS
    forced: bool = False
    policies: Mapping[str, Policy] = field(default_factory=dict)


class ToyHost:
    """One project, one command, one warehouse. ``cache`` is dbt's cache of relations, filled when the command starts."""

    def __init__(self, project: Project, warehouse: Warehouse, invocation: Invocation, *, signal: Signal, only_looks: bool = False) -> None:
        self.project = project
        self.invocation = invocation
        self.only_looks = only_looks
        self.warehouse = warehouse
        self.engine = ToyEngine(warehouse, signal=signal)
        self.said: dict[str, str] = {}
        self._signal = signal
        self._ids = {self._id(name): name for name in (*project.order(), *dict(project.sources))}
        self._id_of = {name: node_id for node_id, name in self._ids.items()}
        self._cache: dict[str, str] = {}
        self.reread()

    # --- names --------------------------------------------------------------------------------------------------------

    def _id(self, name: str) -> NodeId:
        model, project = self.project.model(name), self.project.name
        if model is not None:
            kind = "seed" if model.materialized == "seed" else "model"
            return NodeId(f"{kind}.{project}.{name}" + (f"_v{model.version}" if model.version else ""))
        return NodeId(f"test.{project}.{name}" if self.project.check(name) else f"source.{project}.ext.{name}")

    def id_of(self, name: str) -> NodeId:
        """The node id of a model, test or source."""
        return self._id_of[name]

    def name_of(self, node_id: NodeId) -> str:
        """The name of a node."""
        return self._ids[node_id]

    # --- nodes --------------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> Sequence[NodeId]:
        return [self.id_of(name) for name in self.project.order() if name in self.invocation.selected]

    @property
    def partial_run(self) -> str | None:
        return "--empty" if self.invocation.flags.empty else None

    def node(self, node_id: NodeId) -> Node:
        name = self._ids[node_id]
        model, check = self.project.model(name), self.project.check(name)
        if model is not None:
            return self._model_node(node_id, model)
        return self._test_node(node_id, check) if check is not None else self._source_node(node_id, name)

    def _model_node(self, node_id: NodeId, model: Model) -> Node:
        kind = _KINDS.get(model.materialized, Kind.TABLE)
        own = None if kind is Kind.EPHEMERAL else relation(model.relation)
        seed = model.materialized == "seed"
        return Node(
            id=node_id,
            name=model.name,
            resource_type=ResourceType.SEED if seed else ResourceType.MODEL,
            kind=kind,
            materialized=model.materialized,
            relation=own,
            key=own.key if own else None,
            project=self.project.name,
            parents=tuple(self.id_of(read) for read in dict.fromkeys(model.reads)),
        )

    def _test_node(self, node_id: NodeId, check: Check) -> Node:
        parents = tuple(self.id_of(name) for name in check.on)
        key = test_key(node_id, "toy", (self.node(parent).key or TraceKey(parent) for parent in parents))
        return Node(node_id, check.name, ResourceType.TEST, Kind.DATA_TEST, key=key, project=self.project.name, parents=parents)

    def _source_node(self, node_id: NodeId, name: str) -> Node:
        own = relation(dict(self.project.sources)[name])
        return Node(node_id, name, ResourceType.SOURCE, Kind.SOURCE, relation=own, key=own.key, project=self.project.name)

    def has_node(self, name: str) -> bool:
        return name in self._ids

    def settings(self, node_id: NodeId) -> NodeSettings:
        return NodeSettings(policy=self.invocation.policies.get(self._ids[node_id], DEFAULT_POLICY))

    def mode(self, node_id: NodeId) -> Mode:
        model = self.project.model(self._ids[node_id])
        refreshes = model is not None and model.materialized in ("incremental", "append", "seed")
        if self.invocation.flags.full_refresh and refreshes:
            return Mode.FULL_REFRESH
        return Mode.FORCED if self.invocation.forced or self.partial_run else Mode.STATE_AWARE

    def label(self, node_id: NodeId) -> str:
        return self._ids[node_id]

    def tests_owned_by(self, node_id: NodeId) -> Sequence[NodeId]:
        return [self.id_of(check.name) for check in self.project.checks if self._ids[node_id] in check.on]

    def writers_of_sources(self) -> dict[NodeId, set[NodeId]]:
        """For every selected node, the selected nodes that write a source which it reads."""
        writers = {self.node(node_id).key: node_id for node_id in self.selected if self.node(node_id).relation is not None}
        found: dict[NodeId, set[NodeId]] = {}
        for node_id in self.selected:
            for parent in map(self.node, self.node(node_id).parents):
                if parent.kind is Kind.SOURCE and parent.key in writers:
                    found.setdefault(node_id, set()).add(writers[parent.key])
        return found

    # --- the warehouse ------------------------------------------------------------------------------------------------

    def existence(self, node_id: NodeId) -> Existence:
        own = self.node(node_id).relation
        if own is None:
            return NoRelation()
        return Present(self._cache[own.identifier]) if own.identifier in self._cache else Missing()

    def reread(self) -> None:
        """Fill the cache of relations anew."""
        self._cache = {name: found.type for name, found in self.warehouse.relations.items()}

    def reread_relations(self, node_id: NodeId) -> None:
        self.reread()

    def wrote(self, name: str) -> None:
        """Our own build of a relation has ended: dbt's cache follows it."""
        self.engine.wrote(name)
        there = self.warehouse.relations
        self._cache = {known: type_ for known, type_ in self._cache.items() if known in there}
        if name in there:
            self._cache[name] = there[name].type

    def target(self, relation: Relation, node_id: NodeId | None) -> Target:
        return Target(relation, Name(relation.database, relation.schema, relation.identifier))

    def target_of_key(self, key: TraceKey, purpose: Purpose = Purpose.INPUT) -> Target | None:
        found = relation_of_key(key)
        if found is None or found.warehouse != "toy":
            return None
        return Target(found, Name(found.database, found.schema, found.identifier), purpose)

    def target_named(self, name: str) -> Target | None:
        return self.target(relation(name), None)

    def file_target(self, pattern: str) -> Target:
        raise NotImplementedError("toy SQL reads no files")

    def perform(self, asks: Sequence[Ask]) -> Sequence[Answer]:
        raise NotImplementedError("the toy engine never asks")

    def checkpoint(self) -> bool:
        return True

    def files_to_lock(self) -> Mapping[str, str]:
        return {FILE: "toy.db"} if self._signal is Signal.FILE else {}

    def relation_name(self, node_id: NodeId) -> str | None:
        own = self.node(node_id).relation
        return None if own is None else own.name

    def current_date(self) -> str:
        return f"2026-11-{self.warehouse.day:02}"

    def window(self, node_id: NodeId) -> str | None:
        return None

    # --- code ---------------------------------------------------------------------------------------------------------

    def compare_code(self, node_id: NodeId, recorded: CodeOnRecord) -> CodeComparison:
        return CodeComparison(changed_parts(recorded.trace.code, self._code(node_id)))

    def _code(self, node_id: NodeId) -> CodeVersion:
        name = self._ids[node_id]
        model, check = self.project.model(name), self.project.check(name)
        if model is not None:
            parts = {"sql": _digest(self.project.formula(model), model.fails), "materialized": _digest(model.materialized)}
        else:
            assert check is not None
            relations = [self.project._compiled(parent) for parent in check.on]
            parts = {"sql": _digest(check.modulus, relations), "severity": _digest(check.warns)}
        return CodeVersion({key: Part(digest) for key, digest in parts.items()})

    def may_query_while_rendering(self, recorded: CodeOnRecord) -> bool:
        return False

    def static_not_reusable(self, node_id: NodeId) -> str | None:
        return None

    def code_record(self, node_id: NodeId) -> CodeRecord:
        model = self.project.model(self._ids[node_id])
        text = "" if model is None else repr(self.project.formula(model))
        name = self._ids[node_id]
        volatile = (VolatileCall(DATE, counts=True),) if self.project.is_dated(name) else ()
        return CodeRecord(self._code(node_id), b"", text, self.compiled_reads(node_id), volatile)

    def compiled_reads(self, node_id: NodeId) -> DeclaredReads:
        return DeclaredReads(tuple(relation(name) for name in self._hard_coded(self._ids[node_id])))

    def _hard_coded(self, name: str) -> frozenset[str]:
        """Bare relations in the compiled SQL of a node, those in the ephemeral models that are inlined into it too."""
        model = self.project.model(name)
        if model is None:
            inlined = self.project.parents(name)
            own: tuple[str, ...] = ()
        else:
            inlined, own = model.reads, model.hard_coded
        above = (found for read in inlined if (found := self.project.model(read)) is not None and found.is_ephemeral)
        return frozenset(own).union(*(self._hard_coded(ephemeral.name) for ephemeral in above))

    def ephemeral_version(self, node_id: NodeId) -> str:
        return _digest("inlined", node_id)  # its code is part of the code version of whoever reads it

    def feed_limits(self, node_id: NodeId) -> FeedLimits:
        return FeedLimits()

    # --- words --------------------------------------------------------------------------------------------------------

    def say(self, code: str, text: str, *, is_error: bool = False) -> None:
        self.said[code] = text

    def say_waiting(self, node_id: NodeId, text: str) -> None:
        self.said[f"waiting:{node_id}"] = text


def _digest(*facts: object) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
