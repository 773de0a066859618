"""Plans, explanations and summaries as people read them, at the widths of a terminal and of a wide screen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from afresh.render.explain import explain_text
from afresh.render.markdown import plan_markdown, summary_markdown
from afresh.render.plan_frame import path_text
from afresh.render.text import plan_line, plan_text, summary_line
from afresh.render.views import PlanHead, RunSummary, Schedule, TextChange
from afresh.render.words import display_width
from unit.render.examples import BUILT, HEAD, RUN_ROWS, THOUSAND, TOLERATED, TWELVE, WHAT_IF, golden, row

ANSI = re.compile(r"\x1b\[[0-9;]*m")
SUMMARY = RunSummary(built=2, reused_verified=41, reused_tolerated=3, saved_seconds=192.0, deciding_seconds=0.31)


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize(("name", "rows"), [("12", TWELVE), ("1000", THOUSAND)], ids=["12 nodes", "1000 nodes"])
def test_a_plan_reads_as_reviewed(name, rows, width):
    text = plan_text(rows, HEAD, width=width, color=False)
    assert text == golden(f"plan_{name}_{width}.txt", text)


@pytest.mark.parametrize("width", [80, 160])
def test_a_what_if_plan_reads_as_reviewed(width):
    text = plan_text(TWELVE, WHAT_IF, width=width, color=False)
    assert text == golden(f"what_if_{width}.txt", text)
    assert max(map(display_width, text.splitlines())) <= width


def test_a_what_if_plan_in_markdown_reads_as_reviewed():
    text = plan_markdown(TWELVE, WHAT_IF)
    assert text == golden("what_if.md", text)


def test_a_long_chain_is_cut_in_the_middle():
    rows = [row(f"m{place}") for place in range(12)]
    schedule = Schedule(4, 60.0, 60.0, tuple(node.unique_id for node in rows))
    assert path_text(rows, schedule) == (
        "Longest chain, about 1m with any number of threads: m0 → m1 → m2 → 5 more nodes → m8 → m9 → m10 → m11."
    )


@pytest.mark.parametrize("path", [(), ("model.shop.orders",)])
def test_a_single_node_is_no_chain(path):
    assert path_text(TWELVE, Schedule(4, 1.0, 1.0, path)) == ""


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize(("name", "told"), [("built", BUILT), ("tolerated", TOLERATED)])
def test_an_explanation_reads_as_reviewed(name, told, width):
    text = explain_text(told, width=width, color=False)
    assert text == golden(f"explain_{name}_{width}.txt", text)


def test_a_plan_and_a_summary_in_markdown_read_as_reviewed():
    plan, summary = plan_markdown(TWELVE, HEAD), summary_markdown(SUMMARY, RUN_ROWS)
    assert plan == golden("plan_12.md", plan)
    assert summary == golden("summary_12.md", summary)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_nothing_but_a_name_is_wider_than_the_terminal(width):
    lines = plan_text([*TWELVE, *THOUSAND[:60]], HEAD, width=width, color=False).splitlines()
    names = {f"  {node.name}" for node in TWELVE}
    assert [line for line in lines if display_width(line) > width and line not in names] == []


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("told", [BUILT, TOLERATED], ids=["built", "tolerated"])
def test_an_explanation_fits_its_terminal(told, width):
    assert max(map(display_width, explain_text(told, width=width, color=False).splitlines())) <= width


@pytest.mark.parametrize("width", [80, 160])
def test_colour_adds_nothing_but_colour(width):
    coloured, plain = (plan_text(TWELVE, HEAD, width=width, color=color) for color in (True, False))
    assert coloured != plain
    assert ANSI.sub("", coloured) == plain
    assert ANSI.sub("", explain_text(BUILT, width=width, color=True)) == explain_text(BUILT, width=width, color=False)


def test_a_long_group_is_cut_and_says_how_to_see_the_rest():
    text = plan_text(THOUSAND, HEAD, width=80, color=False)
    assert "… and 550 more (--all shows them)" in text
    assert "model_0999" not in text


def test_all_shows_every_node():
    text = plan_text(THOUSAND, HEAD, width=80, color=False, limit=None)
    assert sum(f"model_{place:04}" in text for place in range(1_000)) == 1_000
    assert "more (--all" not in text


def test_an_empty_plan_says_so():
    assert plan_text([], PlanHead("dev"), width=80, color=False) == "Plan for target dev: 0 nodes\n\nNothing is selected.\n"


def test_a_summary_reads_as_the_contract_has_it():
    assert summary_line(SUMMARY) == (
        "Afresh: 2 built, 44 reused (41 verified, 3 tolerated), 0 cloned. Saved about 3m 12s. Deciding took 0.31s."
    )


def test_a_summary_names_failures_and_claims_no_saving_that_it_does_not_know():
    summary = RunSummary(built=1_200, reused_verified=0, reused_tolerated=0, failed=1, skipped=2, saved_seconds=None, deciding_seconds=12.4)
    assert summary_line(summary) == (
        "Afresh: 1,200 built, 0 reused (0 verified, 0 tolerated), 0 cloned, 1 failed, 2 skipped. Deciding took 12s."
    )


def test_a_name_cannot_break_out_of_a_markdown_table():
    hostile = row("x|`y` <img src=x> @all", decision="build")
    table = next(line for line in plan_markdown([hostile], PlanHead("dev")).splitlines() if "img" in line)
    assert len(re.findall(r"(?<!\\)\|", table)) == 5
    assert "<img" not in table.replace("\\<", "")
    assert "@all" not in table


def test_sql_in_an_explanation_cannot_write_to_the_terminal():
    told = replace(BUILT, texts=(TextChange("compiled SQL", "select 1", "select '\x1b]0;owned\x07'"),))
    assert not set("\x1b\x07") & set(explain_text(told, width=80, color=False))


def test_an_explanation_of_what_the_store_kept_shows_inputs_and_parts_from_the_evidence_alone():
    text = explain_text(replace(BUILT, inputs=(), parts=()), width=100, color=False)
    assert re.search(r"source ecom\.raw_orders\s+9f3ac1d2:1201\s+9f3ac1d2:1244\s+differs", text)
    assert re.search(r"macro cents_to_dollars\s+a1b2c3d4\s+d4e5f6a7", text)


def test_an_estimate_that_does_not_cover_all_that_is_built_says_how_much_it_covers():
    rows = (*TWELVE[:2], row("orders_by_day", decision="build"), row("customers", estimated_seconds=1000.0))
    assert plan_line(rows).endswith(" Building takes about 1m 12s for 2 of 3 nodes; the rest has no history.")


@pytest.mark.parametrize(
    "rows", [(row("orders", decision="build"),), (row("orders", estimated_seconds=3.0),)], ids=["no history", "reused"]
)
def test_no_time_is_promised_without_history_or_where_nothing_is_built(rows):
    assert "takes" not in plan_line(rows)
