"""What `afresh explain` tells beyond the decision: settings and their places, waits, content, what comes next, what was before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import afresh.render
from integration.bad_input.refusal import assert_refused

TABLE = "{{ config(materialized='table') }} "
STATE = ".afresh/state.db"
SCHEMA = json.loads((Path(afresh.render.__file__).parent / "schema.json").read_text(encoding="utf-8"))
FILES = {
    "afresh.yml": "defaults:\n  lag_tolerance: 2h\n",
    "seeds/countries.csv": "id,name\n1,here\n",
    "models/sources.yml": "sources: [{name: raw, schema: raw, tables: [{name: one}, {name: two}]}]",
    "models/marts/orders.sql": TABLE + "select o.id from {{ source('raw', 'one') }} o, {{ ref('countries') }} c",
    "models/seen.sql": "select id from {{ ref('orders') }}",
    "models/report.sql": TABLE + "select s.id from {{ ref('seen') }} s, {{ source('raw', 'two') }} t",
    "models/report.yml": """
        models:
        - name: report
          config:
            meta:
              afresh:
                lag_tolerance: 6h
                max_age: 2d
          columns: [{name: id, data_tests: [not_null]}]
        """,
    "models/broken.sql": TABLE + "select error('no') as id from {{ ref('orders') }}",
    "models/below.sql": TABLE + "select * from {{ ref('broken') }}",
}
RAW = ("create schema raw", "create table raw.one as select 1 as id", "create table raw.two as select 1 as id")
OF_FOLDER = {"models": {"shop": {"marts": {"+meta": {"afresh": {"require_fresh_data_from": "all"}}}}}}


def nodes(project, *args) -> dict[str, dict]:
    outcome = project.afresh("explain", *args, "--output", "json")
    assert outcome.exit_code == 0
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(outcome.json())
    return {node["unique_id"].split(".")[2]: node for node in outcome.json()["nodes"]}


@pytest.fixture(scope="module")
def lived(module_shop):
    """A project with a history: built, found current, new data that a setting holds back. The tests that share it leave it so."""
    project = module_shop(FILES, settings=OF_FOLDER)
    project.execute(*RAW)
    project.afresh("build")
    project.afresh("build")
    project.execute("insert into raw.two values (2)")
    project.afresh("build")
    return project


def test_each_setting_is_told_with_its_value_and_the_file_that_set_it(lived):
    told = nodes(lived, "report", "orders", "seen", "not_null_report_id")
    of = {name: {line["key"]: (line["value"], line["origin"]) for line in node["explanation"]["policy"]} for name, node in told.items()}
    assert of["report"] == {
        "enabled": ("true", "default"),
        "lag_tolerance": ("6h", "models/report.yml:6, key `meta.afresh.lag_tolerance`"),
        "require_fresh_data_from": ("any", "default"),
        "max_age": ("2d", "models/report.yml:7, key `meta.afresh.max_age`"),
        "on_engine_upgrade": ("keep", "default"),
    }
    assert of["orders"]["lag_tolerance"] == ("2h", "afresh.yml:2, key `defaults.lag_tolerance`")
    value, place = of["orders"]["require_fresh_data_from"]
    assert (value, place.partition(":")[0]) == ("all", "dbt_project.yml")
    assert set(of["seen"]) >= {"enabled", "on_engine_upgrade"}
    assert of["not_null_report_id"] == {"enabled": ("true", "default")}
    assert (
        "lag_tolerance            6h     models/report.yml:6, key `meta.afresh.lag_tolerance`" in lived.afresh("explain", "report").stdout
    )


def test_a_reused_table_says_how_current_it_is_and_whose_data_it_holds(lived):
    told = nodes(lived, "report", "seen", "countries", "not_null_report_id")
    report, view = told["report"]["explanation"]["content"], told["seen"]["explanation"]["content"]
    orders = nodes(lived, "orders")["orders"]
    assert told["report"]["confidence"] == "tolerated"
    assert report["as_of"] <= report["verified_at"] <= report["behind_since"]
    assert {one["label"]: (one["read_at"], one["exact"], one["version"] is None) for one in report["sources"]} == {
        "source raw.one": (orders["explanation"]["content"]["as_of"], True, False),
        "source raw.two": (report["as_of"], True, False),
        "seed countries": (nodes(lived, "countries")["countries"]["explanation"]["content"]["as_of"], True, True),
    }
    assert (view["own"], {one["label"] for one in view["sources"]}) == (False, {"source raw.one", "seed countries"})
    assert told["not_null_report_id"]["explanation"]["content"] is None


def test_each_input_says_when_it_was_seen_to_change(lived):
    report = nodes(lived, "report")["report"]["explanation"]
    changed = {one["label"]: one["changed_at"] for one in report["inputs"]}
    assert changed == {"source raw.two": report["content"]["behind_since"], "seen": None}
    assert "seen to change last: source raw.two at" in lived.afresh("explain", "report").stdout


def test_what_builds_it_next_is_told_of_every_node(lived):
    told = {name: [cause["code"] for cause in node["explanation"]["next"]] for name, node in nodes(lived).items()}
    assert told["report"] == ["code_changed", "new_data", "max_age", "relation_missing"]
    assert told["broken"] == ["never_built", "last_build_failed"] or told["broken"] == ["last_build_failed", "never_built"]
    assert told["below"] == ["never_built"]
    assert all(told.values())
    (due,) = [cause for cause in nodes(lived, "report")["report"]["explanation"]["next"] if cause["code"] == "new_data"]
    assert due["at"] == nodes(lived, "report")["report"]["due_at"]


def test_the_last_runs_are_told_newest_first(lived):
    three = nodes(lived, "report", "--last", "3")["report"]["explanation"]["history"]
    assert [(past["decision"], past["confidence"]) for past in three] == [("reuse", "tolerated"), ("reuse", "verified"), ("build", None)]
    assert [past["decision"] for past in nodes(lived, "report", "--last", "1")["report"]["explanation"]["history"]] == ["reuse"]
    assert nodes(lived, "report")["report"]["explanation"]["history"] == []
    text = lived.afresh("explain", "report", "--last", "3").stdout
    assert text.index("  tolerated ") < text.index("  verified ") < text.index("never built with this state")


def test_a_run_that_is_asked_for_tells_of_itself_alone(lived):
    first = nodes(lived, "report", "--last", "3")["report"]["explanation"]["history"][-1]["run_id"]
    told = nodes(lived, "report", "--run", first)["report"]
    assert (told["decision"], told["explanation"]["content"], told["explanation"]["next"]) == ("build", None, [])
    assert_refused(lived.afresh("explain", "report", "--run", first, "--last", "2"), "`--run` and `--last` do not go together")
    assert_refused(lived.afresh("explain", "report", "--last", "0"), "--last")


def test_no_explanation_answers_unknown_or_nothing(lived):
    for name, node in nodes(lived).items():
        assert node["reasons"], name
        assert all(cause["text"] for cause in (*node["reasons"], *node["explanation"]["next"])), name
    for line in lived.afresh("explain", "--last", "5").stdout.splitlines():
        assert "unknown" not in line.lower()


def test_it_needs_neither_a_project_nor_a_warehouse_nor_dbt(lived, tmp_path):
    code = (
        "import sys; from afresh.cli.main import main; code = main(['explain', 'report', '--last', '2', *sys.argv[1:]])\n"
        "assert not {'dbt', 'duckdb', 'sqlglot', 'alembic'} & {name.partition('.')[0] for name in sys.modules}; sys.exit(code)"
    )
    url = f"sqlite:///{lived.root / STATE}"
    done = subprocess.run([sys.executable, "-c", code, "--state-url", url], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "What builds it next" in done.stdout


def test_a_setting_that_changes_is_told_with_the_decision_that_it_bore_on(shop):
    project = shop({"models/a.sql": TABLE + "select 1 as id"})
    project.afresh("build")
    project.write({"models/a.yml": "models: [{name: a, config: {meta: {afresh: {max_age: 1d}}}}]"})
    project.afresh("build")

    past, now = (
        {line["key"]: line["value"] for line in nodes(project, "a", "--run", run)["a"]["explanation"]["policy"]}["max_age"]
        for run in [one["run_id"] for one in nodes(project, "a", "--last", "2")["a"]["explanation"]["history"]][::-1]
    )
    assert (past, now) == ("none", "1d")


def test_what_an_ephemeral_model_reads_is_said_not_to_be_recorded(shop):
    project = shop(
        {
            "models/inlined.sql": "{{ config(materialized='ephemeral') }} select 1 as id",
            "models/a.sql": TABLE + "select id from {{ ref('inlined') }}",
        }
    )
    project.afresh("build")
    assert nodes(project, "a")["a"]["explanation"]["content"]["not_recorded"] == ["inlined"]
    assert "What inlined reads is not recorded" in project.afresh("explain", "a").stdout


def test_a_view_is_not_said_to_read_the_version_of_its_last_build(lived):
    (line,) = nodes(lived, "seen")["seen"]["explanation"]["inputs"]
    assert (line["label"], line["observed"], line["same"]) == ("orders", None, True)
    assert line["recorded"] is not None
    text = lived.afresh("explain", "seen").stdout
    assert "any: data flows through" in text.split("Inputs")[1].split("Settings")[0]
