"""``afresh state check``: proves that nothing selected is stale, by looking again. Nothing is touched."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, JSON, debug_option, output_option, page
from afresh.errors import EXIT_COULD_NOT_RUN, EXIT_NODE_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.orchestration.checking import Check
    from afresh.render.check import Checked

_COMMAND = "afresh state check"


@click.command(
    "check",
    short_help="Prove that nothing selected is stale.",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, **HELP},
    epilog="All of `dbt build`'s options for selection, target, profile and vars work here. Example: afresh state check --select marts+",
)
@click.option("--allow-tolerated", is_flag=True, help="What is behind its inputs as a setting allows counts as current.")
@output_option()
@click.option("--state-url", help="Where the state is.")
@debug_option
@click.pass_context
def check(context: click.Context, *, allow_tolerated: bool, output: str, state_url: str | None) -> int:
    """Look again at every selected node as a build would, and fail if one of them is stale or nobody can tell. Nothing is touched."""
    checked = _looked(context.args, allow_tolerated=allow_tolerated, state_url=state_url)
    if checked is None:
        return EXIT_COULD_NOT_RUN
    sys.stdout.write(_shown(checked, output))
    return EXIT_NODE_FAILED if checked.stale else EXIT_OK


def _looked(arguments: Sequence[str], *, allow_tolerated: bool, state_url: str | None) -> Checked | None:
    """What was found; ``None`` where dbt could not come so far, and has said why."""
    from afresh.cli.in_place import in_place_of_build
    from afresh.orchestration import checking

    found: list[Check] = []
    code = in_place_of_build(arguments, lambda session, _: found.append(checking.check(session)), command=_COMMAND, state_url=state_url)
    if found and found[-1].report.rows:
        return _checked(found[-1], allow_tolerated=allow_tolerated)
    if code == EXIT_OK:
        raise UsageError("nothing is selected, so nothing was checked", hint="`afresh ls` with the same selection shows what dbt finds.")
    return None


def _checked(found: Check, *, allow_tolerated: bool) -> Checked:
    from afresh.render.check import Checked
    from afresh.render.views import LeaseLine

    building = {
        node: LeaseLine(
            node, held.holder.run_id, held.holder.host, held.holder.pid, held.holder.job, held.since, held.expires_at, building=True
        )
        for node, held in found.building.items()
    }
    return Checked(found.report.target, found.report.rows, building, allow_tolerated)


def _shown(checked: Checked, output: str) -> str:
    from afresh.render.check import check_json, check_text

    if output == JSON:
        return check_json(checked)
    shape = page()
    return check_text(checked, width=shape.width, color=shape.color)
