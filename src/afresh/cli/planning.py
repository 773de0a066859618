"""Making a plan by leading dbt to the point where it could build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.cli.in_place import lead, settings_for
from afresh.dbt import options as wishes

if TYPE_CHECKING:
    from datetime import datetime

    from afresh.orchestration.run_report import RunReport


@dataclass(frozen=True)
class Supposed:
    """What the user wants a plan to take for given: when the run starts, and what has changed by then."""

    at: datetime | None = None
    changed: tuple[str, ...] = ()


NOTHING_SUPPOSED = Supposed()


def plan_project(
    arguments: list[str], *, force: bool = False, state_url: str | None = None, supposed: Supposed = NOTHING_SUPPOSED
) -> tuple[RunReport | None, int]:
    """The plan for `dbt build` with these arguments, and dbt's exit code; no plan where dbt could not come so far.

    Raises:
        click.UsageError: dbt's command does not take them.
    """
    from afresh.dbt.compat.command_line import check

    check(arguments, "build", shown_as="afresh plan")
    found: list[RunReport] = []
    options = wishes.Options(
        settings_for(arguments, state_url),
        force=force,
        plan=True,
        at=supposed.at,
        assume_changed=supposed.changed,
        command="afresh plan",
        report=found.append,
        quiet_summary=True,
    )
    code = lead(arguments, options)
    return (found[-1] if found else None), code
