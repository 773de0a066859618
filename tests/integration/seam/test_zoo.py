"""A project with one of everything: the first build is plain dbt's own, and the second one builds nothing that need not be built."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import jsonschema
import pytest

from integration.seam.zoo import DBT, HAS_FUNCTIONS, HAS_MICROBATCH, REUSED, REUSED_TEST, create_zoo, event_loops_left_open
from support.outcome import RUN_RESULTS, Outcome
from support.project import Project

AGAIN = {"custom", "not_seen_merged_amount"}
"""A custom materialization that nobody vouched for, and a test that did not pass."""
TESTS = {"source_not_null_raw_orders_id", "unique_orders_id", "not_null_orders_id", "no_negative_amounts", "cents_are_hundredths"}
MODELS = {
    "countries", "large", "history", "stg_orders", "orders", "appended", "merged", "replaced", "frame", "by_country.v1", "by_country.v2",
    *(("days", "daily") if HAS_MICROBATCH else ()),
    *(("plus_one", "incremented") if HAS_FUNCTIONS else ()),
}  # fmt: skip
RELATIONS = (
    "countries",
    "large",
    "history",
    "stg_orders",
    "fct_orders",
    "appended",
    "merged",
    "replaced",
    "custom",
    "frame",
    "by_country_v2",
)


@dataclass(frozen=True)
class Zoo:
    project: Project
    plain: Outcome
    first: Outcome
    second: Outcome
    plain_rows: dict[str, list[tuple]]
    first_rows: dict[str, list[tuple]]
    artifact: dict


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    twin, project = create_zoo(tmp_path_factory.mktemp("plain")), create_zoo(tmp_path_factory.mktemp("ours"))
    with event_loops_left_open():
        plain = twin.dbt("build")
        first = project.afresh("build")
        first_rows = _rows(project)
        second = project.afresh("build")
    return Zoo(project, plain, first, second, _rows(twin), first_rows, json.loads(project.read(str(RUN_RESULTS))))


def _rows(project):
    return {name: [row[:2] for row in project.rows(name)] for name in RELATIONS}


def _lines(outcome):
    """dbt's lines without what differs from run to run: times, durations, places in the order."""
    lines = (re.sub(r"^\d\d:\d\d:\d\d\s+", "", line) for line in outcome.stdout.splitlines())
    lines = (re.sub(r"in \d+ hours .*|in \d+\.\d+s\]|^\d+ of ", "", line).replace(".", "").strip() for line in lines)
    return sorted(_counts_in_order(line) for line in lines if line and not line.startswith("Afresh:"))


def _counts_in_order(line):
    """The oldest dbt counts kinds of nodes in the order in which they ended."""
    start = "Finished running "
    return start + ", ".join(sorted(line.removeprefix(start).split(", "))) if line.startswith(start) else line


def _line(outcome, start):
    (found,) = (line.split("  ", 1)[1] for line in outcome.stdout.splitlines() if line[10:].startswith(start))
    return found


@pytest.mark.smoke
def test_the_first_build_is_plain_dbt_s_own(zoo):
    assert (zoo.first.exit_code, zoo.plain.exit_code) == (0, 0)
    assert {name: node.status for name, node in zoo.first.nodes.items()} == {name: node.status for name, node in zoo.plain.nodes.items()}
    assert zoo.first_rows == zoo.plain_rows
    assert _lines(zoo.first) == _lines(zoo.plain)
    assert zoo.first.stderr == ""


@pytest.mark.smoke
def test_the_second_build_reuses_everything_that_can_be_reasoned_about(zoo):
    assert zoo.second.exit_code == 0
    assert zoo.second.reused == MODELS | TESTS
    assert {node.name for node in zoo.second.nodes.values() if node.decision == "build"} == AGAIN
    assert zoo.second.reasons("custom") == ("not_reusable",)
    assert zoo.second.reasons("not_seen_merged_amount") == ("not_passed_before",)
    assert _rows(zoo.project) == zoo.first_rows


@pytest.mark.smoke
def test_reused_nodes_have_the_status_that_this_dbt_knows(zoo):
    reused = [node for node in zoo.second.nodes.values() if node.decision == "reuse"]

    assert {node.status for node in reused if node.name not in TESTS} == {REUSED}
    assert {node.status for node in reused if node.name in TESTS} == {REUSED_TEST}


def test_every_selected_node_is_in_the_results_of_both_builds_and_in_no_other_order_than_built_first_or_after(zoo):
    assert zoo.first.nodes.keys() == zoo.plain.nodes.keys() == zoo.second.nodes.keys()
    assert len(zoo.artifact["results"]) == len(zoo.second.nodes)


def test_a_reused_node_says_so_and_since_when_and_took_no_time(zoo):
    reused = [node for node in zoo.second.nodes.values() if node.decision == "reuse"]

    assert all(re.match(r"REUSED .*\(run [0-9A-Z]{10}…\)$", node.message) for node in reused)
    assert {node.execution_time for node in reused} == {0}


def test_every_node_that_was_decided_tells_the_decision_its_reasons_and_the_run(zoo):
    decided = [node for node in zoo.second.nodes.values() if node.afresh is not None]

    assert {tuple(sorted(node.afresh)) for node in decided} == {("confidence", "decision", "reasons", "run_id")}
    assert {tuple(node.reasons) for node in decided if node.decision == "reuse"} == {("unchanged",)}
    assert {node.afresh["confidence"] for node in decided if node.decision == "reuse"} == {"verified"}
    assert len({node.afresh["run_id"] for node in decided}) == 1


def test_the_compiled_code_of_reused_nodes_is_restored(zoo):
    first = {name: node.compiled_code for name, node in zoo.first.nodes.items() if node.decision is not None}
    unlike = {"unit_test.shop.orders.cents_are_hundredths", "model.shop.daily"}
    """dbt's own results of a reused unit test can hold no code; and of a microbatch model, which is compiled batch by batch, hold none."""

    assert first["model.shop.orders"].strip().startswith("with __dbt__cte__paid as")
    assert {name: zoo.second.nodes[name].compiled_code for name in first if name not in unlike} == {
        name: code for name, code in first.items() if name not in unlike
    }


def test_the_results_are_valid_by_dbt_s_own_schema(zoo):
    from dbt.artifacts.schemas.run import RunResultsArtifact

    schema = RunResultsArtifact.json_schema()
    if schema is not None and "properties" in schema:
        jsonschema.validate(zoo.artifact, json.loads(json.dumps(schema)))
    RunResultsArtifact.read_and_check_versions(str(zoo.project.root / RUN_RESULTS))


def test_the_closing_lines_count_as_this_dbt_counts_and_ours_is_the_same_on_all(zoo):
    reused, passive, hooks = len(MODELS | TESTS), 2 if DBT >= (1, 10) else 0, 3 if DBT >= (1, 9) else 0
    done = _line(zoo.second, "Done.")
    counts = {key: int(value) for key, value in (pair.split("=") for pair in done.removeprefix("Done. ").split())}

    if DBT >= (1, 12):
        assert (counts["PASS"], counts["NO-OP"], counts["REUSED"]) == (1 + hooks, passive, reused)
    elif DBT >= (1, 10):
        assert (counts["PASS"], counts["NO-OP"]) == (1 + hooks, reused + passive)
    else:
        assert counts["PASS"] == reused + 1 + hooks + (1 if HAS_MICROBATCH else 0)  # 1.9 counts the saved query too
    assert (counts["WARN"], counts["ERROR"], counts["SKIP"], counts["TOTAL"]) == (1, 0, 0, len(zoo.second.nodes))
    assert re.fullmatch(
        rf"Afresh: 2 built, {reused} reused \({reused} verified, 0 tolerated\), 0 cloned\. Saved about \S+( \S+)?\. Deciding took \S+s\.",
        _line(zoo.second, "Afresh:"),
    )


def test_each_node_of_a_run_has_a_number_of_its_own(zoo):
    numbered = re.findall(r"(?m)^\S+  (\d+) of (\d+) (?:REUSED|START|NO-OP) (?!hook)", zoo.second.stdout)
    total = {int(of) for _, of in numbered}

    assert len(total) == 1
    assert sorted(int(number) for number, _ in numbered) == list(range(1, total.pop() + 1))


def test_hooks_of_the_run_run_as_in_dbt_and_hooks_of_a_reused_node_do_not(zoo):
    assert sorted(zoo.project.query("select what, count(*) from audit group by 1")) == [
        ("after orders", 1),
        ("before orders", 1),
        ("end", 2),
        ("start", 2),
    ]
