"""What the commands that work on the state share: which state is meant, who asks, and how much was moved."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from afresh.config.afresh_yml import load
from afresh.render.words import counted

if TYPE_CHECKING:
    from afresh.config.settings import Settings
    from afresh.store import Moved


def settings_of(project_dir: Path | None, state_url: str | None) -> Settings:
    """The settings of the project in a folder; default: where dbt would look for it."""
    folder = (project_dir or Path(os.environ.get("DBT_PROJECT_DIR") or Path.cwd())).resolve()
    settings = load(folder, cli={"state_url": state_url})
    for warning in settings.unknown_variables:
        sys.stderr.write(f"afresh: warning: {warning}\n")
    return settings


def moved_text(moved: Moved) -> str:
    """How much that was."""
    rest = moved.total - moved.runs - moved.traces
    return f"{counted(moved.runs, 'run')}, {counted(moved.traces, 'trace')} and {counted(rest, 'other row')}"


def asked_by() -> str:
    """Who sits at this machine, for those who ask later."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # nobody gave this user a name
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
