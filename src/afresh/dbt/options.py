"""What an invocation of dbt was asked to do with the state; set by our command line or by the plugin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from afresh.config.settings import Settings
    from afresh.orchestration.run_report import RunReport

STATE_AWARE = ("build", "run", "test", "seed", "snapshot", "retry")
"""dbt's commands that decide per node."""


@dataclass(frozen=True)
class Options:
    """One invocation's wishes."""

    settings: Settings
    force: bool = False
    plan: bool = False
    at: datetime | None = None
    """The moment at which a plan is asked to decide, where that is not now."""
    assume_changed: tuple[str, ...] = ()
    """What a plan takes for changed, as the user names it."""
    command: str = ""
    job: str = ""
    report: Callable[[RunReport], None] | None = None
    """Who wants to see what came out, beside the lines in dbt's log."""
    quiet_summary: bool = False
    """Leave the closing line out of dbt's log, because the caller prints its own."""
    notes: list[str] = field(default_factory=list)


_active: list[Options] = []


def activate(options: Options | None) -> None:
    """Let the next invocations of dbt in this process take part in the state, or not."""
    _active[:] = [] if options is None else [options]


def active() -> Options | None:
    """What the current invocation was asked to do; ``None``: nothing of ours."""
    return _active[0] if _active else None
