"""The state store: the only package that knows SQLAlchemy and Alembic.

:func:`open_store` gives a :class:`StateStore`; everything else is a value that goes in or comes out. SQLite (several
processes on one machine) and PostgreSQL mean exactly the same, held by one conformance suite.
"""

from afresh.store.exporting import Moved
from afresh.store.forgetting import Pruned
from afresh.store.inspecting import inspect_state
from afresh.store.opening import awaits_migration, open_store
from afresh.store.overview import Overview, Waiting
from afresh.store.records import (
    Build,
    DecisionRecord,
    DecisionRow,
    EventRecord,
    Head,
    Intent,
    ProbeMemo,
    Run,
    RunOutcome,
    RunRecord,
    RunStatus,
    Settlement,
    Snapshot,
    StateFacts,
    Taken,
)
from afresh.store.statestore import StateStore
from afresh.store.transfer import check, not_written

__all__ = [
    "Build",
    "DecisionRecord",
    "DecisionRow",
    "EventRecord",
    "Head",
    "Intent",
    "Moved",
    "Overview",
    "ProbeMemo",
    "Pruned",
    "Run",
    "RunOutcome",
    "RunRecord",
    "RunStatus",
    "Settlement",
    "Snapshot",
    "StateFacts",
    "StateStore",
    "Taken",
    "Waiting",
    "awaits_migration",
    "check",
    "inspect_state",
    "not_written",
    "open_store",
]
