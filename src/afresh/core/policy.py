"""How much lag a node's owner allows, and the other settings that bear on one decision (semantics §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum


class UpdatesOn(str, Enum):
    """Whether one changed input is enough, or every input must have moved since the last build."""

    ANY = "any"
    ALL = "all"


class EngineUpgrade(str, Enum):
    """What a changed macro of dbt or of the adapter does to relations built with the old one."""

    KEEP = "keep"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of one node, with the design's defaults."""

    enabled: bool = True
    updates_on: UpdatesOn = UpdatesOn.ANY
    interval: timedelta = timedelta(0)
    max_age: timedelta | None = None
    on_engine_upgrade: EngineUpgrade = EngineUpgrade.KEEP


DEFAULT_POLICY = Policy()


def interval_tolerance(interval: timedelta) -> timedelta:
    """How much earlier than ``interval`` still counts as elapsed: 5 %, at most one minute, so that an hourly job with 1 h builds hourly."""
    return min(interval * 0.05, timedelta(minutes=1))


def elapsed(since: datetime, until: datetime) -> timedelta:
    """How much time passed between two moments, in whatever time zones they are told.

    Python subtracts two moments of one zone by the clock on the wall, which daylight saving moves.
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise ValueError(f"moments without a time zone cannot be compared: {since!r}, {until!r}")
    return until.astimezone(timezone.utc) - since.astimezone(timezone.utc)


def due_at(built: datetime, interval: timedelta) -> datetime:
    """The first moment, in UTC, at which ``interval`` has elapsed since ``built``."""
    return built.astimezone(timezone.utc) + interval
