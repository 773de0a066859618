"""What would make a node be built next is told of every node, in the words of its settings and of what it reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from afresh.cli.next_build import Standing, next_builds
from afresh.core import reason as why
from afresh.core.node import ResourceType
from afresh.core.trace import AttemptProblem, AttemptState, Invalidation, RecordedInput, TestOutcome, TestStatus
from afresh.core.version import CodeVersion, Known, Part, Unknown
from afresh.render.json import reason_view
from afresh.store import DecisionRecord, DecisionRow, Snapshot
from unit.render.examples import AT, NOW, RUN, TRACE

HOUR = timedelta(hours=1)
UNCHANGED = (why.Unchanged(),)
BUILT = replace(
    TRACE,
    code=CodeVersion({"sql": Part("1"), "config": Part("2")}),
    inputs=(*TRACE.inputs, RecordedInput("model.shop.stg_taxes", None, Known("b1"))),
)
TEST = replace(BUILT, resource_type=ResourceType.TEST, relation_type="", test=TestOutcome(TestStatus.PASS))


def told(trace=BUILT, *, reasons=UNCHANGED, settings=None, attempt=None, invalidation=None, **row):
    given = {"decision": "reuse", "confidence": "verified", "status": "reused", "resource_type": "model", **row}
    key = TRACE.key
    record = DecisionRecord(
        DecisionRow(node="model.shop.orders", key=key, materialized="table", relation="", reasons="[]", **given), RUN, RUN, AT, AT + HOUR, 1
    )
    seen = Snapshot(
        AT,
        {} if trace is None else {key: trace},
        {} if attempt is None else {key: attempt},
        {},
        {} if invalidation is None else {key: invalidation},
    )
    views = tuple(reason_view(reason, NOW) for reason in reasons)
    return {one.code: (one.text, one.at) for one in next_builds(Standing(record, trace, seen, views, settings or {}, NOW))}


def texts(*args, **given):
    return {code: text for code, (text, _) in told(*args, **given).items()}


def test_of_a_current_table_it_is_code_data_and_what_others_do():
    assert texts() == {
        "code_changed": "a change of its code, at once: 2 parts of it are compared",
        "new_data": "new data in source ecom.raw_orders, stg_taxes",
        "relation_missing": "somebody else drops or changes the relation, where the warehouse shows that",
    }


@pytest.mark.parametrize(
    ("settings", "code", "text", "at"),
    [
        ({"require_fresh_data_from": "all"}, "new_data", "new data in each of source ecom.raw_orders, stg_taxes", None),
        ({"lag_tolerance": "4h"}, "new_data", "new data in source ecom.raw_orders, stg_taxes, not before 11:50", AT + 4 * HOUR),
        ({"lag_tolerance": "30m"}, "new_data", "new data in source ecom.raw_orders, stg_taxes", None),
        ({"max_age": "1d"}, "max_age", "the first run from 2026-11-23 07:50 on, whatever has changed: `max_age`", AT + 24 * HOUR),
        ({"enabled": "false"}, "forced", "every run: `state.enabled: false`", None),
    ],
)
def test_settings_say_when(settings, code, text, at):
    assert told(settings=settings)[code] == (text, at)


def test_what_is_tolerated_says_from_when_on_or_what_it_waits_for():
    change = why.NewData((why.InputChange("source.shop.ecom.raw_orders", "source ecom.raw_orders", Known("1"), Known("2")),))
    soon = told(settings={"lag_tolerance": "4h"}, reasons=(why.TooSoon(AT + 4 * HOUR, 4 * HOUR), change), confidence="tolerated")
    assert soon["new_data"] == ("the first run from 11:50 on, because of what has changed already", AT + 4 * HOUR)
    waits = told(reasons=(why.WaitingForInputs(("stg_taxes",)), change), confidence="tolerated")
    assert waits["new_data"] == ("new data in stg_taxes", None)


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        ({"trace": None}, "never_built", "the next run: no complete build of it is recorded"),
        (
            {"trace": None, "decision": "skip"},
            "never_built",
            "the next run in which nothing above it fails: no complete build of it is recorded",
        ),
        (
            {"attempt": AttemptProblem(AttemptState.FAILED, RUN, AT, "division by zero")},
            "last_build_failed",
            "the next run: the last build failed at 07:50 (run 01JDA3K9QX…): division by zero",
        ),
        ({"invalidation": Invalidation("ada", AT, "backfill")}, "invalidated", "the next run: invalidated by ada at 07:50: backfill"),
        ({"reasons": (why.NotReusable("x"),)}, "not_reusable", "every run: cannot be reused: x"),
        (
            {"reasons": (why.RelationMissing(),), "decision": "build", "confidence": None, "status": "error"},
            "relation_missing",
            "the next run: the last one failed before it wrote anything, and it was to be built: the relation is not in the warehouse any more",
        ),
        (
            {"trace": replace(BUILT, inputs=(RecordedInput("source.shop.crm.accounts", None, Unknown("no signal")),))},
            "new_data",
            "the next run: which data of source crm.accounts it has could not be told (no signal)",
        ),
        (
            {"trace": replace(TEST, test=TestOutcome(TestStatus.WARN)), "resource_type": "test"},
            "not_passed_before",
            "the next run: it did not pass the last time",
        ),
        (
            {"trace": replace(TEST, volatile_value="now()"), "resource_type": "test"},
            "not_passed_before",
            "every run: it uses now(), so its answer may change by itself",
        ),
    ],
)
def test_what_builds_it_at_once_is_all_that_is_told(given, code, text):
    trace = given.pop("trace", BUILT)
    assert texts(trace, **given) == {code: text}


def test_a_build_after_the_last_decision_makes_that_decision_a_thing_of_the_past():
    later = replace(BUILT, started_at=AT + 2 * HOUR)
    assert "never_built" not in texts(later, reasons=(why.NeverBuilt(),), decision="build", confidence=None, status="error")


@pytest.mark.parametrize(
    ("trace", "code", "text"),
    [
        (replace(BUILT, volatile_value="2026-11-22"), "volatile_value", "another day than 2026-11-22, because its SQL uses the date"),
        (replace(BUILT, window="up to 2026-11-22T00:00:00"), "window_moved", "the next batch after 2026-11-22T00:00:00"),
        (
            replace(BUILT, relation_type="view"),
            "view_stale",
            "other columns or types in source ecom.raw_orders, stg_taxes; new data flows through it",
        ),
    ],
)
def test_dates_batches_and_columns_count_where_they_do(trace, code, text):
    assert texts(trace)[code] == text


def test_a_test_waits_for_code_and_data_alone():
    assert set(texts(TEST, resource_type="test")) == {"code_changed", "new_data"}
    assert set(texts(replace(TEST, inputs=()), resource_type="unit_test")) == {"code_changed"}
