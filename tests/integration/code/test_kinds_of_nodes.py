"""Seeds, snapshots, tests, unit tests, Python models, custom materializations; what SQL reads beyond the graph; what was sent."""

from __future__ import annotations

import pytest


def test_a_large_seed_is_compared_to_its_last_byte_and_a_touched_one_is_no_change(lab):
    row = "1," + "x" * 200 + "\n"
    text = "id,t\n" + row * (20 * 2**20 // len(row))
    lab.write("dbt_project.yml", (lab.root / "dbt_project.yml").read_text() + "seeds: {+enabled: true}\n")
    lab.write("seeds/big.csv", "id,t\n1,x\n")
    lab.build()
    (lab.root / "seeds/big.csv").write_text(text)
    recorded = lab.with_task(lambda task: lab.service(task).facts(task.manifest.nodes["seed.shop.big"]).parts["file"])
    (lab.root / "seeds/big.csv").touch()
    assert lab.with_task(lambda task: lab.service(task).facts(task.manifest.nodes["seed.shop.big"]).parts["file"]) == recorded
    (lab.root / "seeds/big.csv").write_text(text[:-2] + "y\n")
    assert lab.with_task(lambda task: lab.service(task).facts(task.manifest.nodes["seed.shop.big"]).parts["file"]) != recorded
    assert lab.changes("big") == ["file"]


def test_a_seed_is_changed_by_its_file_and_by_how_it_is_read(lab):
    lab.write("seeds/s.csv", "id,t\n1,x\n")
    lab.build()
    assert lab.changes("s") == []
    lab.write("seeds/s.csv", "id,t\n1,y\n")
    assert lab.changes("s") == ["file"]
    lab.write("seeds/s.csv", "id,t\n1,x\n")
    lab.write("seeds/s.yml", "seeds: [{name: s, config: {column_types: {id: bigint}}}]")
    assert lab.changes("s") == ["config.column_types"]


def test_a_generic_test_is_changed_by_its_arguments_and_its_where(lab):
    yaml = "models: [{{name: a, columns: [{{name: id, tests: [{{accepted_values: {{values: {values}, quote: false, config: {{where: {where}}}}}}}]}}]}}]"
    lab.model("a", "select 1 as id")
    lab.write("models/a.yml", yaml.format(values="[1, 2]", where="id > 0"))
    lab.build()
    (name,) = (one for one in lab.compare() if one.startswith("accepted"))
    assert lab.changes(name) == []
    lab.write("models/a.yml", yaml.format(values="[1, 2]", where="id > 1"))
    assert "config.where" in lab.changes(name)


def test_an_edited_singular_test_is_a_change_and_a_comment_in_it_is_none(lab):
    lab.model("a", "select 1 as id")
    lab.write("tests/no_zero.sql", "select * from {{ ref('a') }} where id = 0")
    lab.build()
    lab.write("tests/no_zero.sql", "-- none\nselect * from {{ ref('a') }} where id = 0")
    assert lab.changes("no_zero") == []
    lab.write("tests/no_zero.sql", "select * from {{ ref('a') }} where id <= 0")
    assert lab.changes("no_zero") == ["sql"]


def test_a_volatile_test_is_reported_in_any_position(lab):
    lab.model("a", "select 1 as id, current_date as d")
    lab.write("tests/recent.sql", "select id, current_date as today from {{ ref('a') }} where false")
    lab.write("tests/jinja.sql", "-- {{ run_started_at }}\nselect id from {{ ref('a') }} where false")
    lab.write("tests/quiet.sql", "select id from {{ ref('a') }} where false")
    lab.build()
    assert [call.name for call in lab.record("recent").volatile] == ["current_date"]
    assert [call.name for call in lab.record("jinja").volatile] == ["run_started_at"]
    assert lab.record("quiet").volatile == ()


_UNIT = """
unit_tests:
  - name: adds
    model: a
    given: [{{input: ref('raw'), rows: [{{id: {given}}}]}}]
    expect: {{rows: [{{n: {expect}}}]}}
"""


def test_a_unit_test_is_changed_by_its_fixtures_and_by_the_tested_model(lab):
    lab.macro("m", "{% macro plus(x) %}{{ x }} + 1{% endmacro %}")
    lab.model("raw", "{{ config(materialized='table') }} select 1 as id")
    lab.model("a", "select {{ plus('id') }} as n from {{ ref('raw') }}")
    lab.write("models/u.yml", _UNIT.format(given=1, expect=2))
    lab.build()
    assert _unit(lab) == []
    lab.model("a", "-- adds\nselect {{ plus('id') }} as n from {{ ref('raw') }}")
    assert _unit(lab) == []
    lab.write("models/u.yml", _UNIT.format(given=2, expect=3))
    assert _unit(lab) == ["given", "expect"] or set(_unit(lab)) == {"given", "expect"}
    lab.write("models/u.yml", _UNIT.format(given=1, expect=2))
    lab.model("a", "select {{ plus('id') }} - 0 as n from {{ ref('raw') }}")
    assert _unit(lab) == ["tested.text"]
    lab.model("a", "select {{ plus('id') }} as n from {{ ref('raw') }}")
    lab.macro("m", "{% macro plus(x) %}1 + {{ x }}{% endmacro %}")
    assert _unit(lab) == ["macro.plus"]


def _unit(lab):
    found = {}

    def compare(task):
        service = lab.service(task)
        (node,) = task.manifest.unit_tests.values()
        record = lab.records[node.unique_id]
        found["one"] = service.compare(node, lab.trace(node, record), record.depfile, record.compiled)

    lab.with_task(compare)
    assert found["one"].not_reusable is None
    return [change.name for change in found["one"].changes]


def test_a_snapshot_is_changed_by_its_sql_and_its_strategy(lab):
    snapshot = "{{% snapshot s %}}{{{{ config(target_schema='main', unique_key='id', strategy='check', check_cols={cols}) }}}} select 1 as id, 2 as n, 3 as m{{% endsnapshot %}}"
    lab.write("snapshots/s.sql", snapshot.format(cols="['n']"))
    lab.build()
    assert lab.changes("s") == []
    lab.build()
    assert lab.changes("s") == []
    lab.write("snapshots/s.sql", snapshot.format(cols="['m']"))
    assert "config.check_cols" in lab.changes("s")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # dbt-duckdb leaves an event loop open
def test_a_comment_in_a_python_model_is_no_change(lab):
    source = "def model(dbt, session):\n    frame = dbt.ref('raw')\n    return frame{tail}\n"
    lab.model("raw", "select 1 as id")
    lab.write("models/py.py", source.format(tail=""))
    lab.build()
    assert lab.changes("py") == []
    lab.write("models/py.py", "# what it is\n" + source.format(tail="  # all"))
    assert lab.changes("py") == []
    lab.write("models/py.py", source.format(tail=".limit(0)"))
    assert "python" in lab.changes("py")


def test_a_python_model_that_reads_a_file_has_an_unknown_input(lab):
    lab.write("models/py.py", "import pandas\ndef model(dbt, session):\n    return pandas.read_csv('x.csv')\n")
    reads = lab.with_task(lambda task: lab.service(task).reads_before_execution(task.manifest.nodes["model.shop.py"]))
    assert len(reads.opaque) == 1


def test_a_custom_materialization_is_not_reusable_unless_somebody_vouches_for_it(lab):
    lab.macro(
        "mine",
        "{% materialization mine, default %}{% call statement('main') %}create or replace table {{ this }} as {{ sql }}{% endcall %}"
        "{{ return({'relations': [this.incorporate(type='table')]}) }}{% endmaterialization %}",
    )
    lab.model("a", "{{ config(materialized='mine') }} select 1 as id")
    lab.model("b", "{{ config(materialized='mine', meta={'afresh': {'enabled': true}}) }} select 1 as id")
    lab.build()
    assert lab.changes("a") == ["! custom materialization mine"]
    assert lab.changes("b") == []
    assert lab.record("a").not_reusable == "custom materialization mine"
    (lab.root / "macros/mine.sql").write_text((lab.root / "macros/mine.sql").read_text().replace("as {{ sql }}", "as ({{ sql }})"))
    assert lab.changes("b") == ["macro.materialization_mine_default"]


def test_an_overridden_built_in_materialization_is_reusable_and_its_edit_a_change(lab):
    text = (
        "{% materialization view, adapter='duckdb' %}{% call statement('main') %}create or replace view {{ this }} as {{ sql }}{% endcall %}"
        "{{ return({'relations': [this.incorporate(type='view')]}) }}{% endmaterialization %}"
    )
    lab.macro("view", text)
    lab.model("a", "select 1 as id")
    lab.build()
    assert lab.changes("a") == []
    lab.macro("view", text.replace("as {{ sql }}", "as ({{ sql }})"))
    assert lab.changes("a") == ["macro.materialization_view_duckdb"]


def test_a_hard_coded_relation_and_a_file_are_inputs_beyond_the_graph(lab):
    lab.write("data/x.csv", "id\n1\n")
    lab.query("create schema raw; create table raw.orders as select 1 as id")
    lab.model("seen", "select 1 as id")
    lab.model(
        "a",
        "with own as (select * from {{ ref('seen') }}) select own.id from own join raw.orders using (id) join read_csv('data/x.csv') using (id)",
    )
    lab.build()
    reads = lab.record("a").reads
    assert [(one.schema, one.identifier) for one in reads.relations] == [("raw", "orders")]
    assert reads.files == ("data/x.csv",)
    assert reads.opaque == ()
    assert lab.record("seen").reads.relations == ()


def test_sent_sql_tells_whether_a_failed_build_may_have_written(lab):
    lab.model("broken_sql", "{{ config(materialized='table') }} select no_such_column from (select 1 as id)")
    lab.model("broken_jinja", "{% if execute %}{{ exceptions.raise_compiler_error('no') }}{% endif %} select 1 as id")
    lab.build(check=False)
    assert lab.sent == {"broken_sql": True, "broken_jinja": False}
