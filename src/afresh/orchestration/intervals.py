"""What a minimum interval between builds would have done to a history. Pure: the same visits give the same answer."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from afresh.core.policy import due_at, elapsed, interval_tolerance

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

LADDER = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 180, 240, 360, 480, 720, 1440, 2880, 10080))
"""The intervals that are tried, the smallest first."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one run did with a node. ``run`` is the run's number, ``at`` its (scheduled) start."""

    run: int
    at: datetime
    is_built: bool
    has_new_data: bool
    """Whether new data was there, so that it was built for it or a setting held it back."""
    is_certain: bool = False
    """Whether it was built for a cause that no interval delays."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What an interval would have done: fewer builds, and reads that would have found older data than they did."""

    interval: timedelta
    saved: int
    older_reads: int


def built_for_data(visits: Sequence[Visit]) -> int:
    """How many of the builds an interval could have put off."""
    return sum(visit.is_built and not visit.is_certain for visit in visits)


def unread(visits: Sequence[Visit], reads: Sequence[int]) -> int:
    """How many builds for data were replaced before anything read them; ``reads`` are numbers of runs in ascending order."""
    builds = [visit for visit in visits if visit.is_built]
    return sum(not one.is_certain and not _reads_between(reads, one.run, after.run) for one, after in pairwise(builds))


def _reads_between(reads: Sequence[int], first: int, end: int) -> bool:
    """Whether a run read it from run ``first`` on and before run ``end``: a run that builds it reads what it has just built."""
    return bisect_right(reads, first - 1) != bisect_right(reads, end - 1)


def effect_of(visits: Sequence[Visit], reads: Sequence[int], interval: timedelta) -> Effect:
    """Go through the history as if the interval had held."""
    kept = _kept(visits, interval)
    before = [visit.run for visit in visits if visit.is_built]
    older = sum(_last(kept, run) < _last(before, run) for run in reads)
    return Effect(interval, len(before) - len(kept), older)


def best_interval(visits: Sequence[Visit], reads: Sequence[int]) -> Effect | None:
    """The interval that saves most while every read finds what it found, and of equals the smallest; ``None`` where none saves."""
    harmless = [effect for effect in (effect_of(visits, reads, interval) for interval in LADDER) if not effect.older_reads]
    return max((effect for effect in harmless if effect.saved > 0), key=lambda effect: (effect.saved, -effect.interval), default=None)


def _kept(visits: Sequence[Visit], interval: timedelta) -> list[int]:
    """The runs that would have built it: for a certain cause at once, for new data when the interval was over."""
    kept: list[int] = []
    last: datetime | None = None
    is_pending = False
    for visit in visits:
        is_pending = is_pending or visit.has_new_data
        is_due = last is None or elapsed(visit.at, due_at(last, interval)) <= interval_tolerance(interval)
        if (visit.is_built and visit.is_certain) or (is_pending and is_due):
            kept.append(visit.run)
            last, is_pending = visit.at, False
    return kept


def _last(runs: Sequence[int], until: int) -> int:
    """The last of these runs that is not after ``until``; 0 where there is none."""
    place = bisect_right(runs, until)
    return runs[place - 1] if place else 0
