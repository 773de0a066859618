"""What goes on and how things stand, as people and programs read it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from afresh.core import reason as why
from afresh.render.json import reason_view
from afresh.render.status import STATES, NodeLine, RunLine, Status, WaitLine, counts_text, news, status_text
from afresh.render.status_json import status_json
from afresh.render.views import LastBuild, LeaseLine, RunSummary
from afresh.render.words import display_width
from unit.render.examples import AT, NOW, RUN, golden, row
from unit.render.test_json import VALIDATOR

ANSI = re.compile(r"\x1b\[[0-9;]*m")
HOURLY, DAILY, OLD = RUN, "01JDA6Z2V8M4Q0C7H3T5R9WXKE", "01JD9ZZZQXR4W7T2M5N8P6V1BC"
AGO = NOW - timedelta(seconds=83)
BUILT = LastBuild(RUN, "hourly", AT, AT + timedelta(seconds=41), 41.0)

FIRST = RunLine(HOURLY, "afresh build --select tag:hourly+", "prod", "hourly", "etl-1", 11, AGO)
SECOND = RunLine(
    DAILY, "afresh build --vars '{day: 2026-11-22}' --exclude resource_type:unit_test --threads 8", "prod", "", "etl-2", 22, AGO
)
LEASE = LeaseLine("model.shop.orders", HOURLY, "etl-1", 11, "hourly", AGO, NOW + timedelta(seconds=17), building=True)
FILE = LeaseLine("warehouse/shop.duckdb", HOURLY, "etl-1", 11, "hourly", AGO, NOW + timedelta(seconds=17), building=False)
WAIT = WaitLine("model.shop.orders", DAILY, HOURLY, "etl-1", 11, "hourly", NOW - timedelta(seconds=7))
ENDED = replace(FIRST, run_id=OLD, started_at=AT, finished_at=AT + timedelta(minutes=3, seconds=4), outcome="error", summary=RunSummary(12, 30, 0, failed=1, skipped=2))  # fmt: skip
GONE = replace(SECOND, started_at=AT, outcome="gone")
TOO_SOON = replace(
    row("totals", decision="reuse", confidence="tolerated", reasons=(reason_view(why.LastBuildFailed(RUN, AT)),)),
    due_at=NOW + timedelta(hours=2),
    last_build=BUILT,
)
FAILED = row("late", decision="build", reasons=(reason_view(why.LastBuildFailed(RUN, AT, "division by\nzero")),))
STATUS = Status(
    place="postgresql://etl@db.example.com/afresh",
    now=NOW,
    at_work=(FIRST, SECOND),
    ended=(ENDED, GONE),
    leases=(LEASE, FILE),
    waits=(WAIT,),
    nodes=(
        NodeLine(replace(row("customers", decision="reuse", confidence="verified"), last_build=BUILT), "current", "prod"),
        NodeLine(FAILED, "failed", "prod"),
        NodeLine(replace(row("orders", decision="build"), last_build=BUILT), "building", "prod"),
        NodeLine(TOO_SOON, "tolerated", "prod"),
    ),
)


@pytest.mark.parametrize("width", [80, 160])
def test_a_status_reads_as_reviewed(width):
    text = status_text(STATUS, width=width, color=False)
    assert text == golden(f"status_{width}.txt", text)


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_status_fits_its_terminal_and_colour_adds_nothing_but_colour(width):
    coloured, plain = (status_text(STATUS, width=width, color=color) for color in (True, False))
    assert max(map(display_width, plain.splitlines())) <= width
    assert ANSI.sub("", coloured) == plain != coloured


def test_a_node_for_which_it_is_too_soon_says_once_when_it_is_due():
    node = replace(
        STATUS.nodes[3], row=replace(TOO_SOON, reasons=(reason_view(why.TooSoon(NOW + timedelta(hours=2), timedelta(hours=4))),))
    )
    text = status_text(replace(STATUS, nodes=(node,)), width=160, color=False)
    assert text.splitlines()[-1].endswith("due at 10:50: too soon")


def test_nodes_that_are_current_are_counted_and_listed_only_when_all_are():
    many = replace(
        STATUS, nodes=tuple(replace(STATUS.nodes[at % 2], row=row(f"m{at}", decision="reuse", confidence="verified")) for at in range(60))
    )
    folded, whole = (status_text(many, width=120, color=False, limit=limit) for limit in (20, None))
    assert counts_text(many) == "60 nodes: 30 failed, 30 current"
    assert folded.count("  failed") == 20
    assert "and 10 more; `--all` lists every node" in folded
    assert whole.count("\n  current") == whole.count("\n  failed") == 30


def test_a_node_of_two_targets_is_told_of_with_them():
    two = replace(STATUS, nodes=(STATUS.nodes[1], replace(STATUS.nodes[1], target="dev"), replace(STATUS.nodes[1], target=None)))
    assert re.findall(r"late in (\w+(?: unknown target)?)", status_text(two, width=120, color=False)) == [
        "prod",
        "dev",
        "an unknown target",
    ]


def test_where_nothing_goes_on_and_nothing_was_decided_that_is_said():
    text = status_text(Status("state.db", NOW), width=80, color=False)
    assert text.splitlines()[2:] == ["No run is at work.", "", "Nothing was decided yet."]


def test_every_state_of_a_node_is_in_the_published_schema_and_the_document_fits_it():
    every = replace(STATUS, nodes=tuple(replace(STATUS.nodes[0], state=state) for state in STATES))
    for status in (every, STATUS, Status("state.db", NOW)):
        VALIDATOR.validate(json.loads(status_json(status)))
    told = json.loads(status_json(STATUS))
    assert (told["run_id"], told["target"], told["now"]) == (DAILY, "prod", "2026-11-22T07:50:00Z")
    assert [(run["status"], run["built"]) for run in told["runs"]] == [("running", None), ("running", None), ("error", 12), ("gone", 0)]
    assert [(wait["run_id"], wait["for_run"], wait["subject"]) for wait in told["waits"]] == [(DAILY, HOURLY, "model.shop.orders")]
    assert [(lease["subject"], lease["building"]) for lease in told["leases"]] == [(LEASE.subject, True), (FILE.subject, False)]


def test_the_document_with_a_state_that_is_none_is_refused_by_the_schema():
    told = json.loads(status_json(STATUS))
    told["nodes"][0]["state"] = "stale"
    assert list(VALIDATOR.iter_errors(told)) != []


def test_news_is_what_changed_between_two_looks():
    before = Status(STATUS.place, NOW, nodes=STATUS.nodes[:1])
    begun = replace(STATUS, ended=())
    after = replace(begun, now=NOW + timedelta(seconds=5), at_work=(), ended=(replace(GONE, run_id=DAILY), replace(ENDED, run_id=HOURLY)), leases=(), waits=(), nodes=(*STATUS.nodes[:2], replace(STATUS.nodes[2], state="current")))  # fmt: skip

    assert list(news(STATUS, replace(STATUS, now=after.now))) == []
    assert list(news(before, begun)) == [
        "run 01JDA3K9QX… began: afresh build --select tag:hourly+",
        "run 01JDA6Z2V8… began: afresh build --vars '{day: 2026-11-22}' --exclude resource_type:unit_test --threads 8",
        "run 01JDA3K9QX… builds orders",
        "run 01JDA6Z2V8… waits for run 01JDA3K9QX…: orders",
        "late is failed",
        "orders is building",
        "totals is tolerated",
    ]
    assert list(news(begun, after)) == [
        "run 01JDA6Z2V8… has waited 12s for run 01JDA3K9QX…: orders",
        "run 01JDA3K9QX… ended: error, 12 built, 30 reused, 1 failed, 2 skipped",
        "run 01JDA6Z2V8… is gone",
        "orders is current, was building",
    ]
