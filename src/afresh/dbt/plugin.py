"""What dbt's plugin entry does: plain ``dbt`` becomes state-aware where the project opted in.

dbt calls this for every command, before the manifest is read. It must be light, and must not break a command that does
not concern us.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from afresh.dbt import options as wishes

if TYPE_CHECKING:
    from pathlib import Path

_OFF = ("0", "false", "no", "off")
_ON = ("1", "true", "yes", "on")


def initialize(project_name: str) -> None:  # noqa: ARG001 - dbt's signature
    """Take part in this invocation of dbt, if our command line, the environment or ``afresh.yml`` says so."""
    found = wishes.active()
    if found is not None and found.command:
        _install()
        return
    wishes.activate(None)
    wanted = os.environ.get("AFRESH", "").strip().lower()
    if wanted in _OFF:
        return
    if wanted and wanted not in _ON:
        _warn(f"`AFRESH={wanted}` says neither 1 nor 0, so it is ignored")
    options = _options_of_project(opted_in=wanted in _ON)
    if options is not None:
        wishes.activate(options)
        _install()


def _options_of_project(*, opted_in: bool) -> wishes.Options | None:
    from afresh.dbt.compat.invocation import command, project_dir

    folder = project_dir()
    if command() not in wishes.STATE_AWARE or not (opted_in or _opts_in(folder)):
        return None
    from afresh.config.afresh_yml import load

    return wishes.Options(load(folder, env=os.environ), job=os.environ.get("AFRESH_JOB", ""))


def _opts_in(folder: Path) -> bool:
    """Whether the project's file does; where it cannot be read so far as to tell, dbt goes on as ever, with a warning."""
    if not _may_opt_in(folder / "afresh.yml"):
        return False
    from afresh.config.afresh_yml import opts_in
    from afresh.errors import AfreshError

    try:
        return opts_in(folder, env=os.environ)
    except AfreshError as error:
        _warn(f"nobody can tell whether this project wants plain dbt to be state-aware, so it is not: {error}")
        return False


def _may_opt_in(file: Path) -> bool:
    """Whether the file names the setting at all; if not, plain ``dbt`` does not mind what else stands in it."""
    try:
        return "plugin" in file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return file.exists() or file.is_symlink()


def _warn(text: str) -> None:
    from afresh.dbt.compat import results

    results.warn(text)


def _install() -> None:
    from afresh.dbt import seam

    seam.install()
