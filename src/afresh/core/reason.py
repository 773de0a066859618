"""Why a node was built, reused or skipped: one class per cause, each with its evidence.

The codes are a closed list and a contract (interfaces, "JSON"). How a reason reads as a sentence is decided in
:mod:`afresh.render` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from afresh.core.version import DataVersion, PartChange

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from afresh.core.observation import FailedTest
    from afresh.core.trace import AttemptState


@dataclass(frozen=True, slots=True)
class UpstreamFailed:
    """A parent failed or was skipped in this run."""

    code: ClassVar[str] = "upstream_failed"
    parent: str


@dataclass(frozen=True, slots=True)
class Forced:
    """The run is state-agnostic, or the node is by this setting of its own."""

    code: ClassVar[str] = "forced"
    setting: str = ""


@dataclass(frozen=True, slots=True)
class FullRefresh:
    """The run was asked for a full refresh of this node."""

    code: ClassVar[str] = "full_refresh"


@dataclass(frozen=True, slots=True)
class Invalidated:
    """Somebody made the node due by hand."""

    code: ClassVar[str] = "invalidated"
    by: str
    at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class NotReusable:
    """The node cannot be reasoned about."""

    code: ClassVar[str] = "not_reusable"
    why: str


@dataclass(frozen=True, slots=True)
class NeverBuilt:
    """No job that shares this state has built the relation."""

    code: ClassVar[str] = "never_built"


@dataclass(frozen=True, slots=True)
class RelationMissing:
    """The relation was built, and is not in the warehouse any more."""

    code: ClassVar[str] = "relation_missing"


@dataclass(frozen=True, slots=True)
class RelationTypeChanged:
    """The warehouse holds a relation of another type under the same name."""

    code: ClassVar[str] = "relation_type_changed"
    recorded: str
    observed: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The last build was cut off, or lost its lease after it had sent SQL."""

    code: ClassVar[str] = "interrupted"
    state: AttemptState
    run_id: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LastBuildFailed:
    """The last build failed after it may have written."""

    code: ClassVar[str] = "last_build_failed"
    run_id: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Tainted:
    """The relation was built without state, so nobody knows what it holds."""

    code: ClassVar[str] = "tainted"
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PartialBuild:
    """The last build was not for the node's full result: empty, sampled, a part of the event time, failed batches."""

    code: ClassVar[str] = "partial_build"
    run_id: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BuiltByOtherNode:
    """Another node wrote the relation last: two nodes share one table."""

    code: ClassVar[str] = "built_by_other_node"
    other: str


@dataclass(frozen=True, slots=True)
class CodeChanged:
    """The code version differs, in these parts."""

    code: ClassVar[str] = "code_changed"
    parts: tuple[PartChange, ...]


@dataclass(frozen=True, slots=True)
class EngineUpgraded:
    """Only macros of dbt or of the adapter differ."""

    code: ClassVar[str] = "engine_upgraded"
    parts: tuple[PartChange, ...]


@dataclass(frozen=True, slots=True)
class ChangedOutside:
    """Something that does not share this state wrote the relation after our last build."""

    code: ClassVar[str] = "changed_outside"
    recorded: str
    observed: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class FailedTests:
    """Data tests that this node owns failed on its last build."""

    code: ClassVar[str] = "failed_test"
    tests: tuple[FailedTest, ...]


@dataclass(frozen=True, slots=True)
class ViewStale:
    """The stored definition of the view no longer fits what is under it."""

    code: ClassVar[str] = "view_stale"
    parent: str
    text: str


@dataclass(frozen=True, slots=True)
class InputChange:
    """One input whose version differs or is unknown."""

    node: str
    label: str
    recorded: DataVersion | None
    observed: DataVersion


@dataclass(frozen=True, slots=True)
class NewData:
    """Inputs have another data version than the last build read."""

    code: ClassVar[str] = "new_data"
    inputs: tuple[InputChange, ...]


@dataclass(frozen=True, slots=True)
class VolatileValue:
    """A value such as the current date, which the SQL uses, moved since the last build."""

    code: ClassVar[str] = "volatile_value"
    what: str
    recorded: str | None
    observed: str | None


@dataclass(frozen=True, slots=True)
class WindowMoved:
    """The microbatch window moved since the last build."""

    code: ClassVar[str] = "window_moved"
    recorded: str | None
    observed: str | None


@dataclass(frozen=True, slots=True)
class MaxAge:
    """The last build is older than ``state.max_age`` allows."""

    code: ClassVar[str] = "max_age"
    age: timedelta
    limit: timedelta


@dataclass(frozen=True, slots=True)
class MetadataChanged:
    """Only parts differ that describe the relation: grants, descriptions, comments, labels."""

    code: ClassVar[str] = "metadata_changed"
    parts: tuple[PartChange, ...]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing differs from what the last build recorded."""

    code: ClassVar[str] = "unchanged"


@dataclass(frozen=True, slots=True)
class Adopted:
    """Nothing differs since the relation was declared current; Afresh has not built it.

    Where that was done, it says who did it and why, and when the run began whose build it stands for.
    """

    code: ClassVar[str] = "adopted"
    by: str = ""
    why: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class TooSoon:
    """Something differs, and the owner's minimum interval between builds has not elapsed."""

    code: ClassVar[str] = "too_soon"
    due_at: datetime
    interval: timedelta


@dataclass(frozen=True, slots=True)
class WaitingForInputs:
    """Something differs, and ``updates_on: all`` still waits for these inputs."""

    code: ClassVar[str] = "waiting_for_inputs"
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UpstreamTolerated:
    """Nothing differs here, but these inputs are themselves behind because a policy allows it."""

    code: ClassVar[str] = "upstream_tolerated"
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClonedFrom:
    """The relation was cloned from this one."""

    code: ClassVar[str] = "cloned_from"
    source: str


@dataclass(frozen=True, slots=True)
class NotPassedBefore:
    """The test has no earlier pass on this data: it failed, warned, erred, or may change its answer by itself."""

    code: ClassVar[str] = "not_passed_before"
    why: str


@dataclass(frozen=True, slots=True)
class QueueTimeout:
    """The node waited longer than ``queue_timeout`` for another run's lease."""

    code: ClassVar[str] = "queue_timeout"
    holder: str
    waited: timedelta


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """The run found the lease of this node gone after it had sent SQL."""

    code: ClassVar[str] = "lease_lost"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OrphanedQuery:
    """A run died while it built this node, and what it left at work in the warehouse could not be ended."""

    code: ClassVar[str] = "orphaned_query"
    holder: str
    detail: str


@dataclass(frozen=True, slots=True)
class StateUnavailable:
    """The state database could not be reached, so the node was built without it."""

    code: ClassVar[str] = "state_unavailable"
    detail: str = ""


Reason = (
    UpstreamFailed
    | Forced
    | FullRefresh
    | Invalidated
    | NotReusable
    | NeverBuilt
    | RelationMissing
    | RelationTypeChanged
    | Interrupted
    | LastBuildFailed
    | Tainted
    | PartialBuild
    | BuiltByOtherNode
    | CodeChanged
    | EngineUpgraded
    | ChangedOutside
    | FailedTests
    | ViewStale
    | NewData
    | VolatileValue
    | WindowMoved
    | MaxAge
    | MetadataChanged
    | Unchanged
    | Adopted
    | TooSoon
    | WaitingForInputs
    | UpstreamTolerated
    | ClonedFrom
    | NotPassedBefore
    | QueueTimeout
    | LeaseLost
    | OrphanedQuery
    | StateUnavailable
)
"""The closed union of causes."""

REASON_CODES: tuple[str, ...] = tuple(cause.code for cause in Reason.__args__)
"""Every code there is, in the order in which causes are listed."""
