"""`afresh doctor` looks at everything that a run needs, and at each source, and touches nothing."""

from __future__ import annotations

import json

import pytest
import yaml

from integration.bad_input.refusal import assert_refused
from unit.render.test_json import VALIDATOR

TABLE = "{{ config(materialized='table') }} "
FILES = {
    "models/sources.yml": """
        sources:
          - name: raw
            schema: raw
            tables:
              - {name: orders}
              - {name: dated, loaded_at_field: loaded, config: {meta: {afresh: {source_signal: loaded_at}}}}
    """,
    "models/stg.sql": "select * from {{ source('raw', 'orders') }}",
    "models/orders.sql": TABLE + "select * from {{ ref('stg') }}",
    "models/fresh.sql": TABLE + "select * from {{ source('raw', 'dated') }}",
}
RAW = (
    "create schema raw",
    "create table raw.orders as select 1 as id",
    "create table raw.dated as select 1 as id, timestamptz '2026-01-02 03:04:05+00' as loaded",
)


@pytest.fixture
def fed(shop):
    project = shop(FILES)
    project.execute(*RAW)
    return project


def diagnosis(project, *args, exit_code=0) -> dict:
    outcome = project.afresh("doctor", "--output", "json", *args)
    assert outcome.exit_code == exit_code
    document = outcome.json()
    VALIDATOR.validate(document)
    return document


def checks(document) -> dict[str, dict]:
    return {check["name"]: check for check in document["checks"]}


def sources(document) -> dict[str, dict]:
    return {source["unique_id"].split(".", 3)[3]: source for source in document["sources"]}


@pytest.mark.smoke
def test_everything_that_a_run_needs_is_looked_at_and_nothing_is_touched(fed):
    document = diagnosis(fed)
    found = checks(document)
    assert list(found) == ["afresh", "python", "dbt-core", "settings", "state", "adapter", "warehouse", "sources"]
    assert {check["health"] for check in found.values()} == {"ok"}
    assert found["state"]["text"].endswith(".afresh/state.db: none yet, the first run makes it")
    assert found["warehouse"]["text"] == f"reached with target dev: duckdb:{fed.root}/shop.duckdb"
    assert (document["health"], document["target"]) == ("warning", "dev")
    assert not (fed.root / ".afresh").exists()

    fed.afresh("build")
    text = fed.afresh("doctor").stdout
    assert "KiB, 1 run, 3 traces" in text
    assert "2 of 2 tell whether they changed" in text
    assert text.endswith("1 warning.\n")


def test_each_source_has_its_signal_its_strength_its_last_change_and_what_asking_cost(fed):
    fed.afresh("build")
    orders, dated = (sources(diagnosis(fed))[name] for name in ("orders", "dated"))
    assert (orders["health"], orders["strength"], orders["fix"]) == ("ok", "exact", None)
    assert orders["relation"] == "shop.raw.orders"
    assert orders["seconds"] > 0
    assert orders["unchanged_since"] is not None
    assert (dated["health"], dated["signal"], dated["strength"]) == ("warning", "loaded_at", "declared")
    assert dated["last_loaded"].startswith("2026-01-02T03:04:05")
    assert "late rows" in dated["note"]

    fed.execute("insert into raw.orders values (2)")
    orders = sources(diagnosis(fed))["orders"]
    assert (orders["unchanged_since"], orders["changed_since"] is None) == (None, False)
    assert set(sources(diagnosis(fed, "--select", "fresh"))) == {"dated"}


def test_the_fix_of_a_source_can_be_copied_and_helps(fed):
    fed.execute(
        "drop table raw.orders",
        "create view raw.orders as select id, loaded as first_seen, loaded as updated_at from query_table('raw.dated')",
    )
    document = diagnosis(fed, exit_code=1)
    orders = sources(document)["orders"]
    assert (orders["health"], orders["strength"]) == ("problem", "none")
    assert orders["note"].startswith("what reads it is built in every run: ")
    assert checks(document)["sources"]["text"] == "1 of 2 tell whether they changed"
    assert "To copy" in fed.afresh("doctor").stdout

    written = yaml.safe_load(fed.read("models/sources.yml"))
    for fix in (orders["fix"], sources(document)["dated"]["fix"]):
        assert fix.startswith("# models/sources.yml\n")
        (table,) = yaml.safe_load(fix)["sources"][0]["tables"]
        next(one for one in written["sources"][0]["tables"] if one["name"] == table["name"]).update(table)
    assert written["sources"][0]["tables"][0]["loaded_at_field"] == "updated_at"
    fed.write({"models/sources.yml": yaml.safe_dump(written)})
    found = sources(diagnosis(fed))
    assert {name: source["strength"] for name, source in found.items()} == {"orders": "declared", "dated": "exact"}


def test_a_source_that_is_missing_or_cannot_be_asked_is_a_problem(fed):
    fed.execute("drop table raw.orders", "alter table raw.dated rename loaded to loaded_then")
    found = sources(diagnosis(fed, exit_code=1))
    assert found["orders"]["note"] == "what reads it is built in every run: it does not exist"
    assert "loaded_at_field of shop.raw.dated failed: Binder Error" in found["dated"]["note"]
    assert found["orders"]["fix"] is None


def test_a_source_that_a_job_of_this_state_builds_needs_no_asking(fed):
    fed.write(
        {
            "models/more.yml": "sources: [{name: marts, schema: main, tables: [{name: orders}]}]",
            "models/again.sql": TABLE + "select * from {{ source('marts', 'orders') }}",
        }
    )
    fed.afresh("build")
    found = diagnosis(fed)
    (again,) = (one for one in found["sources"] if one["unique_id"] == "source.shop.marts.orders")
    assert (again["signal"], again["strength"], again["health"]) == ("build", "exact", "ok")
    assert again["note"] == "orders builds it, so its version is known without asking"


def test_a_state_that_cannot_be_used_is_a_problem_and_the_warehouse_is_looked_at_all_the_same(fed):
    (fed.root / "state").mkdir()
    document = diagnosis(fed, "--state-url", "sqlite:///state", exit_code=1)
    assert checks(document)["state"]["health"] == "problem"
    assert "the state file is a folder" in checks(document)["state"]["text"]
    assert checks(document)["warehouse"]["health"] == "ok"
    assert len(document["sources"]) == 2
    assert not (fed.root / ".afresh").exists()


def test_a_warehouse_that_cannot_be_reached_is_a_problem(fed):
    profiles = yaml.safe_load(fed.read("profiles.yml"))
    profiles["test"]["outputs"]["dev"]["path"] = "/nowhere/shop.duckdb"
    fed.write({"profiles.yml": yaml.safe_dump(profiles)})
    document = diagnosis(fed, exit_code=1)
    assert checks(document)["warehouse"]["health"] == "problem"
    assert "/nowhere/shop.duckdb" in checks(document)["warehouse"]["text"]
    assert document["sources"] == []


def test_a_warehouse_without_a_name_is_a_problem(fed):
    profiles = yaml.safe_load(fed.read("profiles.yml"))
    profiles["test"]["outputs"]["dev"]["path"] = ":memory:"
    fed.write({"profiles.yml": yaml.safe_dump(profiles)})
    found = checks(diagnosis(fed, exit_code=1))
    assert found["warehouse"]["text"] == "reached with target dev, and nobody can tell which one it is"


def test_what_cannot_be_looked_at_is_one_error(fed):
    assert_refused(fed.afresh("doctor", "--select", "nope"), "nothing is selected")
    assert_refused(fed.afresh("doctor", "--selct", "a"), "Usage: afresh doctor")
    assert_refused(fed.afresh("doctor", "--state-url", "nonsense"), "option --state-url")
    assert_refused(fed.afresh("doctor", "--target", "nope"), "dbt cannot begin")
    fed.write({"models/broken.sql": "select * from {{ ref('nope') }}"})
    refused = fed.afresh("doctor", "--output", "json")
    assert_refused(refused, "which was not found")
    assert refused.stdout == ""
    fed.write({"models/broken.sql": "select 1 as id", "afresh.yml": "state_uri: x"})
    assert_refused(fed.afresh("doctor"), "state_uri")


def test_settings_that_say_nothing_are_told(fed):
    outcome = fed.afresh("doctor", "--output", "json", env={"AFRESH_STATE_URI": "x"})
    found = [check for check in json.loads(outcome.stdout)["checks"] if check["name"] == "settings"]
    assert [check["health"] for check in found] == ["ok", "warning"]
    assert "AFRESH_STATE_URI" in found[1]["text"]
