"""When a relation was last written, as far as an answer of the warehouse dates it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from afresh.core.version import Known
from afresh.warehouse.tokens import token_parts

if TYPE_CHECKING:
    from afresh.warehouse.probe import ProbeAnswer

_EASTERNMOST, _WESTERNMOST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))


@dataclass(frozen=True, slots=True)
class Dated:
    """What ``loaded_at_*`` answered. Without a time zone nobody knows which moment that is: it lies between the two."""

    said: str
    earliest: datetime
    latest: datetime


def last_loaded(answer: ProbeAnswer) -> Dated | None:
    """The value of ``loaded_at_*``, if it was asked for and is a moment."""
    if not isinstance(answer.version, Known):
        return None
    # A token that is `loaded_at` alone has no algorithm before it.
    said = token_parts(f"- {answer.version.token}").get("loaded_at", "").replace("%20", " ")
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    if at.tzinfo is None:
        return Dated(said, at.replace(tzinfo=_EASTERNMOST), at.replace(tzinfo=_WESTERNMOST))
    return Dated(said, at, at)
