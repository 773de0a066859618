"""``afresh plan``: what a build would do now, without touching anything."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, JSON, page, run
from afresh.cli.moments import moment_of
from afresh.cli.planning import Supposed, plan_project
from afresh.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.orchestration.run_report import RunReport


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, **HELP},
    epilog="All of `dbt build`'s options for selection, target, profile and vars work here. Example: afresh plan --select marts+",
)
@click.option("--output", type=click.Choice(["text", JSON, "markdown"]), default="text", help="How the plan is printed.")
@click.option("--all", "everything", is_flag=True, help="List every node of each group.")
@click.option("--force", is_flag=True, help="Plan a state-agnostic run.")
@click.option("--state-url", help="Where the shared state is.")
@click.option(
    "--assume-changed", multiple=True, metavar="NODE", help="What if this changed: source:NAME[.TABLE], model:NAME or a name. Repeatable."
)
@click.option("--at", metavar="MOMENT", help='What if the run started then: "2026-12-01 06:00", in local time or with an offset.')
@click.pass_context
def _plan(
    context: click.Context,
    *,
    output: str,
    everything: bool,
    force: bool,
    state_url: str | None,
    assume_changed: tuple[str, ...],
    at: str | None,
) -> int:
    """Tell for every selected node whether `afresh build` would build, reuse or skip it, and why. Nothing is touched."""
    supposed = Supposed(None if at is None else moment_of(at, option="--at"), assume_changed)
    return _make(context.args, supposed, output=output, everything=everything, force=force, state_url=state_url)


def main(arguments: Sequence[str]) -> int:
    """Make and print a plan; returns the exit code."""
    return run(_plan, "afresh plan", arguments)


def _make(rest: list[str], supposed: Supposed, *, output: str, everything: bool, force: bool, state_url: str | None) -> int:
    report, code = plan_project(rest, force=force, state_url=state_url, supposed=supposed)
    if report is not None:
        sys.stdout.write(_shown(report, output, everything=everything))
    elif code == EXIT_OK:
        sys.stdout.write("Nothing is selected, so there is nothing to plan. `afresh ls` with the same selection shows what dbt finds.\n")
    return code if report is None else EXIT_OK


def _shown(report: RunReport, output: str, *, everything: bool) -> str:
    from afresh.cli.documents import document_of
    from afresh.render.markdown import plan_markdown
    from afresh.render.text import GROUP_LIMIT, plan_text
    from afresh.render.views import PlanHead

    head = PlanHead(
        report.target,
        now=report.now.astimezone() if report.now else None,
        warnings=report.warnings,
        schedule=report.schedule,
        leases=report.leases,
        what_if=report.what_if,
    )
    limit = None if everything else GROUP_LIMIT
    if output == JSON:
        return document_of(report)
    if output == "markdown":
        return plan_markdown(report.rows, head, limit=limit)
    shape = page()
    return plan_text(report.rows, head, width=shape.width, color=shape.color, limit=limit)
