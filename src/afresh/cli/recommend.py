"""``afresh recommend``: intervals worth setting, from history. Needs the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, JSON, output_option, page, run, state_options
from afresh.cli.run_names import refuse_without_runs
from afresh.cli.state_words import settings_of
from afresh.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(
    context_settings=HELP,
    epilog="Example: afresh recommend --output json",
)
@output_option("How the recommendations are printed.")
@state_options("whose state is asked")
def _recommend(*, output: str, project_dir: Path | None, state_url: str | None) -> int:
    """Tell which minimum intervals between builds would have saved work, and that no build below would have read older data."""
    from afresh.orchestration.recommending import recommend
    from afresh.render.recommendations import recommendations_json, recommendations_text
    from afresh.store import open_store

    settings = settings_of(project_dir, state_url)
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        refuse_without_runs(store)
        found = recommend(store)
    shape = page()
    sys.stdout.write(recommendations_json(found) if output == JSON else recommendations_text(found, width=shape.width, color=shape.color))
    return EXIT_OK


def main(arguments: Sequence[str]) -> int:
    """Recommend; returns the exit code."""
    return run(_recommend, "afresh recommend", arguments)
