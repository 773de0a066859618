"""With each decision, the settings that were given for the node and how long it waited."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_from_0001"
down_revision = "0002_from_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; an older program leaves them as they are by default."""
    op.add_column("afresh_decisions", sa.Column("policy", sa.Text))
    op.add_column("afresh_decisions", sa.Column("waited_seconds", sa.Float, nullable=False, server_default="0"))
