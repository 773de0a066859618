"""Inviting Afresh into dbt's tasks, for our command line and for plain ``dbt`` alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afresh.dbt import options as wishes
from afresh.dbt.compat import results, seam_points
from afresh.errors import StateUnavailableError

if TYPE_CHECKING:
    from afresh.dbt.options import Options


def install() -> None:
    """Take part in every task that builds, if the invocation asks for it. Idempotent."""
    from afresh.dbt.compat import jinja_recording
    from afresh.dbt.recording import RECORDER

    jinja_recording.install(RECORDER)
    seam_points.install(_invite, _prepare)


def _prepare(task: Any) -> None:
    """Before dbt looks at what is selected: on dbt 1.12, files that changed in literals only were not parsed again."""
    if wishes.active() is not None:
        from afresh.dbt.compat import stale_files

        stale_files.parse_again_if_stale(task)


def _invite(task: Any) -> seam_points.Guest | None:
    options = wishes.active()
    return None if options is None else _guest(task, options)


def _guest(task: Any, options: Options) -> seam_points.Guest | None:
    from afresh.dbt.assembly import assemble

    try:
        return assemble(task, options)
    except StateUnavailableError as error:
        if options.settings.on_state_error.value == "fail" or not options.builds:
            raise
        results.warn(f"the state cannot be used, so this run goes on as plain dbt and reuses nothing: {error}")
        from afresh.dbt.assembly import assemble_without_state

        return assemble_without_state(task, options)
