"""What the last build of a relation recorded.

A trace is written only after a success that stands for the node's full result, by the holder of its lease
(architecture, invariant 5). Attempts that did not end so are remembered beside it as an :class:`AttemptProblem`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from afresh.core.node import NodeId, ResourceType
    from afresh.core.relation import TraceKey
    from afresh.core.version import CodeVersion, DataVersion


@dataclass(frozen=True, slots=True)
class RecordedInput:
    """One input and its data version as it was read *before* the build's SQL started.

    ``node`` is dbt's id where the graph knows the input, else the relation's name as the SQL spells it.
    """

    node: str
    key: TraceKey | None
    version: DataVersion
    signature: str = ""
    """Digest of the input's columns and types at that moment; empty where nobody knew them."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Column names and types of a built relation, in order."""

    columns: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """One short token for the columns, their types and their order."""
        return hashlib.sha256(json.dumps(self.columns).encode()).hexdigest()[:16]


class TestStatus(str, Enum):
    """dbt's result of a test, whatever its configured severity made of it."""

    __test__ = False
    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """How a test ended. ``status`` is dbt's; ``failed`` says whether rows failed, whatever the severity."""

    __test__ = False
    status: TestStatus
    failures: int | None = None

    @property
    def passed(self) -> bool:
        """Whether the test passed without a warning."""
        return self.status is TestStatus.PASS


@dataclass(frozen=True)
class Trace:
    """What the last complete build of one relation (or run of one test) recorded."""

    key: TraceKey
    node: NodeId
    resource_type: ResourceType
    project: str
    build_id: str
    run_id: str
    code: CodeVersion
    inputs: tuple[RecordedInput, ...]
    output_version: str
    started_at: datetime
    finished_at: datetime
    scheduled_at: datetime
    """The (scheduled) start of the run that built it: intervals are measured from here."""
    relation_type: str = ""
    """``table``, ``view``, … as the warehouse called it after the build; empty for tests."""
    signature: Signature | None = None
    outside_token: str | None = None
    """The warehouse's token right after the build, only if it is attributable to us (semantics §4, "Post-build tokens")."""
    volatile_value: str | None = None
    """The value of volatile SQL at the build, at date grain; ``None`` when nothing volatile counts."""
    window: str | None = None
    """The microbatch window that the build covered."""
    test: TestOutcome | None = None
    reasons: tuple[str, ...] = ()
    """Codes of the reasons for which it was built."""
    execution_seconds: float = 0.0
    job: str = ""
    adopted: bool = False
    compiled_digest: str = ""
    """Where the compiled SQL of this build is kept."""
    depfile_digest: str = ""
    """Where the record of what rendering and execution read is kept."""


class AttemptState(str, Enum):
    """How the newest attempt to build a relation ended, where it did not end in a trace."""

    INTERRUPTED = "interrupted"
    LOST_LEASE = "lost_lease"
    FAILED = "failed"
    TAINTED = "tainted"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class AttemptProblem:
    """The newest attempt, if it is newer than the trace and was not an ordinary complete success."""

    state: AttemptState
    run_id: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Invalidation:
    """Somebody made the node due by hand: who, when and why."""

    by: str
    at: datetime
    why: str = ""
