"""The decision is the design's table (semantics §2): every row, and what the text below it says of policies and tests."""

from __future__ import annotations

import pytest

from afresh.core import reason as why
from afresh.core.decide import decide, plan_verdict
from afresh.core.decision import Build, Reuse, Undetermined
from afresh.core.observation import Missing, Mode
from afresh.core.policy import Policy, UpdatesOn, interval_tolerance
from afresh.core.trace import AttemptProblem, AttemptState
from afresh.core.version import Known
from unit.core.decision_table import TABLE, TRACE, Row
from unit.core.situations import HOUR, MINUTE, NEW, RAW, SQL_PART, TEST, built, new_data, reading, seen


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_table(row: Row) -> None:
    assert plan_verdict(row.seen, row.trace, row.policy) == row.verdict


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_a_run_decides_as_a_plan_and_builds_what_a_plan_leaves_open(row: Row) -> None:
    decision = decide(row.seen, row.trace, row.policy)
    if not isinstance(row.verdict, Undetermined):
        assert decision == row.verdict
        return
    assert isinstance(decision, Build)
    assert decision.reasons == (row.verdict.reasons or (why.NotReusable("its inputs are not settled yet"),))


def test_every_row_of_the_table_has_its_own_name() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)


RUN_WIDE = {"queue_timeout", "lease_lost", "orphaned_query", "state_unavailable"}
"""Causes of the protocol around a node, which ends a node by itself."""
OF_OTHER_ENVIRONMENTS = {"cloned_from"}


def test_the_table_holds_every_cause_that_a_decision_can_give() -> None:
    in_table = {reason.code for row in TABLE for reason in row.verdict.reasons}
    assert in_table == set(why.REASON_CODES) - RUN_WIDE - OF_OTHER_ENVIRONMENTS


LAX = Policy(interval=1000 * HOUR, updates_on=UpdatesOn.ALL)
_PROBLEM = AttemptProblem(AttemptState.FAILED, "r2", seen().now)


@pytest.mark.parametrize(
    "certain",
    [
        {"mode": Mode.FORCED},
        {"mode": Mode.FULL_REFRESH},
        {"not_reusable": "it writes"},
        {"existence": Missing()},
        {"attempt": _PROBLEM},
        {"code_changes": (SQL_PART,)},
    ],
    ids=", ".join,
)
def test_no_freshness_setting_delays_a_build_that_is_not_for_data(certain: dict[str, object]) -> None:
    assert isinstance(decide(seen(after=MINUTE, **certain), TRACE, LAX), Build)


@pytest.mark.parametrize(
    ("interval", "tolerance"),
    [(0 * HOUR, 0 * HOUR), (10 * MINUTE, MINUTE / 2), (20 * MINUTE, MINUTE), (HOUR, MINUTE), (24 * HOUR, MINUTE)],
    ids=str,
)
def test_the_tolerance_of_an_interval_is_a_twentieth_and_at_most_a_minute(interval, tolerance) -> None:
    assert interval_tolerance(interval) == tolerance


@pytest.mark.parametrize("late_by", [0, 5, 30, 59, 60], ids=lambda seconds: f"{seconds} s late")
def test_an_hourly_job_with_an_interval_of_an_hour_builds_hourly_although_its_starts_wobble(late_by: int) -> None:
    """The last run started late by some seconds, this one in time."""
    started_late = built(scheduled_at=TRACE.scheduled_at + late_by * MINUTE / 60)
    on_time = seen(inputs=(reading(RAW, NEW),), after=HOUR)
    assert decide(on_time, started_late, Policy(interval=HOUR)) == Build((new_data((RAW, NEW)),))


def test_a_reused_test_names_the_trace_that_it_stands_on() -> None:
    trace = built(TEST)
    decision = decide(seen(TEST), trace)
    assert isinstance(decision, Reuse)
    assert decision.trace is trace


def test_the_same_token_read_twice_is_the_same_data_and_no_other_token_is() -> None:
    for token in ("", "v", "v10", "V1", " v1"):
        assert isinstance(decide(seen(inputs=(reading(RAW, Known(token)),)), TRACE), Build), token
