from __future__ import annotations

from datetime import timedelta

import pytest

from afresh.warehouse.loaded_at import age_of, lies_ahead, spelled
from afresh.warehouse.volatile import answers_with_now


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 07:00:00.5+01",
        "2026-11-22 06:00:00.500+00",
        "2026-11-22T06:00:00.500000Z",
        "2026-11-22 06:00:00.5 UTC",
        "2026-11-22 11:30:00.5+05:30",
        "2026-11-22 11:30:00.5+0530",
        "2026-11-21 23:00:00.500000000-07",
    ],
)
def test_one_moment_has_one_spelling(text):
    assert spelled(text) == "2026-11-22T06:00:00.500000+00:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22 07:00:00", "2026-11-22T07:00:00.000000"),
        ("2026-11-22", "2026-11-22T00:00:00.000000"),
        ("12", "12"),
        ("infinity", "infinity"),
        ("a b%20", "a%20b%2520"),
        ("", ""),
    ],
)
def test_what_has_no_zone_or_is_no_moment_stays_as_it_is(text, expected):
    assert spelled(text) == expected


@pytest.mark.parametrize("text", ["null", "NULL", "Null"])
def test_a_text_that_says_null_is_not_taken_for_the_absence_of_a_value(text):
    assert spelled(text) != "null"


def test_different_values_have_different_spellings():
    texts = [
        "a b",
        "a%20b",
        "2026-01-01",
        "2026-01-01 00:00:00.000001",
        "2026-01-01 00:00:00+00",
        "2026-01-01 00:00:00+00:01",
        "0001-01-01 BC",
        "2026-10-25 02:30:00+02",
        "2026-10-25 02:30:00+01",
        "2026-10-25 02:30:00",
        "infinity",
        "-infinity",
    ]
    assert len({spelled(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", ""])
@pytest.mark.parametrize(
    "sql",
    [
        "select now()",
        "select CURRENT_TIMESTAMP",
        "select current_date",
        "select greatest(max(at), now()) from t",
        "select (select current_timestamp) as x",
        "with x as (select now() as n) select n from x",
        "select max(at), random() from t",
    ],
)
def test_a_query_that_answers_with_the_moment_is_recognised(sql, dialect):
    assert answers_with_now(sql, dialect) is not None


@pytest.mark.parametrize(
    "sql",
    [
        "select max(loaded_at) from t where loaded_at > now() - interval '3' day",
        "select max(t.loaded_at) from t join u on u.at < current_timestamp",
        "select max(now_at) from t",
        'select "current_date" from t',
        "select 'now()' from t -- now()",
        "select today from t",
        "this is ( no sql",
    ],
)
def test_a_query_that_only_filters_by_the_moment_is_not(sql):
    assert answers_with_now(sql, "duckdb") is None


NOW = "2026-11-22 06:00:00+00"


@pytest.mark.parametrize(
    ("text", "ahead"),
    [
        ("2026-11-22 06:00:00+00", False),
        ("2026-11-22 06:00:01+00", True),
        ("2026-11-22 07:00:00+01", False),
        ("2026-11-22 07:00:01+01", True),
        ("2026-11-21 23:00:01-07", True),
        ("2026-11-22 19:00:00", False),  # half past somebody's evening: without a zone nobody can say that it is later
        ("2026-11-22 20:00:00", False),
        ("2026-11-22 20:00:01", True),  # later than now on every clock in the world
        ("2026-11-22", False),
        ("2026-11-23", True),
        ("12", False),
        ("infinity", False),
    ],
)
def test_a_value_lies_in_the_future_only_if_it_does_so_everywhere(text, ahead):
    assert lies_ahead(text, NOW) is ahead


def test_a_value_is_not_called_future_where_the_server_s_clock_is_not_known():
    assert not lies_ahead("9999-01-01", None)


@pytest.mark.parametrize(
    ("text", "now", "hours"),
    [
        ("2026-11-22 07:00:00+01", "2026-11-22 07:00:00+00", 1),
        ("2026-11-22 07:00:00", "2026-11-22 08:00:00+00", 1),
        ("2026-11-22 07:00:00", "2026-11-22 09:00:00+01", 1),
        ("2026-11-22", "2026-11-22 08:00:00", 8),
        ("2026-11-22 09:00:00+00", "2026-11-22 08:00:00+00", -1),
    ],
)
def test_the_age_of_a_value_is_told_by_the_clock_of_the_server_and_without_a_zone_it_is_utc(text, now, hours):
    assert age_of(text, now) == timedelta(hours=hours)


@pytest.mark.parametrize(("text", "now"), [("12", "2026-11-22 08:00:00"), ("2026-11-22", None), ("infinity", "2026-11-22 08:00:00")])
def test_what_is_no_moment_has_no_age(text, now):
    assert age_of(text, now) is None
