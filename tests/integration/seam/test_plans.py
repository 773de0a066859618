"""What a plan says beyond its verdicts: what is certain before anything ran, how long it takes, and why in readable words."""

from __future__ import annotations

from integration.bad_input.refusal import assert_refused

TABLE = "{{ config(materialized='table') }} "
SOURCES = "sources: [{name: raw, schema: raw, tables: [{name: one}, {name: two}]}]"
RAW = ("create schema raw", "create table raw.one as select 1 as id", "create table raw.two as select 1 as id")
LOOKS = (
    "{% set found = run_query('select max(id) from ' ~ ref('first')) %} select {{ found.columns[0].values()[0] if execute else 1 }} as id"
)
TWO_INPUTS = {
    "models/sources.yml": SOURCES,
    "models/first.sql": TABLE + "select * from {{ source('raw', 'one') }}",
    "models/looks.sql": LOOKS,
    "models/last.sql": TABLE + "select l.id from {{ ref('looks') }} l, {{ source('raw', 'two') }}",
}


def _plan(project, *args):
    return {node["unique_id"].split(".")[2]: node for node in project.afresh("plan", *args, "--output", "json").json()["nodes"]}


def _text(project, *args):
    return " ".join(project.afresh("plan", *args).stdout.split())


def test_new_data_that_is_certain_is_planned_to_be_built_whatever_the_other_input_will_do(shop):
    project = shop(TWO_INPUTS)
    project.execute(*RAW)
    project.afresh("build")
    project.execute("insert into raw.one values (2)")

    plan = _plan(project)
    assert {name: node["decision"] for name, node in plan.items()} == {"first": "build", "looks": "undetermined", "last": "undetermined"}

    project.execute("insert into raw.two values (2)")
    plan = _plan(project)
    assert {name: node["decision"] for name, node in plan.items()} == {"first": "build", "looks": "undetermined", "last": "build"}
    assert [reason["text"] for reason in plan["last"]["reasons"]] == ["new data in source raw.two"]


def test_a_plan_tells_how_long_building_takes_by_what_each_node_took_before(shop):
    project = shop({"models/a.sql": TABLE + "select 1 as id", "models/b.sql": TABLE + "select id from {{ ref('a') }}"})
    first = project.afresh("plan", "--output", "json").json()
    assert first["estimate"] == {
        "seconds": None,
        "known": 0,
        "nodes": 2,
        "undetermined": 0,
        "threads": 4,
        "with_threads_seconds": None,
        "critical_path": None,
    }
    assert "takes about" not in _text(project)
    took = [project.afresh("build", "--force").node("a").execution_time for _ in range(3)]
    project.write({"models/a.sql": TABLE + "select 2 as id", "models/new.sql": TABLE + "select 1 as id"})

    whole = project.afresh("plan", "--output", "json").json()
    of = {node["unique_id"].split(".")[2]: node["estimated_seconds"] for node in whole["nodes"]}

    assert of["a"] == round(sorted(took)[1], 3)
    assert of["new"] is None
    estimate = whole["estimate"]
    assert (estimate["seconds"], estimate["known"], estimate["nodes"]) == (of["a"] + of["b"], 2, 3)
    assert estimate["critical_path"] == {"seconds": round(of["a"] + of["b"], 3), "nodes": ["model.shop.a", "model.shop.b"]}
    assert estimate["with_threads_seconds"] == estimate["critical_path"]["seconds"]
    assert "with any number of threads: a → b." in _text(project)
    assert "for 2 of 3 nodes; the rest has no history." in _text(project)
    assert "for 2 of 3 nodes; the rest has no history." in _text(project, "--output", "markdown")


def test_what_cannot_be_resolved_is_told_in_words_through_a_view_too(shop):
    project = shop(
        {
            "models/seen.sql": "select * from query_table('raw.one')",
            "models/reader.sql": TABLE + "select * from {{ ref('seen') }}",
            "models/named.sql": TABLE + "select * from raw.one",
            "models/over.sql": "select * from raw.volatile",
            "models/reader_over.sql": TABLE + "select * from {{ ref('over') }}",
        }
    )
    project.execute(*RAW, "create view raw.volatile as select random() as id")
    project.afresh("build")
    project.execute("insert into raw.one values (2)")

    told = _text(project)

    assert "cannot tell whether seen changed (it reads the table function `query_table`, whose inputs are not known)" in told
    assert "new data in shop.raw.one (a table named without ref or source)" in told
    for word in ("undeclared:", "relation:", "duckdb:"):
        assert word not in told
        assert word not in project.afresh("explain", "reader", "named", "reader_over").stdout


def test_a_relation_that_is_gone_or_half_built_is_not_said_to_be_changed_by_others(shop):
    project = shop({"models/a.sql": TABLE + "select 1 as id", "models/b.sql": TABLE + "select 1 as id"})
    project.afresh("build")
    project.afresh("run", "--select", "a", "--empty")
    project.execute("drop table b")

    plan = _plan(project)

    assert {name: [reason["code"] for reason in node["reasons"]] for name, node in plan.items()} == {
        "a": ["partial_build"],
        "b": ["relation_missing"],
    }


def test_a_node_that_its_setting_builds_every_time_says_which_setting(shop):
    project = shop({"models/a.sql": "{{ config(materialized='table', meta={'afresh': {'enabled': false}}) }} select 1 as id"})
    project.afresh("build")

    assert "`state.enabled: false` builds it in every run" in _text(project)
    assert "asked to build whatever the state says" in _text(project, "--force")


def test_a_mistake_in_the_options_of_a_plan_is_told_under_its_name(shop):
    outcome = shop({"models/a.sql": "select 1 as id"}).afresh("plan", "--selct", "a")

    assert_refused(outcome, "Usage: afresh plan", "--selct")
    assert "afresh build" not in outcome.stdout + outcome.stderr
