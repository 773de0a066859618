"""``afresh runs``: what runs did, from the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from afresh.cli import runs_list, runs_show
from afresh.cli.command import HELP, run

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(
    context_settings=HELP,
    epilog="Example: afresh runs list --limit 5",
)
def _runs() -> None:
    """Tell what runs did: built, reused and failed nodes, times, and the time that was saved."""


_runs.add_command(runs_list.list_)
_runs.add_command(runs_show.show)


def main(arguments: Sequence[str]) -> int:
    """Tell; returns the exit code."""
    return run(_runs, "afresh runs", arguments)
