"""Migrations of the schema, run by Alembic from the files in ``migrations/versions``, on a connection of ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from afresh.store.schema import METADATA, VERSION

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_FOLDER = Path(__file__).with_name("migrations")


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_FOLDER))


def revisions() -> tuple[str, ...]:
    """Every revision that this release knows, oldest first."""
    return tuple(script.revision for script in reversed(list(_scripts().walk_revisions())))


def upgrade(conn: Connection, to: str = "head") -> None:
    """Bring the schema up, in the transaction that is open on ``conn``: all of it or nothing."""
    scripts = _scripts()
    with EnvironmentContext(Config(), scripts, fn=lambda revision, _: scripts._upgrade_revs(to, revision)) as environment:  # noqa: SLF001 - as Alembic's own `command.upgrade` does
        environment.configure(connection=conn, target_metadata=METADATA, version_table=VERSION.name, transactional_ddl=True)
        environment.run_migrations()
