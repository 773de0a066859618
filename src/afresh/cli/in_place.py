"""Leading dbt to the point where it could build, to do something else there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.config.afresh_yml import load
from afresh.dbt import options as wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from afresh.config.settings import Settings
    from afresh.dbt.host import DbtHost
    from afresh.orchestration.run_session import RunSession

_SILENT = ("--quiet", "--no-write-json")


def in_place_of_build(
    arguments: Sequence[str],
    do: Callable[[RunSession, DbtHost], None],
    *,
    command: str,
    told: str = "",
    state_url: str | None = None,
    settings: Settings | None = None,
    only_looks: bool = True,
    before_looking: Callable[[], None] | None = None,
) -> int:
    """Call ``do`` where `dbt build` with these arguments would begin, with everything that is selected looked at.

    ``command`` is ours, as people type it, and ``told`` is it with what it was given, for the record. ``settings``: instead of those
    of the project. ``only_looks``: nothing may be touched. ``before_looking`` is called when the project is read.
    Returns dbt's exit code; ``do`` is not called where dbt could not come so far, or nothing is selected.

    Raises:
        click.UsageError: dbt's command does not take these arguments.
        UsageError: a setting is wrong.
    """
    from afresh.dbt.compat.command_line import check

    check(arguments, "build", shown_as=command)
    options = wishes.Options(
        settings or settings_for(arguments, state_url),
        plan=only_looks,
        command=told or command,
        instead=do,
        before_looking=before_looking,
        quiet_summary=True,
    )
    return lead(arguments, options)


def lead(arguments: Sequence[str], options: wishes.Options) -> int:
    """Run `dbt build` with these arguments up to where ``options`` take over; returns dbt's exit code."""
    from afresh.dbt.compat.command_line import invoke

    wishes.activate(options)
    try:
        return invoke(["build", *arguments, *_SILENT])
    finally:
        wishes.activate(None)


def settings_for(arguments: Sequence[str], state_url: str | None) -> Settings:
    """The settings of the project that arguments of `dbt build` name.

    Raises:
        UsageError: one is wrong.
    """
    from afresh.dbt.compat.command_line import project_dir_of

    return load(project_dir_of(["build", *arguments], "build"), cli={"state_url": state_url})
