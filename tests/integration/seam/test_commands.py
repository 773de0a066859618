"""dbt's commands with dbt's own flags: what each of them runs, reuses, prints and returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.seam.zoo import DBT, REUSED, REUSED_TEST
from support.outcome import RUN_RESULTS

PROFILES = """
    test:
      target: dev
      outputs:
        dev: {type: duckdb, path: shop.duckdb, schema: main, threads: 4}
        prod: {type: duckdb, path: shop.duckdb, schema: prod, threads: 2}
    """
FILES = {
    "profiles.yml": PROFILES,
    "seeds/colours.csv": "id,colour\n1,red\n2,blue\n",
    "models/a.sql": "{{ config(materialized='table') }} select id, colour, '{{ var('mark', 'none') }}' as mark from {{ ref('colours') }}",
    "models/b.sql": "{{ config(materialized='table', tags=['late']) }} select id from {{ ref('a') }}",
    "models/c.sql": "select id from {{ ref('b') }}",
    "models/other.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/schema.yml": "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]",
    "snapshots/kept.sql": """
        {% snapshot kept %}{{ config(unique_key='id', strategy='check', check_cols='all', target_schema='main') }}
        select * from {{ ref('b') }}
        {% endsnapshot %}
        """,
    "selectors.yml": "selectors: [{name: late_ones, definition: {method: tag, value: late}}]",
}
MODELS = {"a", "b", "c", "other"}
TEST = "unique_a_id"
ALL = MODELS | {"colours", "kept", TEST}


@pytest.fixture(scope="module")
def built(module_shop):
    """A project in which everything was built. The tests that share it leave it so."""
    project = module_shop(FILES)
    assert project.afresh("build").reused == set()
    return project


@pytest.mark.parametrize(
    ("command", "reused"),
    [
        ("build", ALL),
        ("run", MODELS),
        ("test", {TEST}),
        ("seed", {"colours"}),
        ("snapshot", {"kept"}),
        ("build --select b", {"b"}),
        ("build -s a+ --exclude c", {"a", "b", "kept", TEST}),
        ("run --selector late_ones", {"b"}),
        ("build --resource-type model", MODELS),
        ("build --indirect-selection empty --select a", {"a"}),
        ("build --fail-fast", ALL),
        ("build --threads 1", ALL),
        ("build --warn-error", ALL),
        ("build --target dev --profile test --profiles-dir .", ALL),
        ("build --project-dir .", ALL),
        ("build --cache-selected-only --select c", {"c"}),
        ("build --no-populate-cache", ALL),
        ("--no-use-colors build --log-level warn", ALL),
    ],
)
def test_a_command_reuses_what_it_selects_and_nothing_else(built, command, reused):
    outcome = built.afresh(*command.split())

    assert (outcome.exit_code, outcome.reused) == (0, reused)
    assert {node.name for node in outcome.nodes.values()} == reused
    assert set(outcome.statuses.values()) <= {REUSED, REUSED_TEST}


def test_a_selector_that_matches_nothing_is_dbt_s_own_warning(built):
    ours, theirs = built.afresh("build", "--select", "nosuch"), built.dbt("build", "--select", "nosuch")

    assert (ours.exit_code, ours.nodes) == (theirs.exit_code, theirs.nodes) == (0, {})
    assert "does not match any enabled nodes" in ours.stdout


def test_quiet_prints_nothing_when_nothing_is_wrong(built):
    assert built.afresh("build", "--quiet").stdout == ""


def test_every_line_of_a_json_log_is_json_and_tells_of_each_node_and_of_the_summary(built):
    outcome = built.afresh("build", "--log-format", "json")
    messages = [json.loads(line)["info"]["msg"] for line in outcome.stdout.splitlines()]

    assert sum("REUSED" in message for message in messages if " of " in message) == len(ALL)
    assert [message for message in messages if message.startswith("Afresh: 0 built, 7 reused")]


def test_without_json_artifacts_none_is_written(built):
    assert built.afresh("build", "--no-write-json").exit_code == 0
    assert not (built.root / RUN_RESULTS).exists()


def test_the_summary_as_json_is_the_only_thing_on_standard_output(built):
    outcome = built.afresh("build", "--quiet", "--output", "json")

    document = outcome.json()
    assert {node["decision"] for node in document["nodes"]} == {"reuse"}
    assert len(document["nodes"]) == len(ALL)


@pytest.fixture
def current(built):
    """The shared project for a test that changes it: everything is as it was when the test ends."""
    yield built
    built.afresh("build")


def test_force_builds_everything_and_says_that_it_was_asked_to(current):
    outcome = current.afresh("run", "--force")

    assert (outcome.exit_code, outcome.executed) == (0, MODELS)
    assert {outcome.reasons(name)[0] for name in MODELS} == {"forced"}


def test_a_full_refresh_builds_and_the_next_build_reuses(current):
    refreshed = current.afresh("build", "--full-refresh")

    assert refreshed.executed == ALL
    assert "full_refresh" in refreshed.reasons("b")
    assert current.afresh("build").executed == set()


def test_a_test_that_passed_runs_again_when_its_failures_are_to_be_stored(current):
    outcome = current.afresh("build", "--store-failures")

    assert (outcome.executed, outcome.reasons(TEST)) == ({TEST}, ("code_changed",))


def test_single_threaded_ends_as_in_plain_dbt(shop):
    """In most versions dbt cannot do it; where it can, so can we."""
    files = {"models/a.sql": "select 1 as id", "models/b.sql": "select * from {{ ref('a') }}"}
    ours, theirs = (shop(files, name=name) for name in ("ours", "theirs"))

    assert ours.afresh("--single-threaded", "build").statuses == theirs.dbt("--single-threaded", "build").statuses


def test_a_var_builds_only_what_reads_it(shop):
    project = shop(FILES)
    project.afresh("build")

    outcome = project.afresh("build", "--vars", "{mark: new, unread: 1}")

    assert outcome.executed == {"a", "b", "kept", TEST}
    assert outcome.reasons("a") == ("code_changed",)
    assert project.query("select distinct mark from a") == [("new",)]
    assert project.afresh("build", "--vars", "{mark: new}").executed == set()


def test_two_targets_are_two_sets_of_relations(shop):
    project = shop(FILES)
    project.afresh("run", "-s", "other")

    assert project.afresh("run", "-s", "other", "--target", "prod").reasons("other") == ("never_built",)
    assert project.afresh("run", "-s", "other", "--target", "prod").reused == {"other"}
    assert project.afresh("run", "-s", "other").reused == {"other"}


def test_a_deferred_parent_is_the_relation_that_was_read(shop):
    project = shop(FILES)
    project.afresh("build", "--target", "prod", "--target-path", "prod_artifacts", "--exclude", "kept")
    deferred = ("run", "-s", "c", "--defer", "--state", "prod_artifacts")

    assert project.afresh(*deferred).executed == {"c"}
    assert project.afresh(*deferred).reused == {"c"}
    assert "prod" in project.query("select sql from duckdb_views() where view_name = 'c'")[0][0]


@pytest.mark.parametrize(
    "flags",
    [
        ("--empty",),
        *([("--event-time-start", "2026-01-01", "--event-time-end", "2026-01-02")] if DBT >= (1, 9) else []),
        *([("--sample", "2 days")] if DBT >= (1, 10) else []),
    ],
)
def test_a_part_of_a_build_never_stands_for_all_of_it(shop, flags):
    project = shop({"models/a.sql": "{{ config(materialized='table') }} select 1 as id", "models/b.sql": "select * from {{ ref('a') }}"})
    project.afresh("run")

    partial = project.afresh("run", *flags)
    whole = project.afresh("run")

    assert (partial.exit_code, partial.executed) == (0, {"a", "b"})
    assert whole.executed == {"a", "b"}
    assert "partial_build" in whole.reasons("a")
    assert project.rows("b") == [(1,)]
    assert project.afresh("run").executed == set()


def test_a_node_that_fails_is_exit_code_1_and_a_wrong_flag_is_2(shop):
    project = shop({"models/broken.sql": "select no_such_column"})

    assert (project.afresh("run").exit_code, project.afresh("run", "--no-such-flag").exit_code) == (1, 2)


@pytest.mark.parametrize("command", ["build", "run", "test", "seed", "snapshot", "retry"])
def test_help_shows_our_options_beside_dbt_s_and_an_example(built, command):
    outcome = built.afresh(command, "--help")

    assert outcome.exit_code == 0
    assert all(option in outcome.stdout for option in ("--force", "--state-url", "--queue-timeout", "--output", "--profiles-dir"))
    assert f"Example: afresh {command}" in outcome.stdout


def test_help_of_plain_dbt_shows_none_of_ours(built):
    built.afresh("build", "--help")

    assert "--state-url" not in built.dbt("build", "--help").stdout


@pytest.mark.parametrize(
    "command",
    [
        "ls --output name",
        "ls --select build run",
        "compile --select a",
        "parse",
        "show --select a",
        "run-operation nothing",
        "docs generate --no-compile",
        "deps",
        "source freshness",
    ],
)
def test_other_commands_are_handed_to_dbt_unchanged(built, command):
    built.write({"macros/nothing.sql": "{% macro nothing() %}{% endmacro %}"})
    before = built.afresh("explain", "--output", "json").json()["run_id"]

    ours, theirs = built.afresh(*command.split()), built.dbt(*command.split())

    assert ours.exit_code == theirs.exit_code
    assert [line[10:] for line in ours.stdout.splitlines()][1:4] == [line[10:] for line in theirs.stdout.splitlines()][1:4]
    assert "Afresh" not in ours.stdout
    assert built.afresh("explain", "--output", "json").json()["run_id"] == before


def test_a_word_of_the_command_line_that_only_looks_like_a_command_is_none(built):
    assert built.afresh("--log-path", "plan", "build").reused == ALL
    assert built.afresh("ls", "--select", "b", "--log-path", "build", "--output", "name").stdout.split()[-1] == "b"
    assert not (Path(built.root) / "build" / "run_results.json").exists()
