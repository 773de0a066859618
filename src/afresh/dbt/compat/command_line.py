"""dbt's own command line in this process: with options of ours on one of its commands, or as it is."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from dbt.cli.main import cli

from afresh.errors import EXIT_COULD_NOT_RUN, EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def command_of(arguments: Sequence[str]) -> str:
    """The command that a line asks for, dbt's or not; empty where there is none, or an option before it is not dbt's."""
    return next(iter(_from_command_on(arguments)), "")


def _from_command_on(arguments: Sequence[str]) -> list[str]:
    """The line without the options that stand before the command."""
    try:
        _, rest, _ = cli.make_parser(click.Context(cli)).parse_args(list(arguments))
    except click.UsageError:
        return []
    return list(rest)


@contextmanager
def with_options(command: str, options: Sequence[click.Option], values: dict[str, object], *, example: str) -> Iterator[None]:
    """Give one of dbt's commands more options; their values go to ``values`` and never into dbt's own flags."""
    target = cli.commands[command]
    before, epilog = list(target.params), target.epilog

    def keep(_context: click.Context, option: click.Parameter, value: object) -> object:
        values[str(option.name)] = value
        return value

    for option in options:
        option.expose_value = False
        option.callback = keep
    target.params, target.epilog = [*before, *options], f"Example: {example}"
    try:
        yield
    finally:
        target.params, target.epilog = before, epilog


def project_dir_of(arguments: Sequence[str], command: str) -> Path:
    """The project folder that a command line names. A line that click refuses is left to dbt, which says why."""
    try:
        parsed = cli.commands[command].make_context(command, _from_command_on(arguments)[1:])
    except (click.ClickException, click.exceptions.Exit):
        return Path.cwd()
    return Path(str(parsed.params.get("project_dir") or os.environ.get("DBT_PROJECT_DIR") or Path.cwd())).resolve()


def check(arguments: Sequence[str], command: str, *, shown_as: str) -> None:
    """Whether one of dbt's commands takes these arguments; what is wrong is told under the name that the user typed.

    Raises:
        click.UsageError: it does not.
    """
    with suppress(click.exceptions.Exit):
        cli.commands[command].make_context(shown_as, list(arguments))


def invoke(arguments: Sequence[str]) -> int:
    """Run dbt's command line and return its exit code."""
    try:
        cli.main(args=list(arguments), prog_name="afresh", standalone_mode=True)
    except SystemExit as end:
        if end.code is None:
            return EXIT_OK
        return end.code if isinstance(end.code, int) else EXIT_COULD_NOT_RUN
    return EXIT_OK
