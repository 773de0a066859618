"""A key of its own for each state, and which runs are at work."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002_from_0001"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY_BYTES = 32


def upgrade() -> None:
    """Make both tables, and the key."""
    op.create_table(
        "afresh_alive",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="afresh_alive_pkey"),
        sqlite_with_rowid=False,
    )
    identity = op.create_table(
        "afresh_identity",
        sa.Column("secrets_key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("secrets_key", name="afresh_identity_pkey"),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(identity, [{"secrets_key": secrets.token_hex(_KEY_BYTES)}])
