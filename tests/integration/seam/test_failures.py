"""Runs in which something fails: what stops, what is reused all the same, and what runs again."""

from __future__ import annotations

import pytest


def _files(b="select id from {{ ref('a') }}", *, test=""):
    files = {
        "models/a.sql": "{{ config(materialized='table') }} select id from (values (1), (2)) t(id)",
        "models/b.sql": "{{ config(materialized='table') }} " + b,
        "models/c.sql": "select id from {{ ref('b') }}",
        "models/apart.sql": "{{ config(materialized='table') }} select 2 as id",
    }
    return {**files, **({"models/schema.yml": test} if test else {})}


UNIQUE = "models: [{name: b, columns: [{name: id, data_tests: [unique]}]}]"
BROKEN = "select id, no_such_column from {{ ref('a') }}"
DOUBLED = "select a.id from {{ ref('a') }} a cross join {{ ref('a') }} twice"


@pytest.mark.smoke
def test_what_is_below_a_failing_model_is_skipped_and_what_is_not_is_reused(shop):
    project = shop(_files())
    project.afresh("build")
    project.replace("models/b.sql", "select id", "select id, no_such_column")

    failed = project.afresh("build")

    assert failed.exit_code == 1
    assert failed.statuses["b"] == "error"
    assert (failed.statuses["c"], failed.node("c").decision, failed.reasons("c")) == ("skipped", "skip", ("upstream_failed",))
    assert failed.reused == {"a", "apart"}
    assert "1 failed, 1 skipped" in failed.stdout


def test_a_failing_model_is_built_again_and_a_mended_one_once(shop):
    project = shop(_files(BROKEN))
    project.afresh("build")

    again = project.afresh("build")
    project.write(_files())
    mended = project.afresh("build")

    assert (again.exit_code, again.executed - {"c"}) == (1, {"b"})
    assert (mended.exit_code, mended.executed) == (0, {"b", "c"})
    assert project.afresh("build").executed == set()


def test_a_model_set_back_to_what_was_last_built_is_reused_if_its_failure_wrote_nothing(shop):
    project = shop(_files())
    project.afresh("build")
    project.write(_files("select error('never compiled') from {{ no_such_macro() }}"))
    project.afresh("build")
    project.write(_files())

    assert project.afresh("build").executed_models <= {"b"}
    assert project.afresh("build").executed == set()


@pytest.mark.smoke
def test_a_failing_test_blocks_runs_again_and_makes_its_model_due_once(shop):
    project = shop(_files(DOUBLED, test=UNIQUE))

    first, second, third = (project.afresh("build") for _ in range(3))

    assert [run.exit_code for run in (first, second, third)] == [1, 1, 1]
    assert [run.statuses["unique_b_id"] for run in (first, second, third)] == ["fail", "fail", "fail"]
    assert [run.statuses["c"] for run in (first, second, third)] == ["skipped", "skipped", "skipped"]
    assert (second.reasons("b"), second.node("b").decision) == (("failed_test",), "build")
    assert third.node("b").decision == "reuse"
    assert third.reasons("unique_b_id") == ("not_passed_before",)
    assert second.reused == {"a", "apart"}


def test_a_mended_model_passes_its_test_and_what_was_blocked_is_built(shop):
    project = shop(_files(DOUBLED, test=UNIQUE))
    project.afresh("build")
    project.replace("models/b.sql", DOUBLED, "select id from {{ ref('a') }}")

    mended = project.afresh("build")

    assert (mended.exit_code, mended.statuses["unique_b_id"]) == (0, "pass")
    assert mended.executed == {"b", "c", "unique_b_id"}
    assert project.afresh("build").executed == set()


def test_fail_fast_stops_and_the_next_run_builds_what_did_not_come_to_its_turn(shop):
    project = shop(_files(BROKEN))

    stopped = project.afresh("build", "--fail-fast", "--threads", "1")
    project.write(_files())
    rest = project.afresh("build")

    assert stopped.exit_code == 1
    assert (rest.exit_code, rest.executed | rest.reused) == (0, {"a", "b", "c", "apart"})
    assert {"b", "c"} <= rest.executed
    assert project.afresh("build").executed == set()


def test_retry_builds_what_failed_and_was_skipped(shop):
    project = shop(_files(BROKEN))
    project.afresh("build")
    project.write(_files())
    results = project.read("target/run_results.json")

    # `afresh` in this process removes old results before it runs; retry needs them.
    outcome = _with_results(project, results, "retry")
    assert (outcome.exit_code, outcome.executed) == (0, {"b", "c"})
    assert project.afresh("build").executed == set()


def test_retry_builds_nothing_that_somebody_else_has_built_meanwhile(shop):
    project = shop(_files(BROKEN))
    project.afresh("build")
    project.write(_files())
    results = project.read("target/run_results.json")
    project.afresh("build")

    outcome = _with_results(project, results, "retry")
    assert (outcome.exit_code, outcome.reused, outcome.executed) == (0, {"b", "c"}, set())


def test_after_a_run_that_reused_everything_there_is_nothing_to_retry(shop):
    project = shop(_files())
    project.afresh("build")
    project.afresh("build")

    outcome = _with_results(project, project.read("target/run_results.json"), "retry")
    assert (outcome.exit_code, outcome.nodes) == (0, {})


def _with_results(project, results, *command):
    (project.root / "before").mkdir()
    (project.root / "before" / "run_results.json").write_text(results)
    return project.afresh(*command, "--state", "before")
