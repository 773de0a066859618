"""What the protocol around a node asks of the program that runs nodes. dbt is the one implementation.

All ids are dbt's ``unique_id``. Methods may be called from any of the run's threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from afresh.warehouse.probe import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from afresh.config.node_settings import NodeSettings
    from afresh.core.node import Node, NodeId
    from afresh.core.observation import Existence, Mode
    from afresh.core.relation import Relation, TraceKey
    from afresh.core.trace import TestOutcome, Trace
    from afresh.orchestration.code_types import CodeComparison, CodeRecord, DeclaredReads
    from afresh.warehouse.asks import Answer, Ask
    from afresh.warehouse.engine import Engine
    from afresh.warehouse.probe import Target


class BuildEnd(str, Enum):
    """How the host's own run of a node ended."""

    SUCCESS = "success"
    PARTIAL = "partial"
    """It succeeded for a part of the node's result only (failed batches)."""
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class BuildReport:
    """What the host says of a node that it ran: how it ended, and whether any SQL can have reached the warehouse."""

    end: BuildEnd
    may_have_written: bool
    seconds: float = 0.0
    message: str = ""
    rows: int | None = None
    test: TestOutcome | None = None


@dataclass(frozen=True)
class CodeOnRecord:
    """What the state keeps of the code that built a relation."""

    trace: Trace
    depfile: bytes | None
    compiled: str | None


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """From what age on the newest row of a source makes its feed late: dbt's ``warn_after`` and ``error_after``."""

    warn_after: timedelta | None = None
    error_after: timedelta | None = None


class Host(Protocol):
    """The questions that the protocol asks."""

    @property
    def engine(self) -> Engine:
        """What can be asked of this warehouse about change."""

    @property
    def selected(self) -> Sequence[NodeId]:
        """The nodes of this run in an order in which parents come first."""

    @property
    def only_looks(self) -> bool:
        """Whether nothing may be written, neither to the warehouse nor to the state: a plan."""

    @property
    def partial_run(self) -> str | None:
        """Why nothing that this run builds stands for a full result (``--empty``, ``--sample``, …), if so."""

    def node(self, node_id: NodeId) -> Node:
        """A node, source or test of the project, selected or not."""

    def has_node(self, name: str) -> bool:
        """Whether the project has a node, source or test of this id."""

    def settings(self, node_id: NodeId) -> NodeSettings:
        """The state settings of a node."""

    def feed_limits(self, node_id: NodeId) -> FeedLimits:
        """From what age on a source is late."""

    def mode(self, node_id: NodeId) -> Mode:
        """How the run was asked to treat a node."""

    def label(self, node_id: NodeId) -> str:
        """What people call a node."""

    def tests_owned_by(self, node_id: NodeId) -> Sequence[NodeId]:
        """The data tests whose failure makes this node due (semantics §2, "Tests")."""

    def existence(self, node_id: NodeId) -> Existence:
        """Whether the node's relation is in the warehouse, from the host's cache of relations."""

    def reread_relations(self, node_id: NodeId) -> None:
        """Read the schema of the node again, because another run may have changed it."""

    def compare_code(self, node_id: NodeId, recorded: CodeOnRecord) -> CodeComparison:
        """How the node's code differs from what is on record; may render, never writes."""

    def may_query_while_rendering(self, recorded: CodeOnRecord) -> bool:
        """Whether comparing this node's code may ask the warehouse for data."""

    def static_not_reusable(self, node_id: NodeId) -> str | None:
        """Why a node cannot be reasoned about, as far as that is known without a record."""

    def code_record(self, node_id: NodeId) -> CodeRecord:
        """The code version of the build that just ended on this thread or its batches."""

    def compiled_reads(self, node_id: NodeId) -> DeclaredReads:
        """What the SQL, compiled and not yet run, reads beyond the graph."""

    def ephemeral_version(self, node_id: NodeId) -> str:
        """A digest of an ephemeral model's own code as it is inlined."""

    def window(self, node_id: NodeId) -> str | None:
        """The microbatch window that a build would cover now; ``None`` for other nodes."""

    def current_date(self) -> str:
        """The warehouse's current date in the build's session settings."""

    def target(self, relation: Relation, node_id: NodeId | None) -> Target:
        """How to ask for changes of a relation; with the freshness settings of ``node_id`` where it is a source."""

    def target_of_key(self, key: TraceKey, purpose: Purpose = Purpose.INPUT) -> Target | None:
        """How to ask for changes of what a trace names, a relation or files; ``None`` for what cannot be asked."""

    def target_named(self, name: str) -> Target | None:
        """How to ask about a relation that a setting names; ``None`` where nobody can say which one it is."""

    def file_target(self, pattern: str) -> Target:
        """How to ask for changes of files that SQL reads."""

    def perform(self, asks: Sequence[Ask]) -> Sequence[Answer]:
        """Answer what a probe asks; an ask that fails is an answer, never an exception."""

    def checkpoint(self) -> bool:
        """Bring everything that was written into the database files; ``False`` where that did not work."""

    def relation_name(self, node_id: NodeId) -> str | None:
        """The node's relation as the adapter quotes it."""

    def files_to_lock(self) -> Mapping[str, str]:
        """Database files that only one process may write: real path → what people call it."""

    def say_waiting(self, node_id: NodeId, text: str) -> None:
        """Show that a node waits for another run."""

    def say(self, code: str, text: str, *, is_error: bool = False) -> None:
        """Warn the user once per ``code``, or tell of an error."""
