"""What a check found: one line if all is well, else every node that is not current, and why."""

from __future__ import annotations

import json

import pytest

from afresh.core import reason as why
from afresh.render.check import Checked, check_json, check_text
from afresh.render.json import reason_view
from afresh.render.views import LeaseLine
from unit.render.examples import AT, NOW, RUN, TWELVE, golden, row
from unit.render.test_json import VALIDATOR

CURRENT = row("orders", decision="reuse", confidence="verified", reasons=(reason_view(why.Unchanged()),))
BEHIND = row("daily", decision="reuse", confidence="tolerated", reasons=(reason_view(why.UpstreamTolerated(("orders",))),))
LEASE = LeaseLine(CURRENT.unique_id, RUN, "etl-2", 7, "hourly", AT, NOW, building=True)


def test_what_is_not_current_reads_as_reviewed():
    text = check_text(Checked("dev", (*TWELVE, CURRENT), {CURRENT.unique_id: LEASE}), width=100, color=False)
    assert golden("check_100.txt", text) == text


@pytest.mark.parametrize(
    ("rows", "allowed", "line"),
    [
        ((CURRENT,), False, "1 node is current\n"),
        ((CURRENT, CURRENT), False, "2 nodes are current\n"),
        ((CURRENT, BEHIND), True, "2 nodes are current, 1 of them behind, as a setting allows\n"),
    ],
)
def test_if_all_is_well_that_is_one_line(rows, allowed, line):
    checked = Checked("dev", rows, {}, allowed)
    assert check_text(checked, width=80, color=True) == line
    assert json.loads(check_json(checked))["current"] is True


def test_what_is_behind_as_a_setting_allows_is_not_current_unless_the_asker_allows_it_too():
    assert Checked("dev", (BEHIND,), {}).stale == (BEHIND,)
    assert Checked("dev", (BEHIND,), {}, allow_tolerated=True).stale == ()


def test_what_another_run_is_building_is_not_current():
    assert Checked("dev", (CURRENT,), {CURRENT.unique_id: LEASE}, allow_tolerated=True).stale == (CURRENT,)


def test_the_document_fits_the_published_schema_and_lists_what_is_not_current():
    document = json.loads(check_json(Checked("dev", (CURRENT, BEHIND), {CURRENT.unique_id: LEASE})))
    VALIDATOR.validate(document)
    assert (document["current"], document["checked"], len(document["leases"])) == (False, 2, 1)
    assert [node["unique_id"] for node in document["nodes"]] == [CURRENT.unique_id, BEHIND.unique_id]


def test_colour_adds_nothing_but_colour():
    assert "\x1b[1;33m" in check_text(Checked("dev", (BEHIND,), {}), width=80, color=True)
