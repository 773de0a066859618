"""``afresh state show``: what is recorded of relations and tests. Needs the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.state_words import settings_of
from afresh.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from afresh.render.relation import RelationLine

_WIDTH_OF_PIPES = 120
_JSON = "json"


@click.command(
    "show",
    short_help="Tell what is recorded of nodes.",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: afresh state show orders",
)
@click.argument("nodes", nargs=-1)
@click.option("--target", help="Only what was last built or reused in this target; default: in all.")
@click.option("--output", type=click.Choice(["text", _JSON]), default="text", help="How it is printed.")
@click.option(
    "--project-dir", type=click.Path(path_type=Path), default=None, help="The project whose state is asked; default: this folder."
)
@click.option("--state-url", help="Where the state is.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show where in the program an error comes from.")
def show(*, nodes: tuple[str, ...], target: str | None, output: str, project_dir: Path | None, state_url: str | None) -> int:
    """Tell everything that is recorded of NODES (names or unique ids, or how they begin, or patterns); default: a line for each."""
    from afresh.cli.relations import meant, recorded
    from afresh.store import open_store

    settings = settings_of(project_dir, state_url)
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        known, now = recorded(store), store.now().astimezone()
    found = [one.line for one in meant(known, nodes or ("*",), target)]
    if output == _JSON:
        from afresh.render.relation_json import relations_json

        sys.stdout.write(relations_json(found))
    else:
        sys.stdout.write(_text(found, now, whole=bool(nodes)))
    return EXIT_OK


def _text(lines: Sequence[RelationLine], now: datetime, *, whole: bool) -> str:
    from afresh.render.relation import relation_text, relations_text, summary_text

    if not whole:
        return relations_text(lines, now) + summary_text(lines) + "\n"
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else _WIDTH_OF_PIPES
    color = terminal and "NO_COLOR" not in os.environ
    return "\n".join(relation_text(line, now, width=width, color=color) for line in lines)
