"""A project with one of everything that the installed dbt can parse, on DuckDB."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from support.project import Project, create_project
from support.warehouse import DuckDBFile

DBT = tuple(int(part) for part in metadata.version("dbt-core").split(".")[:2])
HAS_MICROBATCH = DBT >= (1, 9)
HAS_FUNCTIONS = DBT >= (1, 11)
REUSED = "reused" if DBT >= (1, 12) else "no-op" if DBT >= (1, 10) else "success"
"""dbt's status of a reused node (interfaces, "What a run prints")."""
REUSED_TEST = "pass" if DBT < (1, 10) else REUSED

SETTINGS = {
    "on-run-start": ["create table if not exists main.audit (what varchar)", "insert into main.audit values ('start')"],
    "on-run-end": ["insert into main.audit values ('end')"],
    "flags": {"send_anonymous_usage_stats": False},
    "vars": {"least": 0},
    "models": {"shop": {"+persist_docs": {"relation": True, "columns": True}}},
}

_ANY_DBT = {
    "seeds/countries.csv": "id,name\n1,Spain\n2,Chad\n",
    "seeds/large.csv": "id,text\n" + "".join(f"{n},{'x' * 5000}\n" for n in range(220)),  # over 1 MiB
    "snapshots/history.sql": """
        {% snapshot history %}
        {{ config(unique_key='id', strategy='check', check_cols=['amount'], target_schema='main') }}
        select * from {{ ref('orders') }}
        {% endsnapshot %}
        """,
    "macros/cents.sql": "{% macro cents(column) %}({{ column }} * 100){% endmacro %}",
    "macros/plain_table.sql": """
        {% materialization plain_table, default %}
            {%- set target = this.incorporate(type='table') -%}
            {% call statement('main') %}create or replace table {{ target }} as ({{ sql }}){% endcall %}
            {{ adapter.commit() }}
            {{ return({'relations': [target]}) }}
        {% endmaterialization %}
        """,
    "models/stg_orders.sql": "{{ config(event_time='ordered_at') }} select id, amount, ordered_at from {{ source('raw', 'orders') }}",
    "models/paid.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('stg_orders') }} where amount > {{ var('least') }}",
    "models/orders.sql": """
        {{ config(
            materialized='table', alias='fct_orders', contract={'enforced': true}, tags=['core'],
            pre_hook="insert into main.audit values ('before orders')", post_hook="insert into main.audit values ('after orders')"
        ) }}
        select id, cast(amount as integer) as amount, {{ cents('amount') }} as cents from {{ ref('paid') }}
        """,
    "models/appended.sql": """
        {{ config(materialized='incremental', incremental_strategy='append') }}
        select id from {{ ref('orders') }}
        {% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}
        """,
    "models/merged.sql": """
        {{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}
        select id, amount from {{ ref('orders') }}
        """,
    "models/replaced.sql": """
        {{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='id') }}
        select id, amount from {{ ref('orders') }}
        """,
    "models/custom.sql": "{{ config(materialized='plain_table') }} select count(*) as orders from {{ ref('orders') }}",
    "models/frame.py": """
        def model(dbt, session):
            dbt.config(materialized="table")
            return dbt.ref("orders").filter("amount > 1")
        """,
    "models/by_country.sql": "{{ config(materialized='table') }} select c.name, o.amount from {{ ref('countries') }} c join {{ ref('orders') }} o using (id)",
    "models/by_country.yml": """
        models:
          - name: by_country
            latest_version: 2
            versions: [{v: 1, defined_in: by_country}, {v: 2}]
        """,
    "models/by_country_v2.sql": "select name, sum(amount) as amount from {{ ref('by_country', v=1) }} group by name",
    "models/schema.yml": """
        sources:
          - name: raw
            schema: raw
            tables:
              - name: orders
                columns: [{name: id, data_tests: [not_null]}]
        models:
          - name: orders
            description: one row per order
            config: {meta: {owner: sales}}
            columns:
              - {name: id, data_type: integer, description: the order, data_tests: [unique, not_null]}
              - {name: amount, data_type: integer}
              - {name: cents, data_type: integer}
          - name: merged
            columns:
              - name: amount
                data_tests: [{not_seen: {config: {severity: warn}}}]
        seeds:
          - {name: countries, config: {column_types: {id: integer}}}
        exposures:
          - {name: board, type: dashboard, owner: {email: a@example.com}, depends_on: [ref('by_country')]}
        unit_tests:
          - name: cents_are_hundredths
            model: orders
            given: [{input: ref('paid'), format: sql, rows: 'select 1 as id, 2 as amount'}]
            expect: {rows: [{id: 1, amount: 2, cents: 200}]}
        """,
    "tests/generic/not_seen.sql": "{% test not_seen(model, column_name) %} select {{ column_name }} from {{ model }} {% endtest %}",
    "tests/no_negative_amounts.sql": "select * from {{ ref('orders') }} o left join {{ ref('countries') }} c using (id) where amount < 0",
}

_WITH_METRICS = {
    "models/days.sql": "{{ config(materialized='table') }} select cast(range as date) as date_day from range(date '2026-01-01', date '2026-01-05', interval 1 day)",
    "models/metrics.yml": """
        models:
          - name: days
            time_spine: {standard_granularity_column: date_day}
            columns: [{name: date_day, granularity: day}]
        semantic_models:
          - name: amounts
            model: ref('merged')
            defaults: {agg_time_dimension: ordered_on}
            entities: [{name: order, type: primary, expr: id}]
            dimensions: [{name: ordered_on, type: time, expr: "date '2026-01-02'", type_params: {time_granularity: day}}]
            measures: [{name: total, agg: sum, expr: amount}]
        metrics:
          - {name: turnover, label: Turnover, type: simple, type_params: {measure: total}}
        saved_queries:
          - name: turnovers
            query_params: {metrics: [turnover]}
        """,
}

_WITH_MICROBATCH = {
    "models/daily.sql": """
        {{ config(
            materialized='incremental', incremental_strategy='microbatch', event_time='ordered_at', batch_size='day',
            begin=modules.datetime.datetime.now(modules.pytz.utc).strftime('%Y-%m-%d')
        ) }}
        select id, ordered_at from {{ ref('stg_orders') }}
        """,
}

_WITH_FUNCTIONS = {
    "functions/plus_one.sql": "n + 1",
    "functions/plus_one.yml": """
        functions:
          - name: plus_one
            arguments: [{name: n, data_type: integer}]
            returns: {data_type: integer}
        """,
    "macros/functions.sql": """
        {% macro duckdb__scalar_function_sql(target_relation) %}
            create or replace macro {{ target_relation.render() }}({{ model.arguments | map(attribute='name') | join(', ') }}) as ({{ model.compiled_code }})
        {% endmacro %}
        """,
    "models/incremented.sql": "{{ config(materialized='table') }} select {{ function('plus_one') }}(id) as id from {{ ref('orders') }}",
}


def zoo_files() -> dict[str, str]:
    """The files of the project, as far as this dbt can parse them."""
    later = (_WITH_METRICS, HAS_MICROBATCH), (_WITH_MICROBATCH, HAS_MICROBATCH), (_WITH_FUNCTIONS, HAS_FUNCTIONS)
    return {**_ANY_DBT, **{path: text for files, known in later if known for path, text in files.items()}}


def create_zoo(folder: Path) -> Project:
    """The project with a source table of three rows, in a database of its own."""
    project = create_project(folder / "shop", DuckDBFile(folder / "shop.duckdb"), zoo_files(), name="shop", threads=4, settings=SETTINGS)
    project.execute(
        "create schema raw",
        "create table raw.orders as select range::integer as id, (range * 10)::integer as amount, current_timestamp::timestamp as ordered_at from range(1, 4)",
    )
    return project


@contextmanager
def event_loops_left_open() -> Iterator[None]:
    """dbt-duckdb opens an event loop for each thread that runs a Python model, and closes none: here that is no error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
