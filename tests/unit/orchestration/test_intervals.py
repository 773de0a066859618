"""What an interval would have done to a history, and which one is worth setting."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afresh.orchestration.intervals import LADDER, Visit, best_interval, built_for_data, effect_of, unread

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def visits(kinds: str, every: timedelta = HOUR):
    """One run after another: ``c`` built for its code, ``d`` for new data, ``h`` held back, ``r`` reused."""
    return [
        Visit(place + 1, START + place * every, is_built=kind in "cd", has_new_data=kind in "dh", is_certain=kind == "c")
        for place, kind in enumerate(kinds)
    ]


@pytest.mark.parametrize(
    ("kinds", "reads", "interval", "saved", "older"),
    [
        ("cddddddd", (), 4 * HOUR, 6, 0),
        ("cddddddd", (1, 5), 4 * HOUR, 6, 0),
        ("cddddddd", (1, 4), 4 * HOUR, 6, 1),
        ("cddddddd", (), HOUR, 0, 0),
        ("cdrrrrrr", (), 4 * HOUR, 0, 0),
        ("cdrrcrrr", (), 4 * HOUR, 1, 0),
        ("chhhdhhh", (5,), 4 * HOUR, 0, 0),
        ("crrrrrrr", (3,), 4 * HOUR, 0, 0),
    ],
    ids=[
        "every hour",
        "read when due",
        "read between",
        "as often as it runs",
        "what was put off is built later",
        "code at once",
        "as it is",
        "calm",
    ],
)
def test_the_effect_of_an_interval(kinds, reads, interval, saved, older):
    effect = effect_of(visits(kinds), reads, interval)
    assert (effect.saved, effect.older_reads) == (saved, older)


def test_a_run_that_is_a_little_early_counts_as_due_as_it_does_in_a_run():
    hourly = visits("cddd", timedelta(minutes=59, seconds=30))
    assert effect_of(hourly, (), HOUR).saved == 0
    assert effect_of(visits("cddd", timedelta(minutes=55)), (), HOUR).saved == 2


def test_builds_that_were_replaced_before_anything_read_them_are_counted():
    history = visits("cddddd")
    assert built_for_data(history) == 5
    assert unread(history, (1, 6)) == 4
    assert unread(history, (2, 4, 6)) == 2
    assert unread(history, ()) == 4


def test_the_smallest_interval_that_saves_most_is_worth_setting_if_no_read_finds_older_data():
    hourly = visits("c" + "d" * 48)
    best = best_interval(hourly, (1, 13, 25, 37, 49))
    assert best is not None
    assert (best.interval, best.saved) == (12 * HOUR, 44)
    assert best_interval(hourly, range(1, 50)) is None
    assert best_interval(visits("c" + "r" * 48), (1, 25)) is None


@given(st.text("cdhr", max_size=40), st.sets(st.integers(1, 40)), st.sampled_from(LADDER))
def test_no_interval_invents_a_build_or_loses_the_first_one(kinds, reads, interval):
    history = visits(kinds)
    effect = effect_of(history, sorted(reads), interval)
    built = sum(visit.is_built for visit in history)
    assert effect.saved <= max(built - (built > 0), 0)
    best = best_interval(history, sorted(reads))
    assert best is None or (best.older_reads == 0 and best.saved > 0)
