"""Values that stand for what is new with every run: how they print, and what reading them otherwise leaves behind."""

from __future__ import annotations

import datetime as dt

import pytest

from afresh.dbt.volatile_marks import MARK, Marks


def test_a_moment_prints_the_same_marker_for_one_format_and_another_for_another():
    marks = Marks()
    moment = marks.moment("run_started_at")
    assert moment.strftime("%Y") == marks.moment("run_started_at").strftime("%Y")
    assert len({moment.strftime("%Y"), moment.strftime("%Y-%m"), moment.isoformat(), str(moment)}) == 4
    assert all(marker.startswith(MARK) for marker in marks.printed)
    assert set(marks.printed.values()) == {"run_started_at"}
    assert marks.decided == set()


def test_printing_leaves_exactly_one_marker():
    marks = Marks()
    text = f"{marks.moment('run_started_at')}"
    assert list(marks.printed) == [text]


@pytest.mark.parametrize(
    "derive",
    [
        lambda moment: moment - dt.timedelta(days=3),
        lambda moment: dt.timedelta(days=3) + moment,
        lambda moment: moment.replace(day=1),
        lambda moment: moment.astimezone(dt.timezone(dt.timedelta(hours=2))),
        lambda moment: moment.date(),
        lambda moment: moment.date() - dt.timedelta(days=1),
        lambda moment: moment.date().replace(day=1),
    ],
)
def test_what_is_derived_from_a_moment_prints_a_marker_of_its_own(derive):
    marks = Marks()
    moment = marks.moment("run_started_at")
    derived = str(derive(moment))
    assert derived.startswith(MARK)
    assert derived != str(moment)
    assert marks.decided == set()


@pytest.mark.parametrize(
    "read",
    [
        lambda moment: moment.hour,
        lambda moment: moment.year,
        lambda moment: moment.timestamp(),
        lambda moment: moment.weekday(),
        lambda moment: moment.date().day,
        lambda moment: moment > dt.datetime(2001, 1, 1, tzinfo=dt.timezone.utc),
        lambda moment: moment.date() == dt.date(2001, 1, 1),
        lambda moment: moment - dt.datetime(2001, 1, 1, tzinfo=dt.timezone.utc),
    ],
)
def test_what_is_read_of_a_moment_without_printing_it_has_decided_something(read):
    marks = Marks()
    read(marks.moment("run_started_at"))
    assert marks.decided == {"run_started_at"}


def test_the_clock_stands_still_and_makes_ordinary_moments_otherwise():
    marks = Marks()
    module = marks.datetime_module({"datetime": dt.datetime, "date": dt.date, "timedelta": dt.timedelta})
    assert str(module["datetime"].now()) == str(module["datetime"].utcnow())
    assert str(module["datetime"].now()).startswith(MARK)
    assert str(module["date"].today()).startswith(MARK)
    assert module["datetime"](2020, 2, 3) == dt.datetime.fromisoformat("2020-02-03")
    assert type(module["datetime"].strptime("2020-02-03", "%Y-%m-%d")) is dt.datetime
    assert module["date"](2020, 2, 3).isoformat() == "2020-02-03"
    assert module["timedelta"] is dt.timedelta


def test_an_identifier_is_its_marker_and_a_piece_of_it_has_decided_something():
    marks = Marks()
    identifier = marks.identifier("invocation_id")
    assert f"'{identifier}'" == f"'{next(iter(marks.identifiers))}'"
    assert marks.decided == set()
    _ = identifier[:8]
    assert marks.decided == {"invocation_id"}


def test_plain_marks_print_a_fixed_value_that_counts():
    marks = Marks(plain=True)
    assert marks.moment("run_started_at").strftime("%Y-%m-%d") == "2000-01-03"
    assert (marks.printed, marks.decided) == ({}, {"run_started_at"})
