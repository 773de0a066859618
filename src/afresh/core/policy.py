"""How much lag a node's owner allows, and the other settings that bear on one decision (semantics §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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
