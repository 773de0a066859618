"""Rendering for comparison: it reads and nothing else, both ways of an incremental model, volatile values, introspection."""

from __future__ import annotations

import pytest

_INCREMENTAL = """
{{ config(materialized='incremental') }}
select id, ts from {{ ref('events') }}
{% if is_incremental() %}
where ts > (select max(ts) from {{ this }})
{% endif %}
"""


def test_the_second_run_of_an_incremental_model_is_no_change(lab):
    lab.model("events", "select 1 as id, 2 as ts")
    lab.model("inc", _INCREMENTAL)
    lab.build()
    assert lab.changes("inc") == []
    lab.build()
    assert lab.changes("inc") == []
    lab.model("inc", _INCREMENTAL.replace("where ts >", "where ts >="))
    assert lab.changes("inc") == ["sql"]
    lab.model("inc", _INCREMENTAL.replace("select id, ts", "select ts, id"))
    assert lab.changes("inc") == ["sql"]


def test_a_macro_that_only_later_runs_reach_is_a_dependency_from_the_first_run_on(lab):
    lab.macro("m", "{% macro since() %}select max(ts) from {{ this }}{% endmacro %}")
    lab.model("events", "select 1 as id, 2 as ts")
    lab.model("inc", _INCREMENTAL.replace("(select max(ts) from {{ this }})", "({{ since() }})"))
    lab.build()
    lab.macro("m", "{% macro since() %}select max(ts) - 3 from {{ this }}{% endmacro %}")
    assert lab.changes("inc") == ["macro.since"]


def test_an_override_of_is_incremental_is_rendered_both_ways_too(lab):
    lab.macro("m", "{% macro is_incremental() %}{{ return(dbt.is_incremental() and var('full', false) == false) }}{% endmacro %}")
    lab.model("events", "select 1 as id, 2 as ts")
    lab.model("inc", _INCREMENTAL)
    lab.build()
    assert lab.changes("inc") == []
    lab.build()
    assert lab.changes("inc") == []


def test_a_model_that_asks_its_own_table_for_a_maximum_is_not_changed_by_its_own_rows(lab):
    lab.model("events", "select * from (values (1, 2), (2, 5)) as t(id, ts)")
    lab.model(
        "inc",
        """
        {{ config(materialized='incremental') }}
        {% if is_incremental() %}
          {% set last = run_query('select max(ts) as ts from ' ~ this).columns[0].values()[0] %}
          select * from {{ ref('events') }} where ts > {{ last }}
        {% else %}
          select * from {{ ref('events') }}
        {% endif %}
        """,
    )
    lab.build()
    assert lab.changes("inc") == []
    lab.query("insert into inc values (9, 99)")
    assert lab.changes("inc") == []
    lab.build()
    assert lab.changes("inc") == []


def test_a_model_that_looks_whether_it_exists_is_not_changed_by_its_first_build(lab):
    lab.model(
        "a",
        "{{ config(materialized='table') }} {% set old = adapter.get_relation(this.database, this.schema, this.identifier) if execute else none %}"
        "select {% if old is none %}1{% else %}2{% endif %} as n",
    )
    lab.build()
    assert lab.changes("a") == []


def test_a_model_that_deletes_from_its_own_table_while_rendering_is_not_reusable_and_never_rendered_by_us(lab):
    lab.model(
        "a",
        """
        {{ config(materialized='incremental') }}
        {% if is_incremental() %}{% do run_query('delete from ' ~ this ~ ' where id > 1') %}{% endif %}
        select * from (values (1), (2), (3)) as t(id)
        """,
    )
    lab.build()
    assert lab.query("select count(*) from a") == [(3,)]
    assert lab.record("a").not_reusable.startswith("rendering it has side effects: its Jinja sends SQL that may write")
    assert lab.changes("a") == [f"! {lab.record('a').not_reusable}"]
    assert lab.query("select count(*) from a") == [(3,)]


@pytest.mark.parametrize(
    "call",
    [
        "adapter.create_schema(api.Relation.create(database=this.database, schema='made'))",
        "adapter.drop_relation(this)",
        "run_query('create table made as select 1 as id')",
        "drop_relation_if_exists(api.Relation.create(database=this.database, schema=this.schema, identifier='other', type='table'))",
    ],
)
def test_rendering_for_comparison_never_writes(lab, call):
    lab.model("other", "{{ config(materialized='table') }} select 1 as id")
    lab.model("a", "select 1 as id")
    lab.build()
    lab.model("a", f"{{% if execute %}}{{% do {call} %}}{{% endif %}} select 1 as id")
    assert "has side effects" in lab.changes("a")[-1]
    tables = {name for (name,) in lab.query("select table_name from information_schema.tables")}
    schemas = {name for (name,) in lab.query("select schema_name from information_schema.schemata")}
    assert tables == {"a", "other"}
    assert "made" not in schemas


def test_introspection_is_asked_again_and_a_new_answer_is_a_change(lab):
    lab.model("raw", "{{ config(materialized='table') }} select * from (values ('a'), ('b')) as t(kind)")
    lab.model(
        "pivot",
        """
        -- depends_on: {{ ref('raw') }}
        {% set kinds = run_query('select distinct kind from ' ~ ref('raw') ~ ' order by 1').columns[0].values() if execute else [] %}
        select {% for kind in kinds %} sum(case when kind = '{{ kind }}' then 1 end) as {{ kind }}{{ ', ' if not loop.last }}{% endfor %}
        from {{ ref('raw') }}
        """,
    )
    lab.build()
    one = lab.compare()["pivot"]
    assert (one.changes, one.rendered) == ((), True)
    lab.query("insert into raw values ('c')")
    assert lab.changes("pivot") == ["query_results"]


def test_the_order_of_an_unordered_answer_is_no_change(lab):
    lab.model("raw", "{{ config(materialized='table') }} select * from (values ('a', 1), ('b', 2)) as t(kind, n)")
    lab.model(
        "cols",
        "{% set kinds = run_query('select kind from ' ~ ref('raw')).columns[0].values() if execute else [] %} select '{{ kinds | join('') }}' as k from {{ ref('raw') }}",
    )
    lab.build()
    lab.query("create or replace table raw as select * from (values ('b', 2), ('a', 1)) as t(kind, n)")
    assert lab.changes("cols") == []


def test_columns_of_a_parent_read_while_rendering_are_asked_again(lab):
    lab.model("raw", "{{ config(materialized='table') }} select 1 as id, 2 as n")
    lab.model(
        "star",
        "select {% for column in adapter.get_columns_in_relation(ref('raw')) %}{{ column.name }}{{ ', ' if not loop.last }}{% endfor %} from {{ ref('raw') }}",
    )
    lab.build()
    assert lab.changes("star") == []
    lab.query("alter table raw add column more int")
    assert lab.changes("star") == ["query_results"]


# --- volatile values --------------------------------------------------------------------------------------------------


def _volatile(lab, name):
    return {call.name: call.counts for call in lab.record(name).volatile}


def test_run_started_at_in_every_model_is_no_change_in_the_next_run(lab):
    lab.model("a", "select 1 as id, '{{ run_started_at }}' as built_at, '{{ invocation_id }}' as built_by")
    lab.model("b", "-- built {{ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') }}\nselect id from {{ ref('a') }}")
    lab.build()
    assert {name: one.changes for name, one in lab.compare().items()} == {"a": (), "b": ()}
    assert _volatile(lab, "a") == {"run_started_at": False, "invocation_id": False}
    assert _volatile(lab, "b") == {"run_started_at": False}


@pytest.mark.parametrize(
    "sql",
    [
        "select id from {{ ref('e') }} where ts < '{{ run_started_at }}'",
        "select id from {{ ref('e') }} where ts < '{{ (run_started_at - modules.datetime.timedelta(days=3)).strftime('%Y-%m-%d') }}'",
        "select id from {{ ref('e') }} where ts < '{{ modules.datetime.date.today() }}'",
        "select id from {{ ref('e') }} {% if modules.datetime.datetime.now().hour > 25 %} where false {% endif %}",
        "select id from {{ ref('e') }} where 2000 < {{ run_started_at.strftime('%Y') | int }}",
        "select id from {{ ref('e') }} where '{{ invocation_id[:8] }}' <> ''",
        "select id from {{ ref('e') }} where ts < current_date",
    ],
)
def test_a_volatile_value_in_a_filter_counts(lab, sql):
    lab.model("e", "select 1 as id, date '2020-01-01' as ts")
    lab.model("a", sql)
    lab.build()
    assert True in _volatile(lab, "a").values()
    assert lab.changes("a") == []


def test_an_edited_format_or_offset_of_a_volatile_value_is_a_change(lab):
    lab.model(
        "a",
        "select '{{ run_started_at.strftime('%Y-%m') }}' as month, '{{ (run_started_at - modules.datetime.timedelta(days=3)).date() }}' as since",
    )
    lab.build()
    lab.model(
        "a",
        "select '{{ run_started_at.strftime('%Y') }}' as month, '{{ (run_started_at - modules.datetime.timedelta(days=3)).date() }}' as since",
    )
    assert lab.changes("a") == ["sql"]
    lab.model(
        "a",
        "select '{{ run_started_at.strftime('%Y-%m') }}' as month, '{{ (run_started_at - modules.datetime.timedelta(days=4)).date() }}' as since",
    )
    assert lab.changes("a") == ["sql"]


def test_volatile_sql_in_a_key_column_counts_and_in_another_column_does_not(lab):
    lab.model("a", "select 1 as id, current_timestamp as built_at")
    lab.model("b", "{{ config(materialized='incremental', unique_key='built_at') }} select 1 as id, current_timestamp as built_at")
    lab.build()
    assert set(_volatile(lab, "a").values()) == {False}
    assert set(_volatile(lab, "b").values()) == {True}


# --- dbt is left as it was --------------------------------------------------------------------------------------------


def test_rendering_for_comparison_leaves_nodes_caches_and_the_terminal_alone(lab, capsys):
    lab.model("e", "{{ config(materialized='ephemeral') }} {{ log('SPOKEN', info=True) }} select {{ var('n', 1) }} as id")
    lab.model(
        "a",
        "{{ log('SPOKEN', info=True) }}{{ print('SPOKEN') }}{% do exceptions.warn('SPOKEN') %} select * from {{ ref('e') }} where '{{ run_started_at }}' <> ''",
    )
    lab.build()

    def look(task):
        service = lab.service(task)
        nodes = [task.manifest.nodes["model.shop.a"], task.manifest.nodes["model.shop.e"]]
        task.manifest.nodes["model.shop.a"].raw_code += " -- edited"
        before = [node.to_dict() for node in nodes]
        files = {key: list(getattr(file, "env_vars", ())) for key, file in task.manifest.files.items()}
        capsys.readouterr()
        record = lab.records["model.shop.a"]
        one = service.compare(nodes[0], lab.trace(nodes[0], record), record.depfile, record.compiled)
        said = capsys.readouterr()
        assert [node.to_dict() for node in nodes] == before
        assert {key: list(getattr(file, "env_vars", ())) for key, file in task.manifest.files.items()} == files
        return one, said.out + said.err

    one, said = lab.with_task(look)
    assert (one.rendered, one.changes, one.not_reusable) == (True, (), None)
    assert "SPOKEN" not in said
