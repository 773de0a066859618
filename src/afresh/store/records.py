"""What goes into and comes out of the state store, beside the core types: plain frozen values, no SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from afresh.core.lease import Held, Lease
    from afresh.core.relation import TraceKey
    from afresh.core.trace import AttemptProblem, Invalidation, Signature, Trace


class RunStatus(str, Enum):
    """How a run stands. A run that was killed stays ``running`` for ever: nobody was left to say otherwise."""

    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it introduces itself. ``scheduled_at`` is ``None`` for a run that nobody scheduled: it counts from its start."""

    run_id: str
    command: str
    project: str
    target: str
    host: str = ""
    pid: int = 0
    job: str = ""
    scheduled_at: datetime | None = None
    afresh_version: str = ""
    dbt_version: str = ""
    adapter_version: str = ""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended, in numbers."""

    status: RunStatus
    built: int = 0
    reused_verified: int = 0
    reused_tolerated: int = 0
    cloned: int = 0
    failed: int = 0
    skipped: int = 0
    deciding_seconds: float = 0.0
    saved_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the store knows it. ``number`` grows with every run of this store; all times are the database's."""

    number: int
    record: RunRecord
    scheduled_at: datetime
    started_at: datetime
    finished_at: datetime | None
    outcome: RunOutcome


@dataclass(frozen=True, slots=True)
class Build:
    """A build that was announced: from here on SQL may be sent. ``started_at`` is by the database's clock."""

    build_id: str
    key: TraceKey
    term: int
    node: str
    run_id: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """A lease that was taken, and the build that was announced with it if all was as it had been seen."""

    lease: Lease
    build: Build | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is known of a build only after its run: the warehouse's token, and whatever replaces the trace's own values."""

    key: TraceKey
    build_id: str
    outside_token: str | None
    output_version: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """What a run means to build: the node, why (codes of reasons), and what it has seen of the keys that bear on that.

    ``seen`` holds, per key, what :meth:`Snapshot.head` says of it.
    """

    node: str
    reasons: Sequence[str]
    seen: Mapping[TraceKey, Head]


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a key, in short: equal if nothing was written about it in between."""

    build_id: str | None = None
    marks: frozenset[int] = frozenset()
    holder: str | None = None
    """The run that holds its lease."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One consistent view of the state, as of ``now`` by the database's clock. Keys without anything to say are absent."""

    now: datetime
    traces: Mapping[TraceKey, Trace]
    attempts: Mapping[TraceKey, AttemptProblem]
    held: Mapping[TraceKey, Held]
    invalidations: Mapping[TraceKey, Invalidation]
    building: frozenset[TraceKey] = frozenset()
    """Those of the held keys whose build is announced: SQL may be on its way. The holders of others are still deciding."""
    marks: Mapping[TraceKey, frozenset[int]] = field(default_factory=dict)
    """The numbers of what stands against the traces."""
    cut_off: Mapping[TraceKey, frozenset[str]] = field(default_factory=dict)
    """The runs whose announced builds have lost their leases and were not heard of since, be it the newest attempt or not."""

    def head(self, key: TraceKey) -> Head:
        """All of this about one key, in short."""
        trace, held = self.traces.get(key), self.held.get(key)
        build_id = None if trace is None else trace.build_id
        return Head(build_id, self.marks.get(key, frozenset()), None if held is None else held.holder.run_id)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One verdict as it is remembered. ``reasons`` is a JSON text that the store does not look into."""

    node: str
    key: TraceKey | None
    resource_type: str
    materialized: str
    relation: str
    decision: str
    confidence: str | None
    reasons: str
    due_at: datetime | None = None
    waiting_on: tuple[str, ...] = ()
    lag_bound_seconds: float = 0.0
    status: str | None = None
    execution_time: float = 0.0
    stage: str = ""
    policy: str | None = None
    """The settings that were given for the node, a JSON text that the store does not look into; ``None`` in older rows."""
    waited_seconds: float = 0.0
    """How long it waited for other runs."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A remembered verdict and the runs that came to it, ``count`` of them from ``first_run`` to ``last_run`` (run ids).

    A run id is ``None`` when that run's own record was pruned.
    """

    row: DecisionRow
    first_run: str | None
    last_run: str | None
    first_at: datetime
    last_at: datetime
    count: int
    in_runs: tuple[tuple[int, int], ...] = ()
    """The numbers of these runs: the first and the last one of each piece."""


@dataclass(frozen=True, slots=True)
class ProbeMemo:
    """While the cheap ``guard`` (a file's size and time, say) stays as it is, the answer of the probe is ``token``."""

    guard: str
    token: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened in a run; ``payload`` is a JSON text that the store does not look into."""

    number: int
    run_id: str
    at: datetime
    kind: str
    payload: str


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What a state is like from outside.

    ``revision`` is ``None`` where there is no state yet; ``not_writable`` says why nothing can be recorded, if so.
    """

    place: str
    revision: str | None
    newest: str
    size: int = 0
    runs: int = 0
    traces: int = 0
    not_writable: str | None = None
