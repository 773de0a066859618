"""The words of a probe: what is asked about, what is remembered from last time, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from afresh.core.observation import OutsideChange
from afresh.core.relation import Relation, TraceKey
from afresh.core.trace import Signature
from afresh.core.version import DataVersion, Known, Unknown
from afresh.warehouse.names import Name


class Signal(str, Enum):
    """What a data version was read from."""

    TABLE_VERSION = "table_version"
    STATISTICS = "statistics"
    CONTENT = "content"
    FILE = "file"
    LOADED_AT = "loaded_at"
    METADATA = "metadata"
    NONE = "none"


class Strength(str, Enum):
    """How far a signal can be trusted."""

    EXACT = "exact"
    """It moves with every change of the data."""
    DECLARED = "declared"
    """It moves with what the user said to watch: late rows, updates and deletes may pass unseen."""
    COARSE = "coarse"
    """It moves with every change, unless two fall into one tick of a coarse clock."""
    LATE = "late"
    """It moves with every change, but with some kinds of writes only minutes or hours later."""
    NONE = "none"


class SourceSignal(str, Enum):
    """The setting ``state.source_signal``."""

    AUTO = "auto"
    LOADED_AT = "loaded_at"


class Purpose(str, Enum):
    """Why the relation is looked at."""

    INPUT = "input"
    """Its data is read: a view is looked through to the tables under it."""
    OWN = "own"
    """We built it: a view is its own definition, whatever the tables under it hold."""


@dataclass(frozen=True, slots=True)
class Target:
    """One relation to look at.

    ``name`` is the name as the SQL must spell it, each part quoted; ``location`` is what a source's
    ``external_location`` came to, in the engine's SQL; ``filter`` is ``freshness.filter``; ``loaded_at_query`` is rendered.
    """

    relation: Relation
    name: Name
    purpose: Purpose = Purpose.INPUT
    kind: str = ""
    loaded_at_field: str | None = None
    loaded_at_query: str | None = None
    filter: str | None = None
    location: str | None = None
    source_signal: SourceSignal = SourceSignal.AUTO

    @property
    def key(self) -> TraceKey:
        """The key of the relation."""
        return self.relation.key

    @property
    def has_loaded_at(self) -> bool:
        """Whether the user said how to ask when data arrived."""
        return bool(self.loaded_at_field or self.loaded_at_query)


@dataclass(frozen=True, slots=True)
class Memo:
    """A token read earlier, and what the cheap look at the same place said *before* it was read.

    While the cheap look (``guard``) says the same, the token stands. Two memos are never mixed.
    """

    token: str
    guard: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a probe may cost. A table with more rows than ``max_hash_rows`` is not hashed; ``None``: all are."""

    max_hash_rows: int | None = None


NO_LIMITS = Limits()


@dataclass(frozen=True)
class ProbeAnswer:
    """What is known about one relation now."""

    version: DataVersion
    signal: Signal = Signal.NONE
    strength: Strength = Strength.NONE
    warnings: tuple[str, ...] = ()
    exists: bool | None = None
    """``None``: the probe does not know."""
    relation_type: str = ""
    signature: Signature | None = None
    estimated_rows: int | None = None
    memo: Memo | None = None
    """What to hand to the next probe, where it can spare it work."""
    hashed_rows: int = 0
    """How many rows were read to answer; 0 where a cheaper sign was enough."""
    age: timedelta | None = None
    """How long ago the newest row was loaded, by ``loaded_at_*`` and the server's clock; :data:`NO_ROWS` if there is none."""


NO_ROWS = timedelta.max
"""The age of what is not there: dbt takes it for older than anything."""

Answers = Mapping[TraceKey, ProbeAnswer]
Memos = Mapping[TraceKey, Memo]

NO_MEMOS: Memos = {}


def unknown(why: str, *, exists: bool | None = None, warnings: tuple[str, ...] = ()) -> ProbeAnswer:
    """An answer that says only why there is none."""
    return ProbeAnswer(Unknown(why), exists=exists, warnings=warnings)


MISSING = unknown("it does not exist", exists=False)


def token_of(answer: ProbeAnswer) -> str | None:
    """The token of a Known version."""
    return answer.version.token if isinstance(answer.version, Known) else None


@dataclass(frozen=True, slots=True)
class Built:
    """A relation that this run has just built.

    ``before`` is its own token as read before the build (``None``: it did not exist or was not read);
    ``reported_rows`` is what the build said it wrote.
    """

    target: Target
    materialized: str = ""
    reported_rows: int | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class AfterBuild:
    """What stands after a build: the token that is ours alone (``None``: nothing can be said), type and columns."""

    outside_token: str | None
    relation_type: str = ""
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A relation of ours and the ``outside_token`` that its trace recorded."""

    target: Target
    recorded: str | None


@dataclass(frozen=True, slots=True)
class Outside:
    """Whether somebody else wrote to a relation of ours.

    ``refreshed`` is the token to store in place of the recorded one, where looking again proved more than it did.
    """

    change: OutsideChange | None
    refreshed: str | None = None


@dataclass(frozen=True, slots=True)
class FileChain:
    """The history of one database file as far as our jobs know it.

    ``left`` is how the last of our jobs left the file. ``epoch`` counts how often a job found it otherwise: within one
    epoch only our own jobs have written to it.
    """

    epoch: int = 0
    left: str | None = None


@dataclass(frozen=True)
class Chains:
    """The chains of the database files that this run works in.

    ``files`` (by real path) is what the state store keeps; ``databases`` says which file each attached database is.
    """

    files: Mapping[str, FileChain] = field(default_factory=dict)
    databases: Mapping[str, str] = field(default_factory=dict)

    def of(self, database: str) -> FileChain | None:
        """The chain of an attached database, by its folded name."""
        path = self.databases.get(database)
        return None if path is None else self.files.get(path)


NO_CHAINS = Chains()
