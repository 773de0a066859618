"""``afresh state prune``: the past, and relations that are no longer in use. Needs the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, state_options
from afresh.cli.state_words import settings_of
from afresh.config.durations import DURATION_ALLOWED, format_duration, parse_duration
from afresh.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from afresh.cli.relations import Recorded
    from afresh.store import Pruned

_SHORTEST = timedelta(days=1)


@click.command(
    "prune",
    short_help="Drop old history, and what is no longer in use.",
    context_settings=HELP,
    epilog="Example: afresh state prune --older-than 180d --dry-run",
)
@click.option("--older-than", help="How old; default: `history.keep` of afresh.yml. Example: 180d")
@click.option("--dry-run", is_flag=True, help="Only tell what would be dropped.")
@state_options("whose state is changed")
def prune(*, older_than: str | None, dry_run: bool, project_dir: Path | None, state_url: str | None) -> int:
    """Drop runs and decisions that are old, and relations to which no run came for as long: neither built nor reused."""
    from afresh.cli.relations import recorded
    from afresh.store import open_store

    settings = settings_of(project_dir, state_url)
    span = settings.history.keep if older_than is None else _span(older_than)
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        known = recorded(store)
        pruned = store.prunable(span)
    if not dry_run:
        with open_store(settings.state_url, base=settings.project_dir) as store:
            pruned = store.prune(span)
    sys.stdout.write(_text(pruned, known, span, dry_run=dry_run))
    return EXIT_OK


def _span(text: str) -> timedelta:
    try:
        span = parse_duration(text)
    except ValueError:
        raise UsageError(f"`{text}` is no duration", where="option --older-than", hint=f"Give {DURATION_ALLOWED}.") from None
    if span < _SHORTEST:
        raise UsageError(f"`{text}` is less than a day", where="option --older-than", hint="What is younger is kept.")
    return span


def _text(pruned: Pruned, known: tuple[Recorded, ...], span: timedelta, *, dry_run: bool) -> str:
    from afresh.render.relation import named_lines
    from afresh.render.words import counted

    dropped = frozenset(pruned.relations)
    lines = {one.key: one.line for one in known if one.key in dropped}
    relations = counted(len(pruned.relations), "relation or test", "relations and tests")
    what = f"{counted(pruned.runs, 'run')}, {counted(pruned.decisions, 'decision')} and {relations}"
    did = "Would drop" if dry_run else "Dropped"
    age = format_duration(span) if span % _SHORTEST else counted(span.days, "day")
    return "\n".join([f"{did} {what}, older than {age}.", *named_lines(list(lines.values()))]) + "\n"
