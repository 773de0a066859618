"""What freshness settings mean over days: jobs on a schedule, data that arrives, and the moments at which a model is built.

The settings and situations are those of dbt's own documentation of ``build_after`` and ``updates_on``, with Afresh's rule that
changed code never waits. Time is an argument: nothing here sleeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afresh.core.decide import decide
from afresh.core.decision import Build
from afresh.core.observation import Observation, Present
from afresh.core.policy import Policy, UpdatesOn, due_at, elapsed
from afresh.core.trace import RecordedInput, Trace
from afresh.core.version import Known
from unit.core.situations import HOUR, MINUTE, RAW, SQL_PART, STAGED, TABLE, built, reading

MONDAY = datetime(2026, 3, 23, tzinfo=timezone.utc)
DAY = 24 * HOUR
Arrivals = dict[str, list[timedelta]]


def every(step: timedelta, until: timedelta, *, begin: timedelta = 0 * HOUR) -> list[timedelta]:
    return [begin + number * step for number in range((until - begin) // step + 1)]


def version(times: list[timedelta], now: timedelta) -> Known:
    """A source's version: how often data has arrived."""
    return Known(str(sum(arrived <= now for arrived in times)))


def builds_of(
    policy: Policy | Callable[[datetime], Policy],
    jobs: Iterable[timedelta],
    arrivals: Arrivals,
    *,
    edits: Iterable[timedelta] = (),
    told_in: tzinfo = timezone.utc,
) -> list[timedelta]:
    """When a model is built whose first build is at the first job; moments are told in the time zone ``told_in``."""
    first, *later = jobs
    trace, made = _trace(first, arrivals, told_in), [first]
    for job in later:
        at = (MONDAY + job).astimezone(told_in)
        edited = any(made[-1] < edit <= job for edit in edits)
        inputs = tuple(reading(name, version(times, job)) for name, times in arrivals.items())
        changes = (SQL_PART,) if edited else ()
        seen = Observation(TABLE, at, at, existence=Present("table"), inputs=inputs, code_changes=changes)
        if isinstance(decide(seen, trace, policy(at) if callable(policy) else policy), Build):
            trace, made = _trace(job, arrivals, told_in), [*made, job]
    return made


def _trace(job: timedelta, arrivals: Arrivals, told_in: tzinfo) -> Trace:
    at = (MONDAY + job).astimezone(told_in)
    inputs = tuple(RecordedInput(name, None, version(times, job)) for name, times in arrivals.items())
    return replace(built(), scheduled_at=at, started_at=at, finished_at=at + MINUTE, inputs=inputs)


def in_hours(moments: Iterable[timedelta]) -> list[float]:
    return [moment / HOUR for moment in moments]


CONTINUOUS: Arrivals = {RAW: every(10 * MINUTE, 9 * DAY)}
FOUR_HOURS = Policy(interval=4 * HOUR)


# --- build_after --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (HOUR, [0, 4, 8, 12, 16, 20, 24]),
        (15 * MINUTE, [0, 4, 8, 12, 16, 20, 24]),
        (4 * HOUR, [0, 4, 8, 12, 16, 20, 24]),
        (3 * HOUR, [0, 6, 12, 18, 24]),  # the first job at which four hours have passed
        (5 * HOUR, [0, 5, 10, 15, 20]),
        (24 * HOUR, [0, 24]),
    ],
    ids=str,
)
def test_data_that_always_arrives_is_built_by_the_first_job_after_four_hours(step, expected) -> None:
    assert in_hours(builds_of(FOUR_HOURS, every(step, DAY), CONTINUOUS)) == expected


def test_four_hours_do_not_delay_data_that_comes_seldom() -> None:
    arrivals = {RAW: [7 * HOUR, 8 * HOUR, 20 * HOUR]}
    assert in_hours(builds_of(FOUR_HOURS, every(HOUR, DAY), arrivals)) == [0, 7, 11, 20]


def test_without_new_data_no_interval_builds_anything() -> None:
    assert in_hours(builds_of(Policy(interval=HOUR), every(HOUR, 3 * DAY), {RAW: []})) == [0]


def test_changed_code_is_built_at_once_and_the_interval_begins_anew() -> None:
    edited = builds_of(FOUR_HOURS, every(HOUR, 12 * HOUR), CONTINUOUS, edits=[70 * MINUTE, 8 * HOUR])
    assert in_hours(edited) == [0, 2, 6, 8, 12]


def test_jobs_that_start_a_little_early_and_late_build_as_often_as_the_interval_says() -> None:
    wobble = [number * HOUR + (-1) ** number * timedelta(seconds=20) for number in range(1, 25)]
    assert len(builds_of(Policy(interval=HOUR), [0 * HOUR, *wobble], CONTINUOUS)) == 25


WEEK = every(HOUR, 8 * DAY)


def on_days(at: datetime) -> Policy:
    """dbt's example: at weekends at least 48 hours, else one hour."""
    return Policy(interval=48 * HOUR if at.weekday() in (5, 6) else HOUR)


def test_an_interval_of_two_days_at_weekends_leaves_the_model_from_friday_night_to_monday_morning() -> None:
    built_at = builds_of(on_days, WEEK, CONTINUOUS)
    assert [moment for moment in built_at if 5 * DAY <= moment < 7 * DAY] == [6 * DAY + 23 * HOUR]
    assert len([moment for moment in built_at if moment < 5 * DAY]) == 5 * 24
    assert [moment for moment in built_at if moment >= 7 * DAY] == every(HOUR, 8 * DAY, begin=7 * DAY)


def test_an_edit_at_the_weekend_is_built_at_the_weekend() -> None:
    saturday = 5 * DAY + 10 * HOUR
    assert saturday in builds_of(on_days, WEEK, CONTINUOUS, edits=[saturday])


# --- updates_on ---------------------------------------------------------------------------------------------------------

TWO: Arrivals = {RAW: every(HOUR, DAY, begin=HOUR), STAGED: [3 * HOUR, 5 * HOUR, 6 * HOUR, 20 * HOUR]}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(updates_on=UpdatesOn.ANY), [*range(25)]),
        (Policy(updates_on=UpdatesOn.ALL), [0, 3, 5, 6, 20]),
        (Policy(updates_on=UpdatesOn.ANY, interval=4 * HOUR), [0, 4, 8, 12, 16, 20, 24]),
        (Policy(updates_on=UpdatesOn.ALL, interval=4 * HOUR), [0, 4, 8, 20]),
        (Policy(updates_on=UpdatesOn.ALL, max_age=6 * HOUR), [0, 3, 5, 6, 12, 18, 20]),
    ],
    ids=["any", "all", "any, four hours", "all, four hours", "all, at least every six hours"],
)
def test_two_inputs_of_which_one_comes_hourly_and_one_seldom(policy, expected) -> None:
    assert in_hours(builds_of(policy, every(HOUR, DAY), TWO)) == expected


def test_all_inputs_need_not_arrive_between_the_same_two_jobs() -> None:
    arrivals = {RAW: [2 * HOUR], STAGED: [9 * HOUR]}
    assert in_hours(builds_of(Policy(updates_on=UpdatesOn.ALL), every(HOUR, DAY), arrivals)) == [0, 9]


def test_changed_code_waits_for_no_input() -> None:
    arrivals = {RAW: [2 * HOUR], STAGED: []}
    assert in_hours(builds_of(Policy(updates_on=UpdatesOn.ALL), every(HOUR, DAY), arrivals, edits=[4 * HOUR])) == [0, 4]


# --- max_age ------------------------------------------------------------------------------------------------------------


def test_a_model_with_a_max_age_is_built_that_often_though_nothing_arrives() -> None:
    assert in_hours(builds_of(Policy(max_age=6 * HOUR), every(HOUR, DAY), {RAW: []})) == [0, 6, 12, 18, 24]


def test_new_data_counts_for_max_age() -> None:
    assert in_hours(builds_of(Policy(max_age=6 * HOUR), every(HOUR, DAY), {RAW: [4 * HOUR]})) == [0, 4, 10, 16, 22]


def test_the_shorter_of_max_age_and_interval_decides_where_both_are_set() -> None:
    both = Policy(interval=8 * HOUR, max_age=3 * HOUR)
    assert in_hours(builds_of(both, every(HOUR, 12 * HOUR), CONTINUOUS)) == [0, 3, 6, 9, 12]


# --- time zones and daylight saving -------------------------------------------------------------------------------------


FORWARD, BACK = (datetime(2026, month, day, 1, tzinfo=timezone.utc) for month, day in ((3, 29), (10, 25)))


class CentralEurope(tzinfo):
    """Summer time from 29 March to 25 October 2026, 01:00 UTC each."""

    def utcoffset(self, dt: datetime | None) -> timedelta:
        assert dt is not None
        wall = dt.replace(tzinfo=timezone.utc)
        return (2 if FORWARD + HOUR <= wall < BACK + (1 if dt.fold else 2) * HOUR else 1) * HOUR

    def dst(self, dt: datetime | None) -> timedelta:
        return self.utcoffset(dt) - HOUR

    def tzname(self, dt: datetime | None) -> str:
        return "CEST" if self.dst(dt) else "CET"

    def fromutc(self, dt: datetime) -> datetime:
        moment = dt.replace(tzinfo=timezone.utc)
        return (dt + (2 if FORWARD <= moment < BACK else 1) * HOUR).replace(fold=int(BACK <= moment < BACK + HOUR))


ZONES = [timezone.utc, CentralEurope(), timezone(timedelta(hours=13)), timezone(-timedelta(hours=9, minutes=30))]
CHANGES = {"the clocks go forward": 6 * DAY, "the clocks go back": 216 * DAY}
"""The days of 2026 on which the clocks of Central Europe change, counted from that Monday."""


@pytest.mark.parametrize("zone", ZONES, ids=["utc", "central_europe", "plus_13", "minus_9_30"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "policy", [FOUR_HOURS, Policy(interval=HOUR), Policy(max_age=HOUR), Policy(max_age=5 * HOUR)], ids=["4h", "1h", "max_1h", "max_5h"]
)
def test_hours_are_hours_when_the_clocks_change_and_in_every_zone(policy, change, zone) -> None:
    begin = CHANGES[change]
    jobs = every(HOUR, begin + DAY, begin=begin)
    arrivals = {RAW: jobs if policy.max_age is None else []}
    step = round((policy.max_age or policy.interval) / HOUR)
    assert in_hours(moment - begin for moment in builds_of(policy, jobs, arrivals, told_in=zone)) == list(range(0, 25, step))


moments = st.integers(-100 * 24 * 60, 300 * 24 * 60).map(lambda minutes: MONDAY + minutes * MINUTE)
zones = st.sampled_from(ZONES)


@given(moments, moments, zones, zones)
def test_the_time_between_two_moments_does_not_depend_on_the_zones_they_are_told_in(one, other, first, second) -> None:
    assert elapsed(one.astimezone(first), other.astimezone(second)) == other - one
    assert due_at(one.astimezone(first), HOUR) == one + HOUR


@pytest.mark.parametrize("naive", [(True, False), (False, True), (True, True)], ids=str)
def test_moments_without_a_zone_are_refused(naive) -> None:
    one, other = (MONDAY.replace(tzinfo=None) if is_naive else MONDAY for is_naive in naive)
    with pytest.raises(ValueError, match="without a time zone"):
        elapsed(one, other)


# --- laws ---------------------------------------------------------------------------------------------------------------

hours_of_day = st.integers(0, 24 * 60).map(lambda minutes: minutes * MINUTE)
schedules = st.lists(hours_of_day, min_size=2, max_size=20, unique=True).map(sorted)
arriving = st.fixed_dictionaries({RAW: st.lists(hours_of_day, max_size=20), STAGED: st.lists(hours_of_day, max_size=20)})
intervals = st.integers(0, 600).map(lambda minutes: minutes * MINUTE)


@given(schedules, arriving, intervals, st.sampled_from(UpdatesOn))
def test_two_builds_for_data_are_never_closer_than_the_interval_but_for_its_tolerance(jobs, arrivals, interval, updates_on) -> None:
    made = builds_of(Policy(interval=interval, updates_on=updates_on), jobs, arrivals)
    assert all(later - earlier >= interval - MINUTE for earlier, later in pairwise(made))


@given(schedules, arriving, intervals)
def test_with_any_input_no_job_leaves_data_that_is_older_than_the_interval(jobs, arrivals, interval) -> None:
    made = builds_of(Policy(interval=interval), jobs, arrivals)
    for job in jobs:
        last = max(moment for moment in made if moment <= job)
        arrived_since = [arrived for times in arrivals.values() for arrived in times if last < arrived <= job]
        assert not arrived_since or job - last < interval


@given(schedules, arriving, intervals, st.lists(hours_of_day, max_size=3))
def test_the_first_job_after_an_edit_builds_it_whatever_the_settings(jobs, arrivals, interval, edits) -> None:
    made = builds_of(Policy(interval=interval, updates_on=UpdatesOn.ALL), jobs, arrivals, edits=edits)
    for edit in edits:
        after = [job for job in jobs[1:] if job >= edit > jobs[0]]
        assert not after or after[0] in made
