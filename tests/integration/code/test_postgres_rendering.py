"""The same on PostgreSQL, where the transaction itself refuses to write."""

from __future__ import annotations

import json

_INCREMENTAL = """
{{ config(materialized='incremental') }}
{% set columns = adapter.get_columns_in_relation(ref('raw')) %}
select {% for column in columns %}{{ column.name }}, {% endfor %} 1 as one from {{ ref('raw') }}
{% if is_incremental() %} where id > {{ run_query('select max(id) as id from ' ~ this).columns[0].values()[0] }}{% endif %}
"""


def _on(lab, database):
    lab.write("profiles.yml", json.dumps({"shop": {"target": "dev", "outputs": {"dev": {**database.profile(), "threads": 1}}}}))


def test_introspection_and_incremental_models_compare_equal(lab, postgres):
    _on(lab, postgres)
    lab.model("raw", "{{ config(materialized='table') }} select 1 as id, 'x'::text as t")
    lab.model("inc", _INCREMENTAL)
    lab.build()
    assert lab.changes("inc") == []
    postgres.execute("insert into analytics.inc (id) values (99)")
    assert lab.changes("inc") == []
    lab.build()
    assert lab.changes("inc") == []
    postgres.execute("alter table analytics.raw add column more int")
    assert lab.changes("inc") == ["query_results"]


def test_a_function_that_writes_cannot_write_while_code_is_compared(lab, postgres):
    _on(lab, postgres)
    postgres.execute(
        "create table noted (id int)",
        "create function note() returns int language plpgsql as $$ begin insert into public.noted values (1); return 1; end $$",
    )
    lab.model("a", "select 1 as id")
    lab.build()
    lab.model("a", "{% if execute %}{% do run_query('select public.note()') %}{% endif %} select 1 as id")
    assert lab.changes("a")[-1].startswith("! ")
    assert postgres.query("select count(*) from noted") == [(0,)]
    lab.build()
    assert postgres.query("select count(*) from noted") == [(1,)]
    assert lab.changes("a")[-1].startswith("! ")
    assert postgres.query("select count(*) from noted") == [(1,)]
