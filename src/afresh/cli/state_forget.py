"""``afresh state forget``: to Afresh, nodes were never built. Needs the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, state_options
from afresh.cli.state_words import asked_by, settings_of
from afresh.errors import EXIT_OK, UsageError
from afresh.render.words import node_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from afresh.core.lease import Holder


@click.command(
    "forget",
    short_help="Drop what is recorded of nodes.",
    context_settings=HELP,
    epilog='Example: afresh state forget orders --target dev --reason "its table was restored from a backup"',
)
@click.argument("nodes", nargs=-1)
@click.option("--reason", default="", help="Why: `afresh explain` and `afresh status` tell it.")
@click.option("--target", help="Only what was last built or reused in this target; default: in all.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be forgotten.")
@state_options("whose state is changed")
def forget(
    *, nodes: tuple[str, ...], reason: str, target: str | None, dry_run: bool, project_dir: Path | None, state_url: str | None
) -> int:
    """Drop what is recorded of NODES (names or unique ids, or how they begin, or patterns): to Afresh, they were never built."""
    from afresh.cli.relations import meant, recorded
    from afresh.render.relation import named_lines
    from afresh.render.words import counted
    from afresh.store import open_store

    if not nodes:
        raise UsageError("no node is named", hint='Name nodes, or all of them with a pattern: afresh state forget "*"')
    settings = settings_of(project_dir, state_url)
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        found = meant(recorded(store), nodes, target)
        keys = [one.key for one in found]
        _refuse_held(held.holder for held in store.holders(keys).values())
    if not dry_run:
        with open_store(settings.state_url, base=settings.project_dir) as store:
            left = store.forget(keys, asked_by(), f"forgotten: {reason}" if reason else "forgotten")
        _refuse_held(held.holder for held in left.values())
    what = counted(len({one.line.node for one in found}), "node") + (" would be forgotten:" if dry_run else " forgotten:")
    sys.stdout.write("\n".join([what, *named_lines([one.line for one in found])]) + "\n")
    return EXIT_OK


def _refuse_held(holders: Iterable[Holder]) -> None:
    for holder in holders:
        raise UsageError(
            f"run {holder.run_id} on {holder.host} (pid {holder.pid}) is building {node_text(holder.node)}, so nothing is forgotten",
            hint="Do it again when that run is done; `afresh status` tells.",
        )
