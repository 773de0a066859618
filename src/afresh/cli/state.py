"""``afresh state``: what can be done with the state itself. Only `check` and `adopt` need the warehouse; selectors need dbt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from afresh.cli import (
    state_adopt,
    state_check,
    state_export,
    state_forget,
    state_import,
    state_invalidate,
    state_migrate,
    state_prune,
    state_show,
)
from afresh.cli.command import HELP, run

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(
    context_settings=HELP,
    epilog="Example: afresh state export state.jsonl.gz",
)
def _state() -> None:
    """Put the state right, move it to another database, or keep a copy of it."""


_state.add_command(state_show.show)
_state.add_command(state_check.check)
_state.add_command(state_invalidate.invalidate)
_state.add_command(state_forget.forget)
_state.add_command(state_prune.prune)
_state.add_command(state_adopt.adopt)
_state.add_command(state_export.export)
_state.add_command(state_import.import_)
_state.add_command(state_migrate.migrate)


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; returns the exit code."""
    return run(_state, "afresh state", arguments)
