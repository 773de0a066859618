"""``afresh runs list``: the last runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from afresh.cli.command import HELP, JSON, output_option, page, state_options
from afresh.cli.run_names import refuse_without_runs
from afresh.cli.state_words import settings_of
from afresh.errors import EXIT_OK


@click.command(
    "list",
    short_help="List the last runs.",
    context_settings=HELP,
    epilog="Example: afresh runs list --limit 5",
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@output_option()
@state_options("whose state is asked")
def list_(*, limit: int, output: str, project_dir: Path | None, state_url: str | None) -> int:
    """List the last runs, the newest first."""
    from afresh.cli.overviewing import run_line
    from afresh.render.runs import runs_json, runs_text
    from afresh.store import open_store

    settings = settings_of(project_dir, state_url)
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        refuse_without_runs(store)
        at_work, now = set(store.runs_at_work()), store.now().astimezone()
        lines = [run_line(run, is_at_work=run.record.run_id in at_work) for run in store.runs(limit)]
    # Only a terminal has an end of the line: a pipe gets the commands whole.
    width = page().width if sys.stdout.isatty() else None
    sys.stdout.write(runs_json(lines, now) if output == JSON else runs_text(lines, now, width=width))
    return EXIT_OK
