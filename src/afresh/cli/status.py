"""``afresh status``: who runs, who waits for whom, and how things stand. Needs the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.state_words import settings_of
from afresh.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.render.status import Status

_WIDTH_OF_PIPES = 120
_JSON = "json"


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: afresh status --watch",
)
@click.option("--all", "everything", is_flag=True, help="List every node, those that are current too.")
@click.option("--watch", is_flag=True, help="Go on looking until it is interrupted.")
@click.option("--output", type=click.Choice(["text", _JSON]), default="text", help="How it is printed.")
@click.option(
    "--project-dir", type=click.Path(path_type=Path), default=None, help="The project whose state is asked; default: this folder."
)
@click.option("--state-url", help="Where the state is.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show where in the program an error comes from.")
def _status(*, everything: bool, watch: bool, output: str, project_dir: Path | None, state_url: str | None) -> int:
    """Tell which runs are at work, who waits for whom and how long, and how each node stands, as far as the state holds it."""
    from afresh.cli.overviewing import status_of
    from afresh.store import open_store

    if watch and output == _JSON:
        raise UsageError("`--watch` prints text", where="option --output", hint="Without `--watch` the JSON document is printed once.")
    settings = settings_of(project_dir, state_url)
    if watch:
        from afresh.cli.status_watch import watch_state

        watch_state(settings, lambda status: _text(status, everything=everything))
        return EXIT_OK
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        status = status_of(store)
    if output == _JSON:
        from afresh.render.status_json import status_json

        sys.stdout.write(status_json(status))
    else:
        sys.stdout.write(_text(status, everything=everything))
    return EXIT_OK


def main(arguments: Sequence[str]) -> int:
    """Tell; returns the exit code."""
    try:
        with _status.make_context("afresh status", list(arguments)) as context:
            return int(_status.invoke(context))
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code


def _text(status: Status, *, everything: bool) -> str:
    from afresh.render.status import LIMIT, status_text

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else _WIDTH_OF_PIPES
    return status_text(status, width=width, color=terminal and "NO_COLOR" not in os.environ, limit=None if everything else LIMIT)
