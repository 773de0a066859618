"""``afresh state invalidate``: nodes are built at their next run, whatever is recorded of them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from afresh.cli.command import HELP, state_options
from afresh.cli.state_words import asked_by, settings_of
from afresh.errors import EXIT_OK, UsageError


@click.command(
    "invalidate",
    short_help="Make nodes due at their next run.",
    context_settings=HELP,
    epilog='Example: afresh state invalidate orders "stg_*" --reason "the loader wrote rows twice"',
)
@click.argument("nodes", nargs=-1)
@click.option("-s", "--select", "selectors", multiple=True, help="Nodes that dbt's selector selects; this needs the dbt project.")
@click.option("--reason", default="", help="Why: `afresh explain` and `afresh status` tell it.")
@click.option("--target", help="Only what was last built or reused in this target; default: in all.")
@click.option("--vars", help="Variables of the project, as dbt takes them; for selectors.")
@click.option("--profile", help="The profile, as dbt takes it; for selectors.")
@click.option("--profiles-dir", help="The folder of profiles.yml, as dbt takes it; for selectors.")
@click.option("--dry-run", is_flag=True, help="Only tell what would become due.")
@state_options("whose state is changed")
def invalidate(
    *,
    nodes: tuple[str, ...],
    selectors: tuple[str, ...],
    reason: str,
    target: str | None,
    dry_run: bool,
    project_dir: Path | None,
    state_url: str | None,
    **of_dbt: str | None,
) -> int:
    """Make NODES (names or unique ids, or how they begin, or patterns such as `stg_*`) due at their next run. Nothing is built now."""
    from afresh.cli.relations import meant, recorded, selected
    from afresh.render.relation import builders, named_lines
    from afresh.render.words import counted
    from afresh.store import open_store

    if not nodes and not selectors:
        raise UsageError("no node is named", hint="Name nodes, or select them: afresh state invalidate -s tag:nightly")
    settings = settings_of(project_dir, state_url)
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        known = recorded(store)
    by_name = meant(known, nodes, target) if nodes else ()
    more = [word for name, value in of_dbt.items() if value is not None for word in (f"--{name.replace('_', '-')}", value)]
    by_selector = selected(known, selectors, target, settings.project_dir, more) if selectors else ()
    wanted = {(one.key, one.line.node) for one in (*by_name, *by_selector)}
    found = [one for one in known if (one.key, one.line.node) in wanted]
    if not dry_run:
        with open_store(settings.state_url, base=settings.project_dir) as store:
            store.invalidate([one.key for one in found], asked_by(), reason)
    due, lines = ("would be due" if dry_run else "due"), [one.line for one in found]
    head = f"{counted(len({line.node for line in lines}), 'node')} {due} at the next run:"
    sys.stdout.write("\n".join([head, *named_lines(lines)]) + "\n")
    if builders(lines):
        sys.stdout.write("What a run is building now does not count for this: it is due again after that.\n")
    return EXIT_OK
