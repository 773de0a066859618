"""Several projects and targets with one state: what is remembered belongs to the relation (semantics §1, "Relation")."""

from __future__ import annotations

import pytest
import yaml

from integration.postgres.conftest import MODELS, built

MART = {
    "models/sources.yml": """
        version: 2
        sources:
          - name: shop
            schema: analytics
            tables: [{name: orders}, {name: stg_orders}]
    """,
    "models/best.sql": "{{ config(materialized='table', schema='mart') }} select max(amount) as amount from {{ source('shop', 'orders') }}",
    "models/raw_sum.sql": "{{ config(materialized='table', schema='mart') }} select sum(amount) as n from {{ source('shop', 'stg_orders') }}",
}


@pytest.fixture
def state(tmp_path):
    """The state that all projects of a test share."""
    return ("--state-url", f"sqlite:///{tmp_path / 'shared.db'}")


def test_what_another_project_builds_is_a_source_whose_version_is_known(shop, dbt_project, state):
    mart = dbt_project(MART, name="mart", warehouse=shop.warehouse, threads=2)
    shop.afresh("build", *state)
    assert built(mart.afresh("build", *state)) == {"best", "raw_sum"}

    # The table is replaced, and its statistics say nothing about that by themselves: the trace of the other project does.
    shop.execute("insert into raw.orders values (3, 30)")
    assert "orders" in built(shop.afresh("build", *state))
    outcome = mart.afresh("build", *state)
    assert (built(outcome), outcome.reasons("best")) == ({"best", "raw_sum"}, ("new_data",))
    assert mart.query("select amount, n from analytics_mart.best, analytics_mart.raw_sum") == [(30, 60)]

    assert built(shop.afresh("build", *state)) == set()
    assert built(mart.afresh("build", *state)) == set()


def test_targets_with_schemas_of_their_own_never_share_what_they_remember(shop, state):
    profiles = yaml.safe_load(shop.read("profiles.yml"))
    outputs = profiles["test"]["outputs"]
    outputs["prod"] = {**outputs["dev"], "schema": "analytics_prod"}
    shop.write({"profiles.yml": yaml.safe_dump(profiles)})
    prod = (*state, "--target", "prod")
    shop.execute("drop schema if exists analytics_prod cascade")

    assert built(shop.afresh("build", *state)) == MODELS
    first = run_in_prod(shop, prod)
    assert (built(first), first.reasons("orders")) == (MODELS, ("never_built",))

    shop.replace("models/totals.sql", "count(*)", "count(*) + 1")
    assert built(shop.afresh("build", *state)) == {"totals"}
    shop.replace("models/totals.sql", "count(*) + 1", "count(*)")
    assert built(run_in_prod(shop, prod)) == set()
    assert shop.query("select n from analytics.totals union all select n from analytics_prod.totals") == [(2,), (1,)]


def run_in_prod(shop, prod):
    return shop.afresh("build", *prod)


def test_two_nodes_that_write_one_relation_are_told_apart(shop, dbt_project, state):
    other = dbt_project(
        {"models/customers.sql": "{{ config(materialized='table') }} select 7 as id"}, name="other", warehouse=shop.warehouse
    )
    shop.afresh("build", *state)
    outcome = other.afresh("build", *state)
    assert outcome.reasons("customers")[0] == "built_by_other_node"
    outcome = shop.afresh("build", *state)
    assert (built(outcome), outcome.reasons("customers")[0]) == ({"customers"}, "built_by_other_node")
    assert shop.query("select name from analytics.customers") == [("Ada",)]
