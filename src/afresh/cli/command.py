"""What our own commands share: how they are run, the options that say which state is meant, and how wide their output may be."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
"""The settings of every command."""

JSON = "json"
_WIDTH_OF_PIPES = 120


def run(command: click.Command, name: str, arguments: Sequence[str]) -> int:
    """Do what the arguments say; returns the exit code. What click refuses is told as click tells it."""
    try:
        with command.make_context(name, list(arguments)) as context:
            return int(command.invoke(context))
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code


debug_option = click.option("--debug", is_flag=True, expose_value=False, help="Show where in the program an error comes from.")


def state_options(whose: str, *, url: str = "Where the state is.") -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Options of a command that works on the state of a project; ``whose`` ends "The project …"."""

    def add(command: Callable[..., int]) -> Callable[..., int]:
        command = click.option("--state-url", help=url)(debug_option(command))
        told = f"The project {whose}; default: this folder."
        return click.option("--project-dir", type=click.Path(path_type=Path), default=None, help=told)(command)

    return add


def output_option(how: str = "How it is printed.") -> Callable[[Callable[..., int]], Callable[..., int]]:
    """``--output text|json``."""
    return click.option("--output", type=click.Choice(["text", JSON]), default="text", help=how)


@dataclass(frozen=True)
class Page:
    """What the standard output is: how many columns it has, and whether it shows colours."""

    width: int
    color: bool


def page() -> Page:
    """A terminal as it is; everything else is wide enough for most lines, and has no colours."""
    if not sys.stdout.isatty():
        return Page(_WIDTH_OF_PIPES, color=False)
    return Page(shutil.get_terminal_size().columns, color="NO_COLOR" not in os.environ)
