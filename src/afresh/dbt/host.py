"""dbt as the protocol's host: answers its questions from the manifest, the relation cache, the adapter and the code service."""

from __future__ import annotations

import logging
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from afresh.core.node import Kind, Node, NodeId
from afresh.core.observation import Existence, Mode, NoRelation
from afresh.core.relation import Relation, TraceKey, relation_of_key
from afresh.dbt.compat import queue, results, unit_tests
from afresh.dbt.compat.file_locks import wait_for_files
from afresh.dbt.compat.project_nodes import ProjectNodes
from afresh.dbt.compat.schema_races import create_schemas_beside_others
from afresh.dbt.compat.warehouse_access import WarehouseAccess
from afresh.dbt.names import Names
from afresh.dbt.recording import RECORDER
from afresh.errors import UnavailableError
from afresh.orchestration.code_types import CodeComparison, CodeRecord, DeclaredReads
from afresh.orchestration.readings import converse
from afresh.warehouse.cells import session_date_at, unmarked
from afresh.warehouse.probe import Purpose, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from types import TracebackType

    from afresh.config.node_settings import NodeSettings
    from afresh.dbt.code_service import CodeService
    from afresh.dbt.compat.task_facts import TaskFacts
    from afresh.dbt.recording import Recording
    from afresh.orchestration.host import CodeOnRecord, FeedLimits
    from afresh.warehouse.asks import Answer, Ask
    from afresh.warehouse.engine import Engine
    from afresh.warehouse.names import Identity

_DATE_HOLDS_SECONDS = 60.0
_IN_MEMORY = ":memory:"
_NOT_KNOWN = (
    "which warehouse this is cannot be told from the profile (in memory, or a host that means another machine to everybody), "
    "so nothing is remembered of it and everything is built; `warehouse_id` in afresh.yml gives it a name"
)
_REPLACED = ("table", "view")


@dataclass(frozen=True)
class Parts:
    """What the host is given besides dbt's task."""

    settings_of: Callable[[Any], NodeSettings]
    code_service: Callable[[Any, Any, Any, Callable[[Any], Relation | None]], CodeService]
    warehouse_id: str | None = None
    at: datetime | None = None
    """The moment at which a plan is asked to decide, where that is not now."""


class DbtHost:
    """Answers for one task of dbt. Made when the task knows what is selected; attached when its cache is filled."""

    def __init__(self, facts: TaskFacts, parts: Parts, *, force: bool, only_looks: bool) -> None:
        self._facts = facts
        self._parts = parts
        self._force = force
        self._settings_of = parts.settings_of
        self._settings: dict[NodeId, NodeSettings] = {}
        self.only_looks = only_looks
        self.engine: Engine = facts.engine
        self.access = WarehouseAccess(facts.adapter)
        self._recordings: dict[NodeId, Recording] = {}
        self._said: set[str] = set()
        self.warnings: list[str] = []
        self._lock = threading.Lock()
        self._date: tuple[float, str] | None = None
        self._task: Any = None
        self._names: Names | None = None
        self._nodes: ProjectNodes | None = None
        self._code: CodeService | None = None
        self._selected: tuple[NodeId, ...] = ()
        self.warehouse: str | None = None
        """Which warehouse this is; ``None`` where nobody can tell, so that nothing is remembered of it."""

    # --- beginning and end --------------------------------------------------------------------------------------------

    def attach(self, task: Any) -> None:
        """From now on the relation cache is filled and the warehouse may be asked. A second call changes nothing."""
        if self._nodes is not None:
            return
        self._task = task
        identity = converse(self.engine.warehouse_identity(self._facts.credentials), self)
        if self._parts.warehouse_id is not None and self._facts.credentials.get("path") != _IN_MEMORY:
            identity = replace(identity, warehouse=self._parts.warehouse_id)
        if identity.warehouse is None:
            self.say("no_warehouse", _NOT_KNOWN)
        self.warehouse = identity.warehouse
        self._names = self._name(identity)
        self._nodes = ProjectNodes(self._facts.manifest, relation_of=self._names.relation_of, warehouse=identity.warehouse or "")
        logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what its parser cannot read is an answer here, not news
        self._code = self.code_of(self._facts.manifest)
        self._selected = self._in_order(task)

    def _name(self, identity: Identity) -> Names:
        return Names(
            engine=self.engine,
            identity=identity,
            adapter_relation=self._facts.adapter_relation,
            source_facts=self._facts.source_facts,
            settings_of=self._settings_of,
            warn=self.say,
        )

    def _in_order(self, task: Any) -> tuple[NodeId, ...]:
        order: list[str] = []
        units = unit_tests.unit_tests_of_models(task)
        for node in queue.order_in_queue(task):
            order.extend(units.get(node, ()))
            order.append(node)
        return tuple(map(NodeId, order))

    def close(self) -> None:
        """End the threads that ask the warehouse."""
        self.access.close()

    @property
    def nodes(self) -> ProjectNodes:
        """The project's nodes."""
        assert self._nodes is not None  # noqa: S101 - attach() comes first
        return self._nodes

    @property
    def names(self) -> Names:
        """The project's names of relations."""
        assert self._names is not None  # noqa: S101 - attach() comes first
        return self._names

    @property
    def code(self) -> CodeService:
        """Everything about code versions."""
        assert self._code is not None  # noqa: S101 - attach() comes first
        return self._code

    def code_of(self, manifest: Any) -> CodeService:
        """Code versions by a manifest of this project: its own, or that of an earlier run."""
        return self._parts.code_service(manifest, self._facts.config, self._facts.adapter, self.names.locate)

    @property
    def project_name(self) -> str:
        """The name of the root project."""
        return str(self._facts.config.project_name)

    @property
    def adapter_type(self) -> str:
        """What dbt calls the adapter."""
        return str(self._facts.adapter.type())

    @property
    def target_name(self) -> str:
        """dbt's target."""
        return str(self._facts.config.target_name)

    # --- nodes --------------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> Sequence[NodeId]:
        """The nodes of this run, parents first."""
        return self._selected

    @property
    def partial_run(self) -> str | None:
        """Why nothing that this run builds stands for a full result, if so."""
        return self._facts.partial_run

    def raw(self, node_id: str) -> Any:
        """dbt's own object."""
        return self.nodes.raw(node_id)

    def node(self, node_id: NodeId) -> Node:
        """A node of the project."""
        return self.nodes.get(node_id)

    def has_node(self, name: str) -> bool:
        """Whether the project has a node of this id."""
        return self.nodes.raw(name) is not None

    def label(self, node_id: NodeId) -> str:
        """What people call a node."""
        return self.nodes.label(node_id)

    def description(self, node_id: NodeId) -> str:
        """What dbt's log lines call a node."""
        return self._facts.description(self.raw(node_id))

    def relation_name(self, node_id: NodeId) -> str | None:
        """The node's relation as the adapter quotes it."""
        return getattr(self.raw(node_id), "relation_name", None)

    def tests_owned_by(self, node_id: NodeId) -> Sequence[NodeId]:
        """Data tests whose failure makes the node due."""
        return self.nodes.tests_owned_by(node_id)

    def settings(self, node_id: NodeId) -> NodeSettings:
        """The state settings of a node."""
        if node_id not in self._settings:
            self._settings[node_id] = self._settings_of(self.raw(node_id))
        return self._settings[node_id]

    def feed_limits(self, node_id: NodeId) -> FeedLimits:
        """dbt's ``warn_after`` and ``error_after`` of a source."""
        return self._facts.feed_limits(self.raw(node_id))

    def mode(self, node_id: NodeId) -> Mode:
        """How the run was asked to treat a node."""
        if self._facts.full_refresh(self.raw(node_id)):
            return Mode.FULL_REFRESH
        return Mode.FORCED if self._force or self.partial_run else Mode.STATE_AWARE

    # --- the warehouse ------------------------------------------------------------------------------------------------

    def existence(self, node_id: NodeId) -> Existence:
        """Whether the node's relation exists, from dbt's cache, which knows no functions."""
        if self.node(node_id).kind is Kind.FUNCTION:
            return NoRelation()
        relation = self.names.adapter_relation(self.raw(node_id))
        return NoRelation() if relation is None else self.access.existence(relation)

    def reread_relations(self, node_id: NodeId) -> None:
        """Bring dbt's cache of the node's schema up to date."""
        relation = self.names.adapter_relation(self.raw(node_id))
        if relation is not None and self.node(node_id).relation is not None:
            self.access.reread(relation)

    def building(self, node_id: NodeId) -> AbstractContextManager[None]:
        """Around the build of a node on the calling thread: what it does to dbt's cache of relations stays as it is."""
        relation = None if self.node(node_id).relation is None else self.names.adapter_relation(self.raw(node_id))
        return nullcontext() if relation is None else self.access.building(relation)

    def warn_of_lost_views(self, node_id: NodeId) -> None:
        """Name the views of others that go when a relation is replaced, where the engine drops them and dbt's cache knows them."""
        replaces = self.node(node_id).materialized in _REPLACED or self.mode(node_id) is Mode.FULL_REFRESH
        relation = self.names.adapter_relation(self.raw(node_id)) if self.engine.replaces_drop_views and replaces else None
        lost = () if relation is None else self.access.over(relation, besides=self._facts.made_here)
        if lost:
            names = ", ".join(lost)
            self.say(f"lost:{node_id}", f"replacing {self.label(node_id)} drops views that this project does not make: {names}")

    def perform(self, asks: Sequence[Ask]) -> Sequence[Answer]:
        """Answer a probe."""
        return self.access.perform(asks)

    def target(self, relation: Relation, node_id: NodeId | None) -> Target:
        """How to ask about a relation."""
        return self.names.target(relation, None if node_id is None else self.raw(node_id))

    def target_named(self, name: str) -> Target | None:
        """How to ask about a relation that a setting names, as ``table``, ``schema.table`` or ``database.schema.table``."""
        relation = self.names.locate(self._facts.relation_named(name))
        return None if relation is None else self.names.target(relation, None)

    def file_target(self, pattern: str) -> Target:
        """How to ask about files."""
        return self.names.file_target(pattern)

    def target_of_key(self, key: TraceKey, purpose: Purpose = Purpose.INPUT) -> Target | None:
        """How to ask about what a trace names."""
        relation = relation_of_key(key)
        return None if relation is None else self.names.target_of_relation(relation, purpose)

    def current_date(self) -> str:
        """The warehouse's current date; an answer holds for a minute, so it is never later than the build."""
        with self._lock:
            if self._date is None or time.monotonic() - self._date[0] > _DATE_HOLDS_SECONDS:
                self._date = (time.monotonic(), self._ask_date())
            return self._date[1]

    def _ask_date(self) -> str:
        if self._parts.at is None:
            return unmarked(self.access.scalar(self.engine.session_date_sql)) or ""
        try:
            return unmarked(self.access.scalar(session_date_at(self._parts.at))) or ""
        except UnavailableError:
            self.say("date_at", "the warehouse does not say which date it will be at that moment, so this machine's time zone decides")
            return self._parts.at.astimezone().date().isoformat()

    def end_session(self) -> None:
        """Let the session of this thread publish what it wrote, before dbt closes it."""
        if self.engine.end_of_session is not None:
            self.access.end_session(self.engine.end_of_session.sql)

    def overhearing(self) -> AbstractContextManager[list[str]]:
        """The SQL that this run sends meanwhile."""
        return self.access.overhearing()

    def wait_for_files(self, limit: timedelta) -> None:
        """Wait, from the first connection on, for database files that programs without our state have open."""
        if self._facts.files_to_lock:
            wait_for_files(self._facts.adapter, limit=limit, say=lambda text: self._say_now("file", f"waiting for a database file: {text}"))

    def create_schemas_beside_others(self) -> None:
        """Another run may make the same schemas at the same time."""
        create_schemas_beside_others(self._facts.adapter)

    def cancelling_again(self) -> AbstractContextManager[None]:
        """While dbt waits for its threads to end: cancel what they sent just after dbt had cancelled everything."""
        return self.access.cancelling_again() if self._facts.files_to_lock else nullcontext()

    def checkpoint(self) -> bool:
        """Bring everything into the database files."""
        return self.access.checkpoint()

    def files_to_lock(self) -> Mapping[str, str]:
        """Database files that only one process may write."""
        return self._facts.files_to_lock

    def window(self, node_id: NodeId) -> str | None:
        """The microbatch window of a build now."""
        return self._facts.window(self.raw(node_id), self._parts.at)

    # --- code ---------------------------------------------------------------------------------------------------------

    def recording(self, unique_id: str) -> AbstractContextManager[Recording]:
        """Record what dbt reads while it runs a node on this thread."""
        return _Remembering(self._recordings, NodeId(unique_id))

    def compare_code(self, node_id: NodeId, recorded: CodeOnRecord) -> CodeComparison:
        """How the node's code differs from what is on record."""
        return self.code.compare(self.raw(node_id), recorded.trace, recorded.depfile, recorded.compiled)

    def may_query_while_rendering(self, recorded: CodeOnRecord) -> bool:
        """Whether comparing may ask for data."""
        return self.code.may_query(recorded.depfile)

    def static_not_reusable(self, node_id: NodeId) -> str | None:
        """Why a node cannot be reasoned about."""
        return self.code.static_not_reusable(self.raw(node_id))

    def code_record(self, node_id: NodeId) -> CodeRecord:
        """The code version of the build that just ended."""
        return self.code.record(self.raw(node_id), self._recordings.pop(node_id))

    def compiled_reads(self, node_id: NodeId) -> DeclaredReads:
        """What the compiled SQL reads beyond the graph."""
        return self.code.reads_before_execution(self.raw(node_id))

    def ephemeral_version(self, node_id: NodeId) -> str:
        """A digest of an ephemeral's own code."""
        return self.code.ephemeral_version(self.raw(node_id))

    # --- words --------------------------------------------------------------------------------------------------------

    def say(self, code: str, text: str, *, is_error: bool = False) -> None:
        """Warn, or tell of an error, once per code."""
        with self._lock:
            if code in self._said:
                return
            self._said.add(code)
            self.warnings.append(text)
        (results.error if is_error else results.warn)(text)

    def _say_now(self, code: str, text: str) -> None:
        """As :meth:`say`; but what only looks prints its warnings at its end, when it is too late to tell that it waits."""
        if not self.only_looks:
            self.say(code, text)
        elif code not in self._said:
            self._said.add(code)
            sys.stderr.write(f"afresh: {text}\n")
            sys.stderr.flush()

    def say_waiting(self, node_id: NodeId, text: str) -> None:
        """dbt's line of a node that waits."""
        results.say_waiting(self.description(node_id), text, results.Line(self._task.run_count, self._task.num_nodes))


class _Remembering:
    """A recording that is kept for the record of the build."""

    def __init__(self, kept: dict[NodeId, Recording], node_id: NodeId) -> None:
        self._kept = kept
        self._node_id = node_id
        self._manager = RECORDER.recording(node_id)

    def __enter__(self) -> Recording:
        found = self._kept[self._node_id] = self._manager.__enter__()
        return found

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._manager.__exit__(kind, error, trace)
