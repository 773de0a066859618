"""Durations as users write them: ``30m``, ``12h``, ``1d``, ``2w``, ``90s``, ``1h30m``, and in dbt State's words ``30 minutes``."""

from __future__ import annotations

import re
from datetime import timedelta

from afresh.render.words import duration_text

DURATION_ALLOWED = "a duration such as 90s, 30m, 12h, 1d, 2w or 1h30m"

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_WORDS = {"second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w"}
_PART = re.compile(r"\s*([0-9]+)\s*([a-z]+)\s*")
LONGEST = timedelta(days=36_500)
"""A hundred years: no longer duration is taken, so that every moment that follows from one is a date."""

format_duration = duration_text
"""A duration as people read it (``1h 30m``); :func:`parse_duration` reads it back to the same whole seconds."""


def parse_duration(text: str) -> timedelta:
    """The duration that ``text`` says: numbers with units, the larger unit first, or a plain ``0``.

    Raises:
        ValueError: anything else, a month or a year included, because those have no fixed length.
    """
    if text.strip() == "0":
        return timedelta(0)
    seconds, place, last = 0, 0, None
    while place < len(text):
        part = _PART.match(text, place)
        size = _SECONDS.get(_unit(part[2])) if part else None
        if part is None or size is None or (last is not None and size >= last):
            raise ValueError(text)
        seconds, place, last = seconds + int(part[1]) * size, part.end(), size
    if last is None or seconds > LONGEST.total_seconds():
        raise ValueError(text)
    return timedelta(seconds=seconds)


def _unit(word: str) -> str:
    return _WORDS.get(word.removesuffix("s"), word)
