"""The tables, for SQLite and PostgreSQL alike.

A new column or table is added here *and* in a new file of ``migrations/versions``; a test holds the two equal. The
previous release must be able to run on the new schema: first add, and remove one release later. The revision's name says from
which revision on programs work with it (:mod:`afresh.store.revisions`).
Moments are whole microseconds since 1970 (:mod:`afresh.store.instants`); JSON is compressed where it can be long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

HEAD = "0003_from_0001"
"""The newest revision in ``migrations/versions``, which :data:`METADATA` equals."""

METADATA = MetaData(naming_convention={"pk": "%(table_name)s_pkey", "uq": "%(table_name)s_%(column_0_name)s_key"})

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_MOMENT = BigInteger


class FreeText(TypeDecorator[str]):
    """Text from outside: what PostgreSQL or UTF-8 cannot hold (NUL, half a surrogate pair) is replaced, never an error."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Make ``value`` storable everywhere."""
        return None if value is None else value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _free_text(name: str) -> Column[str]:
    return Column(name, FreeText, nullable=False, server_default="")


VERSION = Table(
    "afresh_schema_version",
    METADATA,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="afresh_schema_version_pkc"),  # as Alembic names it
)

RUNS = Table(
    "afresh_runs",
    METADATA,
    # Never reused, so that "before" and "after" between runs are a comparison of numbers.
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("run_id", Text, nullable=False, unique=True),
    _free_text("command"),
    _text("project"),
    _text("target"),
    _text("host"),
    Column("pid", BigInteger, nullable=False, server_default="0"),
    _text("job"),
    Column("scheduled_at", _MOMENT, nullable=False),
    Column("started_at", _MOMENT, nullable=False),
    Column("finished_at", _MOMENT),
    _text("status"),
    Column("built", Integer, nullable=False, server_default="0"),
    Column("reused_verified", Integer, nullable=False, server_default="0"),
    Column("reused_tolerated", Integer, nullable=False, server_default="0"),
    Column("cloned", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("skipped", Integer, nullable=False, server_default="0"),
    Column("deciding_seconds", Float, nullable=False, server_default="0"),
    Column("saved_seconds", Float, nullable=False, server_default="0"),
    _text("afresh_version"),
    _text("dbt_version"),
    _text("adapter_version"),
    sqlite_autoincrement=True,
)

TRACES = Table(
    "afresh_traces",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("node", Text, nullable=False),
    _text("resource_type"),
    _text("project"),
    Column("build_id", Text, nullable=False),
    _text("run_id"),
    _text("compiled_digest"),
    _text("depfile_digest"),
    # Everything else that the trace says: see the codec.
    Column("body", LargeBinary, nullable=False),
)

LEASES = Table(
    "afresh_leases",
    METADATA,
    # A row is never deleted: the term of a key must grow for ever.
    Column("key", Text, primary_key=True),
    Column("term", BigInteger, nullable=False),
    _text("run_id"),
    _text("host"),
    Column("pid", BigInteger, nullable=False, server_default="0"),
    _text("node"),
    _text("job"),
    Column("since", _MOMENT, nullable=False),
    # NULL when released.
    Column("expires_at", _MOMENT),
    sqlite_with_rowid=False,
)

MARKS = Table(
    "afresh_marks",
    METADATA,
    # Never reused: what stands against a trace and what it outlived are told apart by these numbers, not by a clock.
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False),
    # One of `afresh.store.marks.Mark`.
    Column("state", Text, nullable=False),
    Column("build_id", Text),
    Column("term", BigInteger),
    _text("node"),
    _text("run_id"),
    Column("at", _MOMENT, nullable=False),
    _free_text("detail"),
    _free_text("by"),
    Index("afresh_marks_key_idx", "key"),
    sqlite_autoincrement=True,
)

DURATIONS = Table(
    "afresh_durations",
    METADATA,
    Column("key", Text, primary_key=True),
    # The execution seconds of the last complete builds as a JSON list, newest last.
    Column("seconds", Text, nullable=False),
    sqlite_with_rowid=False,
)

DECISIONS = Table(
    "afresh_decisions",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("node", Text, nullable=False),
    Column("key", Text),
    _text("resource_type"),
    _text("materialized"),
    _text("relation"),
    Column("decision", Text, nullable=False),
    Column("confidence", Text),
    Column("reasons", LargeBinary, nullable=False),
    Column("due_at", _MOMENT),
    # Node ids as a JSON list.
    Column("waiting_on", Text, nullable=False, server_default="[]"),
    Column("lag_bound_seconds", Float, nullable=False, server_default="0"),
    Column("status", Text),
    Column("execution_time", Float, nullable=False, server_default="0"),
    _text("stage"),
    # A hash of all of the above and of what is last: the same verdict again is the same row.
    Column("verdict", Text, nullable=False),
    # The numbers of the runs that came to it, as `5-7,9`.
    Column("runs", Text, nullable=False),
    Column("first_run", BigInteger, nullable=False),
    Column("last_run", BigInteger, nullable=False),
    Column("first_at", _MOMENT, nullable=False),
    Column("last_at", _MOMENT, nullable=False),
    Column("count", Integer, nullable=False),
    # Whether it is the last word on this node and key.
    Column("newest", Boolean, nullable=False),
    # The settings that were given for the node, as JSON; NULL where an older program decided.
    Column("policy", FreeText),
    Column("waited_seconds", Float, nullable=False, server_default="0"),
    Index("afresh_decisions_node_idx", "node"),
    # Finding the last word must not cost more as the history grows.
    Index("afresh_decisions_newest_idx", "newest", "node"),
    Index("afresh_decisions_last_run_idx", "last_run"),
    sqlite_autoincrement=True,
)

BLOBS = Table(
    "afresh_blobs",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    # Young content is never collected: the trace that will name it may not be written yet.
    Column("touched_at", _MOMENT, nullable=False),
)

PROBE_MEMOS = Table(
    "afresh_probe_memos",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("guard", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("at", _MOMENT, nullable=False),
)

EVENTS = Table(
    "afresh_events",
    METADATA,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    _text("run_id"),
    Column("at", _MOMENT, nullable=False),
    Column("kind", Text, nullable=False),
    _free_text("payload"),
    sqlite_autoincrement=True,
)

ALIVE = Table(
    "afresh_alive",
    METADATA,
    # A run that is at work says so again and again; one that was killed is silent, and `until` passes.
    Column("run_id", Text, primary_key=True),
    Column("until", _MOMENT, nullable=False),
    sqlite_with_rowid=False,
)

IDENTITY = Table(
    "afresh_identity",
    METADATA,
    # One row, made with the state and moved with it: the key under which values of environment variables are hashed.
    Column("secrets_key", Text, primary_key=True),
    sqlite_with_rowid=False,
)
