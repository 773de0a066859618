"""What a warehouse says when it is told to end whatever a run that died left behind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing of the run is there any more: what it wrote, it has written."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the run that is still there. ``refused`` says why it could not be told to end; empty if it was told."""

    pid: int
    user: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """Something of the run may still be there: look again in a moment. ``error`` says why nobody could look."""

    sessions: tuple[Session, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """This engine has no way to find the sessions of a run."""


Fence = Gone | Left | CannotTell
