"""``afresh status``: who runs, who waits for whom, and how things stand. Needs the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, JSON, output_option, page, run, state_options
from afresh.cli.state_words import settings_of
from afresh.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.render.status import Status


@click.command(
    context_settings=HELP,
    epilog="Example: afresh status --watch",
)
@click.option("--all", "everything", is_flag=True, help="List every node, those that are current too.")
@click.option("--watch", is_flag=True, help="Go on looking until it is interrupted.")
@output_option()
@state_options("whose state is asked")
def _status(*, everything: bool, watch: bool, output: str, project_dir: Path | None, state_url: str | None) -> int:
    """Tell which runs are at work, who waits for whom and how long, and how each node stands, as far as the state holds it."""
    from afresh.cli.overviewing import status_of
    from afresh.store import open_store

    if watch and output == JSON:
        raise UsageError("`--watch` prints text", where="option --output", hint="Without `--watch` the JSON document is printed once.")
    settings = settings_of(project_dir, state_url)
    if watch:
        from afresh.cli.status_watch import watch_state

        watch_state(settings, lambda status: _text(status, everything=everything))
        return EXIT_OK
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        status = status_of(store)
    if output == JSON:
        from afresh.render.status_json import status_json

        sys.stdout.write(status_json(status))
    else:
        sys.stdout.write(_text(status, everything=everything))
    return EXIT_OK


def main(arguments: Sequence[str]) -> int:
    """Tell; returns the exit code."""
    return run(_status, "afresh status", arguments)


def _text(status: Status, *, everything: bool) -> str:
    from afresh.render.status import LIMIT, status_text

    shape = page()
    return status_text(status, width=shape.width, color=shape.color, limit=None if everything else LIMIT)
