"""The first schema: runs, traces, leases, marks, durations, decisions, blobs, probe memos, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def upgrade() -> None:
    """Make every table."""
    _runs()
    _what_stands()
    _history()
    _memory()


def _runs() -> None:
    op.create_table(
        "afresh_runs",
        sa.Column("number", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        _text("command"),
        _text("project"),
        _text("target"),
        _text("host"),
        sa.Column("pid", sa.BigInteger, nullable=False, server_default="0"),
        _text("job"),
        sa.Column("scheduled_at", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        _text("status"),
        *map(_count, ("built", "reused_verified", "reused_tolerated", "cloned", "failed", "skipped")),
        sa.Column("deciding_seconds", sa.Float, nullable=False, server_default="0"),
        sa.Column("saved_seconds", sa.Float, nullable=False, server_default="0"),
        *map(_text, ("afresh_version", "dbt_version", "adapter_version")),
        sa.PrimaryKeyConstraint("number", name="afresh_runs_pkey"),
        sa.UniqueConstraint("run_id", name="afresh_runs_run_id_key"),
        sqlite_autoincrement=True,
    )


def _what_stands() -> None:
    op.create_table(
        "afresh_traces",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        _text("resource_type"),
        _text("project"),
        sa.Column("build_id", sa.Text, nullable=False),
        *map(_text, ("run_id", "compiled_digest", "depfile_digest")),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("key", name="afresh_traces_pkey"),
    )
    op.create_table(
        "afresh_leases",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("term", sa.BigInteger, nullable=False),
        *map(_text, ("run_id", "host")),
        sa.Column("pid", sa.BigInteger, nullable=False, server_default="0"),
        *map(_text, ("node", "job")),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("key", name="afresh_leases_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "afresh_marks",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("build_id", sa.Text),
        sa.Column("term", sa.BigInteger),
        *map(_text, ("node", "run_id")),
        sa.Column("at", sa.BigInteger, nullable=False),
        *map(_text, ("detail", "by")),
        sa.PrimaryKeyConstraint("id", name="afresh_marks_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_index("afresh_marks_key_idx", "afresh_marks", ["key"])


def _history() -> None:
    op.create_table(
        "afresh_durations",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("seconds", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="afresh_durations_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "afresh_decisions",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        *map(_text, ("resource_type", "materialized", "relation")),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("confidence", sa.Text),
        sa.Column("reasons", sa.LargeBinary, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("waiting_on", sa.Text, nullable=False, server_default="[]"),
        sa.Column("lag_bound_seconds", sa.Float, nullable=False, server_default="0"),
        sa.Column("status", sa.Text),
        sa.Column("execution_time", sa.Float, nullable=False, server_default="0"),
        _text("stage"),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("verdict", "runs")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("first_run", "last_run", "first_at", "last_at")),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("newest", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="afresh_decisions_pkey"),
        sqlite_autoincrement=True,
    )
    op.create_index("afresh_decisions_node_idx", "afresh_decisions", ["node"])
    op.create_index("afresh_decisions_last_run_idx", "afresh_decisions", ["last_run"])
    op.create_index("afresh_decisions_newest_idx", "afresh_decisions", ["newest", "node"])


def _memory() -> None:
    op.create_table(
        "afresh_blobs",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("touched_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="afresh_blobs_pkey"),
    )
    op.create_table(
        "afresh_probe_memos",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("guard", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="afresh_probe_memos_pkey"),
    )
    op.create_table(
        "afresh_events",
        sa.Column("number", _NUMBER, autoincrement=True, nullable=False),
        _text("run_id"),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        _text("payload"),
        sa.PrimaryKeyConstraint("number", name="afresh_events_pkey"),
        sqlite_autoincrement=True,
    )
