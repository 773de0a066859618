"""Making a plan by leading dbt to the point where it could build."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from afresh.config.afresh_yml import load
from afresh.dbt import options as wishes

if TYPE_CHECKING:
    from datetime import datetime

    from afresh.orchestration.run_report import RunReport

_SILENT = ("--quiet", "--no-write-json")


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
    from afresh.dbt.compat.command_line import check, invoke

    check(arguments, "build", shown_as="afresh plan")
    found: list[RunReport] = []
    settings = load(_project_dir(arguments), cli={"state_url": state_url})
    wishes.activate(
        wishes.Options(
            settings,
            force=force,
            plan=True,
            at=supposed.at,
            assume_changed=supposed.changed,
            command="afresh plan",
            report=found.append,
            quiet_summary=True,
        )
    )
    try:
        code = invoke(["build", *arguments, *_SILENT])
    finally:
        wishes.activate(None)
    return (found[-1] if found else None), code


def _project_dir(arguments: list[str]) -> Path:
    for at, word in enumerate(arguments):
        if word == "--project-dir" and at + 1 < len(arguments):
            return Path(arguments[at + 1]).resolve()
        if word.startswith("--project-dir="):
            return Path(word.partition("=")[2]).resolve()
    return Path(os.environ.get("DBT_PROJECT_DIR") or Path.cwd()).resolve()
