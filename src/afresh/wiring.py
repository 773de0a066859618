"""The places on this machine that belong to one project's state."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from afresh.orchestration.taint_journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from afresh.config.settings import Settings

_FOLDER = ".afresh"


def local_folder(settings: Settings) -> Path:
    """Where Afresh keeps what belongs to this machine."""
    return settings.project_dir / _FOLDER


def journal_of(settings: Settings) -> Journal:
    """What was built without state on this machine, for the state that the settings name."""
    place = hashlib.sha256(settings.state_url.encode()).hexdigest()[:8]
    return Journal(local_folder(settings) / f"built-without-state-{place}.jsonl")
