"""Each cause reads as one short sentence in the user's words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from afresh.core import reason as why
from afresh.core.decision import Confidence, Reuse
from afresh.core.node import ResourceType
from afresh.core.version import REBUILT, Known, Unknown
from afresh.render.sentences import reused_line, sentence
from unit.render.examples import AT, EVERY_REASON, NEW_ORDERS, NOW, RUN, TRACE, UNKNOWN_INPUT


@pytest.mark.parametrize(("reason", "text"), EVERY_REASON, ids=[reason.code for reason, _ in EVERY_REASON])
def test_a_reason_reads_as(reason, text):
    assert sentence(reason) == text


def test_every_cause_there_is_has_an_example():
    assert {type(reason) for reason, _ in EVERY_REASON} == set(why.Reason.__args__)


def test_times_of_today_are_short_and_in_the_readers_zone():
    assert sentence(why.Tainted(AT), NOW) == "built without state at 07:50"
    assert sentence(why.Tainted(AT - timedelta(days=1)), NOW) == "built without state at 2026-11-21 07:50"


def test_new_inputs_and_unknown_versions_are_not_called_new_data():
    assert sentence(UNKNOWN_INPUT) == (
        "new data in source ecom.raw_orders; not read before: stg_taxes; "
        "cannot tell whether source crm.accounts changed (no signal of change is known)"
    )


def test_what_a_plan_builds_before_is_neither_called_new_nor_unknown():
    changes = (NEW_ORDERS, why.InputChange("model.shop.stg_orders", "stg_orders", Known("b1"), REBUILT))
    assert sentence(why.NewData(changes)) == "new data in source ecom.raw_orders; this run builds stg_orders"


def test_an_input_whose_version_was_not_known_at_the_last_build_says_so():
    change = why.InputChange("source.shop.crm.accounts", "source crm.accounts", Unknown("the probe failed"), Known("7"))
    assert sentence(why.NewData((change,))) == (
        "cannot tell whether source crm.accounts changed (not known at the last build: the probe failed)"
    )


def test_many_inputs_are_cut_to_three():
    changes = tuple(why.InputChange(f"model.shop.m{n}", f"m{n}", Known("1"), Known("2")) for n in range(1_003))
    assert sentence(why.NewData(changes)) == "new data in m0, m1, m2 and 1,000 more"


def test_text_of_a_warehouse_cannot_move_the_cursor_or_start_a_line():
    told = sentence(why.LastBuildFailed(RUN, AT, "boom\n\x1b[2J\rfine \u202egnp.exe"))
    assert told.endswith("boom �[2J fine �gnp.exe")
    assert "\n" not in told


@pytest.mark.parametrize(
    ("trace", "line"),
    [
        (TRACE, "no new data since 06:50 (run 01JDA3K9QX…)"),
        (replace(TRACE, relation_type="view"), "unchanged since 06:50 (run 01JDA3K9QX…)"),
        (replace(TRACE, resource_type=ResourceType.SEED), "file unchanged since 06:50 (run 01JDA3K9QX…)"),
        (replace(TRACE, resource_type=ResourceType.TEST), "passed 06:50, nothing changed since (run 01JDA3K9QX…)"),
        (replace(TRACE, adopted=True), "nothing changed since 06:50; adopted, not built by Afresh"),
    ],
    ids=["table", "view", "seed", "test", "adopted"],
)
def test_a_verified_reuse_says_since_when_and_by_which_run(trace, line):
    assert reused_line(Reuse(trace, Confidence.VERIFIED, (why.Unchanged(),)), AT + timedelta(hours=1)) == line


def test_a_tolerated_reuse_says_what_it_waits_for_and_never_that_nothing_is_new():
    delays = (why.TooSoon(AT + timedelta(hours=2), timedelta(hours=2)), UNKNOWN_INPUT)
    line = reused_line(Reuse(TRACE, Confidence.TOLERATED, delays), AT + timedelta(hours=1))
    assert line == "too soon: due at 08:50, builds at most every 2h (built 06:50, run 01JDA3K9QX…)"


def test_a_reuse_without_a_trace_still_reads_well():
    assert reused_line(Reuse(None, Confidence.VERIFIED, (why.Unchanged(),))) == "nothing changed"
