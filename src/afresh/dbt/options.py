"""What an invocation of dbt was asked to do with the state; set by our command line or by the plugin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from afresh.config.settings import Settings
    from afresh.dbt.host import DbtHost
    from afresh.orchestration.run_report import RunReport
    from afresh.orchestration.run_session import RunSession

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
    instead: Callable[[RunSession, DbtHost], None] | None = None
    """What is done in the place of a run once dbt could begin it; with ``plan``, nothing may be touched."""
    before_looking: Callable[[], None] | None = None
    """Called in the place of a run when the project is read, and the warehouse is about to be asked for the first time."""
    quiet_summary: bool = False
    """Leave the closing line out of dbt's log, because the caller prints its own."""
    notes: list[str] = field(default_factory=list)

    @property
    def builds(self) -> bool:
        """Whether nodes are run, if they are due; else something else is done in the place of a run."""
        return not self.plan and self.instead is None


_active: list[Options] = []


def activate(options: Options | None) -> None:
    """Let the next invocations of dbt in this process take part in the state, or not."""
    _active[:] = [] if options is None else [options]


def active() -> Options | None:
    """What the current invocation was asked to do; ``None``: nothing of ours."""
    return _active[0] if _active else None
