"""``afresh state migrate``: brings the schema of a state up to this release. Needs the state alone: no warehouse, no project and no dbt."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from afresh.cli.command import HELP, state_options
from afresh.cli.state_words import settings_of
from afresh.errors import EXIT_OK


@click.command(
    "migrate",
    short_help="Bring the schema of the state up to this release.",
    context_settings=HELP,
    epilog="Example: afresh state migrate --state-url postgresql://afresh@db.internal/afresh",
)
@click.option("--dry-run", is_flag=True, help="Only tell whether there is something to do.")
@state_options("whose state is changed")
def migrate(*, dry_run: bool, project_dir: Path | None, state_url: str | None) -> int:
    """Bring the schema of the state up to this release. Any build does so by itself; nothing that runs has to be stopped."""
    from afresh.store import awaits_migration, inspect_state, open_store

    settings = settings_of(project_dir, state_url)
    before = awaits_migration(settings.state_url, base=settings.project_dir)
    if before is not None and not dry_run:
        open_store(settings.state_url, base=settings.project_dir).close()
    if before is not None and dry_run:
        sys.stdout.write(f"Would migrate the state from schema {before}.\n")
        return EXIT_OK
    facts = inspect_state(settings.state_url, base=settings.project_dir)
    sys.stdout.write(_text(facts.place, before, facts.revision))
    return EXIT_OK


def _text(place: str, before: str | None, revision: str | None) -> str:
    if revision is None:
        return f"There is no state yet at {place}: the first run makes it.\n"
    if before is None:
        return f"Nothing to do: the state at {place} has schema {revision}.\n"
    return f"Migrated the state at {place} from schema {before} to {revision}.\n"
