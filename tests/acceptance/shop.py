"""A small shop, the project of the hand-written histories, and words for what is said of a run."""

SETUP = (
    "create schema raw",
    "create table raw.orders as select * from (values (1, 'ann', 10), (2, 'bob', 20), (3, 'ann', 30)) as t (id, customer, amount)",
    "create table raw.rates as select * from (values ('eur', 1), ('usd', 2)) as t (currency, rate)",
)

SOURCES = """
    version: 2
    sources:
      - name: raw
        tables: [{name: orders}, {name: rates}]
"""

SHOP = {
    "models/sources.yml": SOURCES,
    "models/stg_orders.sql": "{{ config(materialized='view') }} select id, customer, amount from {{ source('raw', 'orders') }}",
    "models/orders.sql": "{{ config(materialized='table') }} select id, customer, amount * 1 as amount from {{ ref('stg_orders') }}",
    "models/customers.sql": "{{ config(materialized='table') }} select customer, sum(amount) as spent from {{ ref('orders') }} group by customer",
    "models/rates.sql": "{{ config(materialized='table') }} select * from {{ source('raw', 'rates') }}",
}

TESTED = {
    "models/schema.yml": """
        version: 2
        models:
          - name: stg_orders
            columns: [{name: id, data_tests: [not_null]}]
          - name: orders
            columns: [{name: id, data_tests: [unique]}]
          - name: customers
            columns: [{name: customer, data_tests: [unique]}]
    """,
}

_BUILT = ("model", "seed", "snapshot", "function")

NEW_ROW = "insert into raw.orders values (4, 'cleo', 40)"


def built(outcome):
    """Names of the models, seeds and snapshots that were built."""
    return {node.name for node in outcome.nodes.values() if node.decision == "build" and node.unique_id.split(".")[0] in _BUILT}


def nothing_ran(outcome):
    """Whether neither a model was built nor a test run."""
    return outcome.exit_code == 0 and outcome.executed == set() and outcome.reused != set()
