"""Durations are read as users write them, and nothing else is."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afresh.config.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("90s", 90),
        ("30m", 1_800),
        ("12h", 43_200),
        ("1d", 86_400),
        ("2w", 1_209_600),
        ("1h30m", 5_400),
        ("1h 30m", 5_400),
        (" 1w2d3h4m5s ", 788_645),
        ("45 minutes", 2_700),
        ("1 hour", 3_600),
        ("1day", 86_400),
    ],
)
def test_a_duration_reads_as(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", " ", "5", "-5m", "1.5h", "1M", "1mo", "1y", "30m1h", "1h1h", "h", "soon", "1h30", "1h, 30m", "99999999999999w", "٣m", "1hs s"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - callers turn it into an error with a place
        parse_duration(text)


@given(st.integers(min_value=0, max_value=36_500 * 86_400).map(lambda seconds: timedelta(seconds=seconds)))
def test_what_people_are_shown_reads_back_to_the_same_duration(span):
    assert parse_duration(format_duration(span)) == span


@given(st.text())
def test_any_other_text_is_a_value_error_and_nothing_worse(text):
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta(0)
