"""What runs did, as people and programs read it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from afresh.core import reason as why
from afresh.render.json import reason_view
from afresh.render.runs import run_details, run_details_json, runs_json, runs_text
from afresh.render.views import RunSummary
from afresh.render.words import display_width
from unit.render.examples import AT, NOW, RUN, golden, row
from unit.render.test_json import VALIDATOR
from unit.render.test_status import DAILY, ENDED, FIRST, GONE

DONE = replace(ENDED, run_id=RUN, summary=RunSummary(1, 1, 1, failed=1, skipped=1, saved_seconds=41.0, deciding_seconds=0.31))
FAILED = reason_view(why.LastBuildFailed(DAILY, AT, "division by\nzero"), NOW)
ROWS = (
    replace(row("customers", decision="reuse", confidence="verified"), status="reused"),
    replace(row("late", decision="build", reasons=(FAILED,)), status="error", execution_time=0.5),
    replace(row("later", decision="skip", reasons=(reason_view(why.UpstreamFailed("model.shop.late")),)), status="skipped"),
    replace(row("orders", decision="build", reasons=(reason_view(why.NeverBuilt()),)), status="success", execution_time=3.2),
    replace(row("totals", decision="reuse", confidence="tolerated"), status="reused"),
)


def test_runs_read_as_reviewed():
    runs = (FIRST, DONE, GONE)
    text = "\n".join([runs_text(runs, NOW), run_details(DONE, ROWS, NOW, width=80, color=False), run_details(FIRST, (), NOW, width=80, color=False), run_details(GONE, (), NOW, width=80, color=False), runs_text((), NOW)])  # fmt: skip
    assert golden("runs.txt", text) == text


@pytest.mark.parametrize("name", ["short", "and_long" * 3], ids=len)
@pytest.mark.parametrize("width", [60, 80, 160])
def test_runs_fit_their_terminal(width, name):
    long = replace(ROWS[1], unique_id="model.shop.late_" + name, reasons=(reason_view(why.LastBuildFailed(DAILY, AT, "no " * 100), NOW),))
    listed = runs_text((FIRST, DONE, GONE), NOW, width=width)
    nodes = run_details(DONE, (long, *ROWS[2:]), NOW, width=width, color=False).partition("\n\n")[2]
    assert max(map(display_width, (*listed.splitlines(), *nodes.splitlines()))) <= width
    assert "01JDA6Z2V8…  07:50  prod    gone" in listed
    assert nodes.split().count("no") == 100


def test_colour_adds_nothing_but_colour():
    assert "\x1b[1;31mFailed (1)" in run_details(DONE, ROWS, NOW, width=80, color=True)


@pytest.mark.parametrize("runs", [(), (DONE,), (FIRST, DONE, GONE)])
def test_the_list_fits_the_published_schema(runs):
    document = json.loads(runs_json(runs, NOW))
    VALIDATOR.validate(document)
    assert [run["run_id"] for run in document["runs"]] == [run.run_id for run in runs]


@pytest.mark.parametrize(("run", "rows"), [(DONE, ROWS), (FIRST, ())])
def test_one_run_fits_the_published_schema(run, rows):
    document = json.loads(run_details_json(run, rows, NOW))
    VALIDATOR.validate(document)
    assert len(document["nodes"]) == len(rows)
    assert (document["summary"] is None) == (run is FIRST)
    if run is DONE:
        assert (document["runs"][0]["verified"], document["summary"]["verified"], document["summary"]["saved_seconds"]) == (1, 1, 41.0)
