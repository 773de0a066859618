"""``afresh state show``: what is recorded of relations and tests. Needs the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, JSON, output_option, page, state_options
from afresh.cli.state_words import settings_of
from afresh.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from afresh.render.relation import RelationLine


@click.command(
    "show",
    short_help="Tell what is recorded of nodes.",
    context_settings=HELP,
    epilog="Example: afresh state show orders",
)
@click.argument("nodes", nargs=-1)
@click.option("--target", help="Only what was last built or reused in this target; default: in all.")
@output_option()
@state_options("whose state is asked")
def show(*, nodes: tuple[str, ...], target: str | None, output: str, project_dir: Path | None, state_url: str | None) -> int:
    """Tell everything that is recorded of NODES (names or unique ids, or how they begin, or patterns); default: a line for each."""
    from afresh.cli.relations import meant, recorded
    from afresh.store import open_store

    settings = settings_of(project_dir, state_url)
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        known, now = recorded(store), store.now().astimezone()
    found = [one.line for one in meant(known, nodes or ("*",), target)]
    if output == JSON:
        from afresh.render.relation_json import relations_json

        sys.stdout.write(relations_json(found))
    else:
        sys.stdout.write(_text(found, now, whole=bool(nodes)))
    return EXIT_OK


def _text(lines: Sequence[RelationLine], now: datetime, *, whole: bool) -> str:
    from afresh.render.relation import relation_text, relations_text, summary_text

    if not whole:
        return relations_text(lines, now) + summary_text(lines) + "\n"
    shape = page()
    return "\n".join(relation_text(line, now, width=shape.width, color=shape.color) for line in lines)
