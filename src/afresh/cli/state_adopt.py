"""``afresh state adopt``: declares relations current that an earlier run of dbt built. Nothing is built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, debug_option, page
from afresh.cli.state_words import asked_by
from afresh.errors import EXIT_COULD_NOT_RUN, EXIT_NODE_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.dbt.host import DbtHost
    from afresh.orchestration.adopting import Adoption, Wish
    from afresh.orchestration.run_session import RunSession
    from afresh.render.adopt import AdoptView

_COMMAND = "afresh state adopt"
_SELECTS = ("-s", "-m", "--select", "--model", "--models", "--selector")


@click.command(
    "adopt",
    short_help="Declare current what an earlier run of dbt built.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, **HELP},
    epilog="Select with all of `dbt build`'s options. Example: afresh state adopt -s marts+ --as-of-run target/run_results.json",
)
@click.option(
    "--as-of-run",
    type=click.Path(path_type=Path),
    required=True,
    help="The run_results.json of that run, with its manifest.json beside it.",
)
@click.option("--assume-unchanged", is_flag=True, help="Inputs that nobody can date have not changed since: you know it.")
@click.option("--reason", default="", help="Why: `afresh explain` tells it.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be adopted.")
@click.option("--state-url", help="Where the state is.")
@debug_option
@click.pass_context
def adopt(context: click.Context, *, as_of_run: Path, assume_unchanged: bool, reason: str, dry_run: bool, state_url: str | None) -> int:
    """Declare the selected nodes current as an earlier run of plain dbt built them, where nothing they depend on has changed since.

    They are shown as adopted, not built by Afresh, until their first build.
    """
    from afresh.orchestration.adopting import Wish

    if not _selects(context.args):
        raise UsageError("no node is selected", hint=f"Say which: {_COMMAND} -s marts+ --as-of-run {as_of_run}")
    wish = Wish(asked_by(), reason, assume_unchanged)
    found = _adoption(context.args, as_of_run, wish, dry_run=dry_run, state_url=state_url)
    if found is None:
        return EXIT_COULD_NOT_RUN
    return _tell(found, dry_run=dry_run)


def _selects(arguments: Sequence[str]) -> bool:
    return any(word.partition("=")[0] in _SELECTS or (word[:2] in ("-s", "-m") and len(word) > len("-s")) for word in arguments)


def _adoption(arguments: Sequence[str], as_of_run: Path, wish: Wish, *, dry_run: bool, state_url: str | None) -> Adoption | None:
    """What came out; ``None`` where dbt could not come so far, and has said why."""
    from afresh.cli.in_place import in_place_of_build
    from afresh.dbt.past_results import read

    results = read(as_of_run.resolve())
    found: list[Adoption] = []
    problems: list[UsageError] = []

    def do(session: RunSession, host: DbtHost) -> None:
        from afresh.dbt.past_run import PastRun
        from afresh.orchestration.adopting import adopt as adopt_nodes

        try:
            found.append(adopt_nodes(session, PastRun(results, host), wish))
        except UsageError as error:
            problems.append(error)  # to be told as ours, not as dbt's

    told = " ".join([_COMMAND, *arguments, "--as-of-run", str(as_of_run), *(["--reason", wish.why] if wish.why else [])])
    code = in_place_of_build(arguments, do, command=_COMMAND, told=told, state_url=state_url, only_looks=dry_run)
    _raise(problems)
    if found:
        return found[-1]
    if code == EXIT_OK:
        raise UsageError("nothing is selected, so nothing was adopted", hint="`afresh ls` with the same selection shows what dbt finds.")
    return None


def _raise(problems: Sequence[UsageError]) -> None:
    for problem in problems:
        raise problem


def _tell(found: Adoption, *, dry_run: bool) -> int:
    from afresh.render.adopt import adopt_text

    view, shape = _view(found, dry_run=dry_run), page()
    sys.stdout.write(adopt_text(view, width=shape.width, color=shape.color))
    return EXIT_NODE_FAILED if view.refused or not view.adopted else EXIT_OK


def _view(found: Adoption, *, dry_run: bool) -> AdoptView:
    from datetime import datetime, timezone

    from afresh.orchestration.adopting import Adopted, NotAdopted
    from afresh.render.adopt import AdoptLine, AdoptView

    adopted = [one for one in found.nodes if isinstance(one, Adopted)]
    return AdoptView(
        began=found.began,
        ended=found.ended,
        now=datetime.now(timezone.utc).astimezone(),
        adopted=tuple(AdoptLine(one.label, one.relation) for one in adopted),
        refused=tuple(AdoptLine(one.label, one.why) for one in found.nodes if isinstance(one, NotAdopted)),
        dated=tuple(dict.fromkeys(text for one in adopted for text in one.dated)),
        assumed=tuple(dict.fromkeys(text for one in adopted for text in one.assumed)),
        unseen=tuple(f"{name} of {one.label}" for one in adopted for name in one.unseen),
        tests=found.tests,
        dry_run=dry_run,
    )
