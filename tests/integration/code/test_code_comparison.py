"""Which edits are changes of a node's code, and what they are called (semantics §1, "Code version")."""

from __future__ import annotations


def test_nothing_edited_renders_nothing_and_changes_nothing(lab):
    lab.macro("cents", "{% macro cents(x) %}({{ x }} / 100){% endmacro %}")
    lab.model("a", "select 1 as id, {{ cents('250') }} as eur")
    lab.model("b", "{{ config(materialized='table') }} select * from {{ ref('a') }}")
    lab.build()
    for name, one in lab.compare().items():
        assert (name, one.changes, one.not_reusable, one.rendered) == (name, (), None, False)


def test_comments_and_white_space_are_no_change_and_the_next_run_renders_nothing(lab):
    lab.model("a", "select 1 as id, 'x  y' as t")
    lab.build()
    lab.model("a", "-- what it is\nSELECT 1 as id,\n     'x  y' as t /* done */;\n")
    first = lab.compare()["a"]
    assert (first.changes, first.not_reusable, first.rendered) == ((), None, True)
    assert first.depfile is not None
    lab.records["model.shop.a"] = _with(lab.records["model.shop.a"], first.depfile)
    assert not lab.compare()["a"].rendered


def test_white_space_inside_a_literal_is_a_change(lab):
    lab.model("a", "select 'x  y' as t")
    lab.build()
    lab.model("a", "select 'x y' as t")
    assert lab.changes("a", "--no-partial-parse") == ["sql"]


def test_a_macro_at_depth_two_is_named(lab):
    lab.macro("m", "{% macro outer(x) %}{{ inner(x) }}{% endmacro %} {% macro inner(x) %}({{ x }} / 100){% endmacro %}")
    lab.model("a", "select {{ outer('250') }} as eur")
    lab.model("other", "select 1 as id")
    lab.build()
    lab.macro("m", "{% macro outer(x) %}{{ inner(x) }}{% endmacro %} {% macro inner(x) %}({{ x }} / 1000){% endmacro %}")
    found = lab.compare()
    assert [change.name for change in found["a"].changes] == ["macro.inner"]
    assert found["other"].changes == ()
    assert not found["other"].rendered


def test_a_comment_in_a_macro_is_no_change(lab):
    lab.macro("m", "{% macro eur(x) %}({{ x }} / 100){% endmacro %}")
    lab.model("a", "select {{ eur('250') }} as eur")
    lab.build()
    lab.macro("m", "{# cents to euros #}{% macro eur(x) %}{# now #}({{ x }} / 100 -- as a fraction\n){% endmacro %}")
    assert lab.changes("a") == []


def test_a_macro_reached_only_in_execution_is_a_change_that_needs_no_rendering(lab):
    lab.macro("m", "{% macro get_create_view_as_sql(relation, sql) %}create view {{ relation }} as ({{ sql }}){% endmacro %}")
    lab.macro("n", "{% macro duckdb__create_table_as(temporary, relation, sql, language='sql') %}{% set _ = kwargs %}{{ real(relation, sql) }}{% endmacro %}"
              "{% macro real(relation, sql) %}create table {{ relation }} as ({{ sql }}){% endmacro %}")  # fmt: skip
    lab.model("t", "{{ config(materialized='table') }} select 1 as id")
    lab.model("v", "select 1 as id")
    lab.build()
    lab.macro("n", "{% macro duckdb__create_table_as(temporary, relation, sql, language='sql') %}{% set _ = kwargs %}{{ real(relation, sql) }}{% endmacro %}"
              "{% macro real(relation, sql) %}create or replace table {{ relation }} as ({{ sql }}){% endmacro %}")  # fmt: skip
    found = lab.compare()
    assert [change.name for change in found["t"].changes] == ["macro.real"]
    assert not found["t"].rendered
    assert found["v"].changes == ()


def test_a_project_macro_that_newly_wins_a_dispatch_is_a_change(lab):
    lab.model("t", "{{ config(materialized='table') }} select {{ dbt.concat([\"'a'\", \"'b'\"]) }} as ab")
    lab.build()
    lab.macro(
        "n",
        "{% macro duckdb__create_table_as(temporary, relation, sql, language='sql') %}{% set _ = kwargs %}create table {{ relation }} as ({{ sql }}){% endmacro %}",
    )
    assert lab.changes("t") == ["macro.create_table_as"]


def test_a_macro_that_newly_answers_to_a_name_while_rendering_is_a_change(lab):
    lab.model("a", "select cast(1 as {{ type_string() }}) as x")
    lab.build()
    lab.macro("m", "{% macro type_string() %}varchar(5){% endmacro %}")
    assert lab.changes("a") == ["macro.type_string"]


def test_a_var_that_is_read_is_a_change_and_one_that_is_not_read_is_none(lab):
    lab.model("a", "select '{{ var('start', 'x') }}' as s")
    lab.model("b", "select 1 as id")
    lab.build()
    found = lab.compare("--vars", "{start: y, other: 1}")
    assert [change.name for change in found["a"].changes] == ["var.start"]
    assert (found["b"].changes, found["b"].rendered) == ((), False)
    assert lab.changes("a", "--vars", "{start: x}") == []


def test_a_var_set_in_the_project_is_seen(lab):
    lab.project("vars: {shop: {start: 1}}")
    lab.model("a", "select {{ var('start') }} as s")
    lab.build()
    lab.project("vars: {shop: {start: 2}}")
    assert lab.changes("a") == ["var.start"]


def test_an_environment_variable_counts_where_it_is_read_and_its_value_is_kept_nowhere(lab, monkeypatch):
    monkeypatch.setenv("SHOP_REGION", "very-secret-region")
    lab.model("a", "select length('{{ env_var('SHOP_REGION') }}') as n")
    lab.model("b", "select 1 as id")
    lab.build()
    assert b"very-secret-region" not in lab.record("a").depfile
    monkeypatch.setenv("SHOP_REGION", "us")
    found = lab.compare()
    assert [change.name for change in found["a"].changes] == ["env.SHOP_REGION"]
    assert all("us" not in (change.recorded, change.observed) for change in found["a"].changes)
    assert found["b"].changes == ()


def test_an_environment_variable_that_names_the_run_does_not_count(lab, monkeypatch):
    monkeypatch.setenv("GITHUB_RUN_ID", "17")
    lab.model("a", "select '{{ env_var('GITHUB_RUN_ID', 'none') }}' as run_id, 1 as id")
    lab.build()
    assert lab.query("select run_id from a") == [("17",)]
    monkeypatch.setenv("GITHUB_RUN_ID", "18")
    assert lab.changes("a") == []


def test_meta_does_not_count_unless_code_reads_it(lab):
    yaml = "models: [{{name: {name}, columns: [{{name: id, meta: {{mask: {mask}}}, config: {{meta: {{mask: {mask}}}}}}}], config: {{meta: {{owner: {owner}}}}}}}]"
    lab.macro(
        "m",
        "{% macro masked(name) %}{% if model.columns.get(name, {}).get('meta', {}).get('mask') %}'***'{% else %}{{ name }}{% endif %}{% endmacro %}",
    )
    lab.model("a", "select {{ masked('id') }} as id from (select 1 as id)")
    lab.model("b", "select 1 as id")
    lab.write("models/a.yml", yaml.format(name="a", mask="false", owner="x"))
    lab.write("models/b.yml", yaml.format(name="b", mask="false", owner="x"))
    lab.build()
    lab.write("models/a.yml", yaml.format(name="a", mask="false", owner="y"))
    lab.write("models/b.yml", yaml.format(name="b", mask="true", owner="y"))
    found = lab.compare()
    assert (found["a"].changes, found["b"].changes, found["b"].rendered) == ((), (), False)
    lab.write("models/a.yml", yaml.format(name="a", mask="true", owner="y"))
    assert lab.changes("a") == ["model.columns"]


def test_a_config_that_code_reads_is_named(lab):
    lab.model("a", "{{ config(meta={'rows': 3}) }} select {{ config.get('meta')['rows'] }} as n")
    lab.build()
    lab.model("a", "{{ config(meta={'rows': 4}) }} select {{ config.get('meta')['rows'] }} as n")
    assert lab.changes("a") == ["sql", "config.meta"]


def test_a_branch_on_the_target_is_a_change_in_the_other_target_only(lab):
    lab.model("a", "select 1 as id {% if target.name == 'prod' %}, 2 as more{% endif %}")
    lab.model("b", "select '{{ target.schema }}' as s")
    lab.build()
    found = lab.compare("--target", "prod")
    assert [change.name for change in found["a"].changes] == ["target.name"]
    assert found["b"].changes == ()
    assert not lab.compare()["a"].rendered


def test_an_edited_ephemeral_parent_is_a_change_of_its_child(lab):
    lab.model("base", "{{ config(materialized='ephemeral') }} select 1 as id")
    lab.model("middle", "{{ config(materialized='ephemeral') }} select * from {{ ref('base') }}")
    lab.model("child", "select * from {{ ref('middle') }}")
    lab.build()
    assert not lab.compare()["child"].rendered
    lab.model("base", "{{ config(materialized='ephemeral') }} select 1 as id -- same")
    assert lab.changes("child") == []
    lab.model("base", "{{ config(materialized='ephemeral') }} select 2 as id")
    assert lab.changes("child") == ["sql"]


def test_what_an_ephemeral_parent_reads_is_a_dependency_of_its_child(lab):
    lab.model("base", "{{ config(materialized='ephemeral') }} select {{ var('n', 1) }} as id")
    lab.model("child", "select * from {{ ref('base') }}")
    lab.build()
    assert lab.changes("child", "--vars", "{n: 2}") == ["var.n"]


def test_the_name_of_the_relation_is_code(lab):
    lab.model("a", "select 1 as id")
    lab.model("b", "select * from {{ ref('a') }}")
    lab.build()
    lab.model("a", "{{ config(alias='a2') }} select 1 as id")
    assert lab.changes("b") == ["ref.model.shop.a", "sql"] or lab.changes("b") == ["ref.model.shop.a"]
    assert "relation" in lab.changes("a")


def test_a_config_is_named_and_a_tag_is_none(lab):
    lab.model("a", "{{ config(materialized='table') }} select 1 as id")
    lab.build()
    lab.model("a", "{{ config(materialized='view', tags=['x']) }} select 1 as id")
    assert lab.changes("a") == ["config.materialized"]
    lab.model("a", "{{ config(materialized='table', tags=['x']) }} select 1 as id")
    assert lab.changes("a") == []


def test_a_hook_is_code_and_so_is_what_it_reads(lab):
    lab.macro("m", "{% macro note() %}select '{{ var('why', 'x') }}' as why{% endmacro %}")
    lab.model("a", "{{ config(post_hook='{{ note() }}') }} select 1 as id")
    lab.build()
    assert lab.changes("a") == []
    assert lab.changes("a", "--vars", "{why: y}") == ["var.why"]
    lab.macro("m", "{% macro note() %}select '{{ var('why', 'x') }}' as reason{% endmacro %}")
    assert lab.changes("a") == ["macro.note"]


def _with(record, depfile):
    from dataclasses import replace

    return replace(record, depfile=depfile)
