"""What is shown, as frozen values: orchestration and the command line fill these, renderers only read them.

They hold no core type, so that whatever the state store kept as JSON can be shown again without a warehouse, a project or dbt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

DecisionWord = Literal["build", "reuse", "clone", "skip", "undetermined"]
ChangeWord = Literal["new_data", "edited", "built"]
"""What a plan assumes of something: new data of a source, an edit of a node, or a build of a node by another run."""
ConfidenceWord = Literal["verified", "tolerated"]
StatusWord = Literal["success", "error", "skipped", "reused"]


@dataclass(frozen=True, slots=True)
class ReasonView:
    """One cause: its code (a closed list), its sentence, and what was recorded and seen, as JSON values."""

    code: str
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LastBuild:
    """Who built the relation last, when and how long it took."""

    run_id: str
    job: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    seconds: float | None = None
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One node as a plan, a status or the summary of a run shows it: the JSON contract's node, as a value."""

    unique_id: str
    name: str
    resource_type: str
    decision: DecisionWord
    materialized: str = ""
    relation: str | None = None
    """The relation as the adapter quotes it."""
    confidence: ConfidenceWord | None = None
    reasons: tuple[ReasonView, ...] = ()
    waiting_on: tuple[str, ...] = ()
    """Unique ids of the nodes that must run before this one can be decided."""
    due_at: datetime | None = None
    lag_bound_seconds: int = 0
    """How far this relation may be behind its sources by the policies along the path."""
    last_build: LastBuild | None = None
    status: StatusWord | None = None
    execution_time: float = 0.0
    estimated_seconds: float | None = None
    """How long a build took before: the median of the node's own last builds; ``None`` where there is no history."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run did, in numbers. ``saved_seconds`` is ``None`` where there is no history to estimate from."""

    built: int
    reused_verified: int
    reused_tolerated: int
    cloned: int = 0
    failed: int = 0
    skipped: int = 0
    saved_seconds: float | None = 0.0
    deciding_seconds: float = 0.0

    @property
    def reused(self) -> int:
        """Verified and tolerated together."""
        return self.reused_verified + self.reused_tolerated


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a plan takes when nodes run side by side, as far as they have a history."""

    threads: int
    seconds: float
    """With these threads."""
    path_seconds: float
    """With any number of threads: what the longest chain takes."""
    path: tuple[str, ...] = ()
    """The unique ids of that chain, the first one first."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long what a plan builds takes, one node after another: the sum over the nodes that have a history."""

    seconds: float | None
    """``None`` where something is to build and none of it has a history."""
    known: int
    """How many nodes the sum covers."""
    nodes: int
    """How many are to build."""
    undetermined: int = 0
    """How many are not decided yet; what they may take is not counted."""
    schedule: Schedule | None = None


def estimate_of(rows: Iterable[PlanRow], schedule: Schedule | None = None) -> Estimate:
    """The estimate for what ``rows`` say will be built."""
    rows = tuple(rows)
    times = [row.estimated_seconds for row in rows if row.decision == "build"]
    known = [seconds for seconds in times if seconds is not None]
    undetermined = sum(row.decision == "undetermined" for row in rows)
    return Estimate(sum(known) if known or not times else None, len(known), len(times), undetermined, schedule)


@dataclass(frozen=True, slots=True)
class AssumedChange:
    """One change that did not happen."""

    node: str
    label: str
    change: ChangeWord


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a what-if plan takes for given; ``at`` is ``None`` where it starts now."""

    at: datetime | None = None
    changes: tuple[AssumedChange, ...] = ()


@dataclass(frozen=True, slots=True)
class LeaseLine:
    """Something that only one run may write now: a relation, or a database file."""

    subject: str
    run_id: str
    host: str
    pid: int
    job: str
    since: datetime
    expires_at: datetime
    building: bool
    """Whether the build is announced; else its holder is still deciding, or holds a file."""


@dataclass(frozen=True, slots=True)
class PlanHead:
    """What a plan is about: the target, the moment (in the reader's time zone) and what the project's own words are."""

    target: str
    now: datetime | None = None
    warnings: tuple[str, ...] = ()
    schedule: Schedule | None = None
    leases: tuple[LeaseLine, ...] = ()
    """Who holds the right to build one of the nodes at the moment."""
    what_if: Assumed | None = None


@dataclass(frozen=True, slots=True)
class InputLine:
    """One input of a decision: the version that the last build read and the one that was seen; none where any is the same, as to a view."""

    node: str
    label: str
    recorded: str | None
    observed: str | None
    same: bool
    note: str = ""
    """Why a version is not known, or what kind of token it is."""
    changed_at: datetime | None = None
    """When a run saw last that it had changed, as far as decisions before were looked at."""


@dataclass(frozen=True, slots=True)
class PartLine:
    """One part of the code version that differs."""

    name: str
    group: str
    recorded: str
    observed: str


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One setting that bore on the decision, its value, and where it was set."""

    key: str
    value: str
    origin: str = "default"


@dataclass(frozen=True, slots=True)
class TextChange:
    """A text that differs (the compiled SQL, a macro): what the last build had and what was seen."""

    name: str
    recorded: str
    observed: str


@dataclass(frozen=True, slots=True)
class NextBuild:
    """One thing that would make a node be built: the code of the cause, and from when on where that is known."""

    code: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldData:
    """Data of one source, seed or foreign table that a relation holds."""

    node: str
    label: str
    read_at: datetime
    """The data is that of this moment, when the build that took it in began to read."""
    version: str | None = None
    """Its version, where that build read it directly."""
    is_exact: bool = True
    """False where what lies between was built again since: the data is then of that moment or of an earlier one."""


@dataclass(frozen=True, slots=True)
class Content:
    """How current a relation is, and what it holds."""

    as_of: datetime
    """When the last build began to read; of a view, now."""
    is_own: bool = True
    """False for a view: what it shows is what it reads, at each moment."""
    verified_at: datetime | None = None
    """When a run found last that nothing newer is to be had."""
    behind_since: datetime | None = None
    """When a run found first that something is newer, and a setting said not yet."""
    sources: tuple[HeldData, ...] = ()
    not_recorded: tuple[str, ...] = ()
    """What lies between and leaves no trace, so that what it reads is not in the state: ephemeral models."""


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A verdict that one run or several came to."""

    decision: DecisionWord
    confidence: ConfidenceWord | None
    reasons: tuple[ReasonView, ...]
    status: StatusWord | None
    run_id: str | None
    first_at: datetime
    last_at: datetime
    repeated: int = 1
    waited_seconds: float = 0.0
    execution_time: float = 0.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole decision on one node, as the state store kept it."""

    row: PlanRow
    run_id: str | None = None
    """The run that made the decision."""
    decided_at: datetime | None = None
    repeated: int = 1
    """How many runs in a row came to the same unchanged verdict."""
    target: str | None = None
    """The target of that run; ``None`` where its own record was pruned."""
    parts: tuple[PartLine, ...] = ()
    parts_total: int | None = None
    texts: tuple[TextChange, ...] = ()
    inputs: tuple[InputLine, ...] = ()
    policy: tuple[PolicyLine, ...] = ()
    waited_seconds: float = 0.0
    """How long the node waited for other runs."""
    content: Content | None = None
    next: tuple[NextBuild, ...] = ()
    history: tuple[PastDecision, ...] = ()
    """The decisions before, the newest first, where they were asked for."""
    warnings: tuple[str, ...] = ()
    now: datetime | None = None
    """The reader's moment, for short times in the reader's time zone."""
