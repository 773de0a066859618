"""Settings of nodes and projects, and things that look like a change and are none."""

from __future__ import annotations

from integration.seam.zoo import DBT

TABLE = "{{ config(materialized='table') }} "
SOURCE = "sources: [{name: raw, schema: raw, tables: [{name: t}]}]"
RAW = ("create schema raw", "create table raw.t as select 1 as id")


def _reader(project, *, config="", name="a"):
    project.execute(*RAW)
    project.write({f"models/{name}.sql": "{{ config(materialized='table'" + config + ") }} select id from {{ source('raw', 't') }}"})


def test_run_started_at_in_every_model_builds_nothing(shop):
    comment = "-- built {{ run_started_at }} by {{ invocation_id }}\n"
    project = shop(
        {
            "models/a.sql": TABLE + comment + "select 1 as id, '{{ run_started_at }}' as loaded_at",
            "models/b.sql": TABLE + comment + "select id, cast('{{ run_started_at }}' as timestamp) as loaded_at from {{ ref('a') }}",
            "models/c.sql": comment + "select id, '{{ run_started_at.strftime(\"%Y-%m-%d %H:%M:%S\") }}' as at from {{ ref('b') }}",
        }
    )
    project.afresh("build")

    assert project.afresh("build").reused == {"a", "b", "c"}


def test_an_overridden_generate_schema_name_decides_which_relation_is_meant(shop):
    macro = """
        {% macro generate_schema_name(custom_schema_name, node) %}
            {{- env_var('TEAM', 'one') -}}{{- '_' ~ custom_schema_name if custom_schema_name else '' -}}
        {% endmacro %}
        """
    project = shop({"macros/schema.sql": macro, "models/a.sql": "{{ config(materialized='table', schema='x') }} select 1 as id"})
    project.afresh("build")

    assert project.afresh("build").reused == {"a"}
    other = project.afresh("build", env={"TEAM": "two"})
    assert other.reasons("a") == ("never_built",)
    assert project.afresh("build").reused == {"a"}
    assert project.rows("one_x.a") == project.rows("two_x.a") == [(1,)]


def test_a_source_that_another_project_builds_has_that_build_s_version(shop):
    above = shop({"models/a.sql": TABLE + "select 1 as id"}, name="above")
    below = shop({"models/sources.yml": SOURCE.replace("schema: raw", "schema: main").replace("{name: t}", "{name: a}")}, name="below")
    url = f"sqlite:///{above.root / 'shared.db'}"
    below.write(
        {
            "profiles.yml": f"test: {{target: dev, outputs: {{dev: {{type: duckdb, path: '{above.warehouse.path}', schema: below, threads: 4}}}}}}",
            "models/b.sql": TABLE + "select id from {{ source('raw', 'a') }}",
        }
    )

    def build(project, *args):
        return project.afresh("build", "--state-url", url, *args)

    build(above)
    assert build(below).executed == {"b"}
    assert build(below).reused == {"b"}
    assert build(above).reused == {"a"}

    build(above, "--force")
    again = build(below)
    assert again.reasons("b") == ("new_data",)
    assert build(below).reused == {"b"}


def test_one_relation_that_two_nodes_build_is_built_by_each_in_turn_with_a_warning(shop):
    project = shop({"models/a.sql": TABLE + "select 1 as id"})
    project.afresh("build")
    project.delete("models/a.sql")
    project.write({"models/renamed.sql": "{{ config(materialized='table', alias='a') }} select 1 as id"})

    outcome = project.afresh("build")

    assert "built_by_other_node" in outcome.reasons("renamed")
    assert "model.shop.a" in outcome.stdout
    assert project.afresh("build").reused == {"renamed"}


def test_a_large_seed_is_reused_until_one_byte_of_it_changes(shop):
    line = "x" * 100_000
    project = shop({"seeds/large.csv": "id,text\n" + "".join(f"{n},{line}\n" for n in range(200))})
    assert project.afresh("seed").executed == {"large"}

    assert project.afresh("seed").reused == {"large"}
    project.replace("seeds/large.csv", "\n99,x", "\n99,y")
    changed = project.afresh("seed")
    assert changed.reasons("large") == ("code_changed",)
    assert project.query("select text[1] from large where id = 99") == [("y",)]


def test_state_enabled_false_is_built_every_time_and_still_recorded(shop):
    project = shop({"models/a.sql": "{{ config(materialized='table', meta={'afresh': {'enabled': false}}) }} select 1 as id"})
    project.write({"models/b.sql": "select id from {{ ref('a') }}"})
    project.afresh("build")

    again = project.afresh("build")
    assert (again.executed, again.reasons("a")) == ({"a"}, ("forced",))
    project.write({"models/a.sql": TABLE + "select 1 as id"})
    assert "never_built" not in project.afresh("build").reasons("a")


def test_new_data_waits_for_the_interval_and_new_code_does_not(shop):
    project = shop({"models/sources.yml": SOURCE})
    _reader(project, config=", freshness={'build_after': {'count': 1, 'period': 'hour'}}")
    project.write({"models/b.sql": TABLE + "select id from {{ ref('a') }}"})
    project.afresh("build")
    project.execute("insert into raw.t values (2)")

    waits = project.afresh("build")
    assert (waits.reused, waits.executed) == ({"a", "b"}, set())
    assert (waits.node("a").afresh["confidence"], waits.reasons("a")) == ("tolerated", ("too_soon", "new_data"))
    assert (waits.node("b").afresh["confidence"], waits.reasons("b")) == ("tolerated", ("upstream_tolerated",))
    assert "0 verified, 2 tolerated" in waits.stdout

    project.replace("models/a.sql", "select id", "select id + 0 as id")
    assert project.afresh("build").executed == {"a", "b"}
    assert project.rows("b") == [(1,), (2,)]


def test_a_node_that_waits_for_all_inputs_waits_until_each_has_moved(shop):
    project = shop({"models/sources.yml": "sources: [{name: raw, schema: raw, tables: [{name: t}, {name: u}]}]"})
    project.execute(*RAW, "create table raw.u as select 1 as id")
    config = "{{ config(materialized='table', meta={'afresh': {'require_fresh_data_from': 'all'}}) }} "
    project.write({"models/a.sql": config + "select t.id from {{ source('raw', 't') }} t, {{ source('raw', 'u') }} u"})
    project.afresh("build")

    project.execute("insert into raw.t values (2)")
    assert project.afresh("build").reasons("a") == ("waiting_for_inputs", "new_data")
    project.execute("insert into raw.u values (2)")
    assert project.afresh("build").executed == {"a"}
    assert project.afresh("build").reused == {"a"}


def test_a_rule_of_the_project_is_cancelled_for_one_model(shop):
    rule = (
        {"+freshness": {"build_after": {"count": 1, "period": "day"}}} if DBT >= (1, 10) else {"+meta": {"afresh": {"lag_tolerance": "1d"}}}
    )
    cancelled = ", freshness=none" if DBT >= (1, 10) else ", meta={'afresh': {'lag_tolerance': '0s'}}"
    project = shop({"models/sources.yml": SOURCE}, settings={"models": {"shop": rule}})
    _reader(project, name="lags")
    project.write({"models/current.sql": "{{ config(materialized='table'" + cancelled + ") }} select id from {{ source('raw', 't') }}"})
    project.afresh("build")
    project.execute("insert into raw.t values (2)")

    outcome = project.afresh("build")
    assert (outcome.executed, outcome.reused) == ({"current"}, {"lags"})


def test_defaults_of_afresh_yml_hold_for_nodes_that_say_nothing(shop):
    project = shop({"models/sources.yml": SOURCE, "afresh.yml": "defaults: {lag_tolerance: 1h}\n"})
    _reader(project)
    project.afresh("build")
    project.execute("insert into raw.t values (2)")

    assert project.afresh("build").reasons("a") == ("too_soon", "new_data")
    assert project.afresh("build", "--force").executed == {"a"}


def test_max_age_and_a_custom_materialization_that_somebody_vouches_for(shop):
    project = shop(
        {
            "macros/plain_table.sql": """
                {% materialization plain_table, default %}
                    {% call statement('main') %}create or replace table {{ this }} as ({{ sql }}){% endcall %}
                    {{ adapter.commit() }}{{ return({'relations': [this]}) }}
                {% endmaterialization %}
                """,
            "models/a.sql": "{{ config(materialized='plain_table', meta={'afresh': {'enabled': true}}) }} select 1 as id",
            "models/b.sql": "{{ config(materialized='table', meta={'afresh': {'max_age': '100d'}}) }} select 1 as id",
        }
    )
    project.afresh("build")

    assert project.afresh("build").reused == {"a", "b"}


def test_one_warning_says_that_nobody_can_tell_whether_a_source_has_new_data_and_its_readers_are_built(shop):
    project = shop({"models/sources.yml": SOURCE})
    project.execute("create schema raw", "create view raw.t as select name as id from duckdb_settings()")
    project.write(
        {
            "models/a.sql": TABLE + "select id from {{ source('raw', 't') }}",
            "models/b.sql": TABLE + "select id from {{ source('raw', 't') }}",
        }
    )
    project.afresh("build")

    outcome = project.afresh("build")
    assert outcome.executed == {"a", "b"}
    assert outcome.stdout.count("has new data cannot be told") == 1
    assert project.afresh("build", "--warn-error").exit_code == 0


def test_a_new_description_is_put_on_the_table_and_builds_nothing_below_it(shop):
    yaml = "models: [{name: a, description: %s, config: {persist_docs: {relation: true}}}]"
    project = shop(
        {"models/a.sql": TABLE + "select 1 as id", "models/b.sql": TABLE + "select id from {{ ref('a') }}", "models/a.yml": yaml % "old"}
    )
    project.afresh("build")
    project.write({"models/a.yml": yaml % "new"})

    outcome = project.afresh("build")

    assert outcome.reasons("a") == ("metadata_changed",)
    assert outcome.reused == {"b"}
    assert project.query("select comment from duckdb_tables() where table_name = 'a'") == [("new",)]
    assert project.afresh("build").reused == {"a", "b"}


def test_tags_meta_and_owners_are_no_change_and_a_hook_is_one(shop):
    yaml = 'models: [{name: a, config: {tags: [%s], meta: {owner: %s}, post_hook: "%s"}}]'
    project = shop({"models/a.sql": TABLE + "select 1 as id", "models/a.yml": yaml % ("old", "ann", "select 1")})
    project.afresh("build")
    project.write({"models/a.yml": yaml % ("new", "bob", "select 1")})

    assert project.afresh("build").reused == {"a"}
    project.write({"models/a.yml": yaml % ("new", "bob", "select 2")})
    assert project.afresh("build").reasons("a") == ("code_changed",)


def test_of_what_reads_nobody_knows_what_the_warning_tells_what_is_then_built_every_time(shop):
    def reads(table):
        return f"select id from (select count_rows('{table}') as id)"

    project = shop(
        {
            "models/a.sql": TABLE + reads("main.t"),
            "models/v.sql": "{{ config(materialized='view') }} " + reads("main.t"),
            "models/below.sql": TABLE + "select id from {{ ref('v') }}",
            "tests/none.sql": "select id from {{ ref('below') }} where count_rows('main.t') is null",
        }
    )
    project.execute("create table t as select 1 as id", "create macro count_rows(name) as (select count(*) from main.t)")
    first = project.afresh("build")
    for told in ("a is built every time: ", "what reads the view v is built every time: ", "the test none runs every time: "):
        assert first.stdout.count(told + "it calls the function `count_rows`") == 1, told

    again = project.afresh("build")

    assert (again.executed, again.reused) == ({"a", "below", "none"}, {"v"})
