"""What happens in a run and is told to those who look from outside, as a closed set of events. Nothing is decided by them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WaitBegan:
    """A node, or a whole run that needs a database file, waits for another run. ``subject`` is the node's id or the file."""

    subject: str
    for_run: str
    host: str = ""
    pid: int = 0
    job: str = ""


@dataclass(frozen=True, slots=True)
class WaitEnded:
    """A wait is over, whatever came of it."""

    subject: str
    seconds: float


Event = WaitBegan | WaitEnded
"""The closed union of events."""
