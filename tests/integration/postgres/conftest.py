"""A small shop on PostgreSQL, whose source tables somebody else keeps.

All tests take turns in one folder and one database, which are empty when a test begins: dbt then reads anew only what
differs from the test before.
"""

from __future__ import annotations

import shutil

import pytest

from support.project import create_project

SHOP = {
    "models/sources.yml": """
        version: 2
        sources:
          - name: raw
            schema: raw
            tables: [{name: orders}, {name: customers}]
    """,
    "models/stg_orders.sql": "{{ config(materialized='view') }} select * from {{ source('raw', 'orders') }}",
    "models/orders.sql": "{{ config(materialized='table') }} select id, amount from {{ ref('stg_orders') }}",
    "models/recent.sql": "{{ config(materialized='view') }} select id from {{ ref('orders') }} where id > 1",
    "models/totals.sql": "{{ config(materialized='table') }} select count(*) as n from {{ ref('recent') }}",
    "models/customers.sql": "{{ config(materialized='table') }} select * from {{ source('raw', 'customers') }}",
}
MODELS = {"stg_orders", "orders", "recent", "totals", "customers"}


def built(outcome):
    """The models, seeds and snapshots of a run that ended well."""
    assert outcome.exit_code == 0
    return outcome.executed_models - {node.name for node in outcome.nodes.values() if node.unique_id.startswith("operation.")}


@pytest.fixture(scope="session")
def floor(postgres_server, tmp_path_factory):
    """The folder and the database."""
    with postgres_server.database() as database:
        yield tmp_path_factory.mktemp("postgres") / "shop", database


@pytest.fixture
def shop(floor):
    """The shop, never built."""
    folder, database = floor
    database.execute(
        *(f"drop schema if exists {schema} cascade" for schema in ("raw", "analytics", "bi")),
        "create schema raw",
        "create table raw.orders as select 1 as id, 10 as amount union all select 2, 20",
        "create table raw.customers as select 1 as id, 'Ada' as name",
    )
    for entry in folder.iterdir() if folder.exists() else ():
        if entry.is_file():
            entry.unlink()
        elif entry.name != "target":
            shutil.rmtree(entry)
    return create_project(folder, database, SHOP, name="shop", threads=2, settings={})
