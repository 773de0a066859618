"""``afresh runs list``: the last runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from afresh.cli.run_names import refuse_without_runs
from afresh.cli.state_words import settings_of
from afresh.errors import EXIT_OK

_JSON = "json"


@click.command(
    "list",
    short_help="List the last runs.",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: afresh runs list --limit 5",
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@click.option("--output", type=click.Choice(["text", _JSON]), default="text", help="How it is printed.")
@click.option(
    "--project-dir", type=click.Path(path_type=Path), default=None, help="The project whose state is asked; default: this folder."
)
@click.option("--state-url", help="Where the state is.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show where in the program an error comes from.")
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
    sys.stdout.write((runs_json if output == _JSON else runs_text)(lines, now))
    return EXIT_OK
