"""What `afresh explain` tells of a decision, and under which names nodes are found."""

from __future__ import annotations

import pytest

from integration.bad_input.refusal import assert_refused

TABLE = "{{ config(materialized='table') }} "
PROFILES = """
    test:
      target: dev
      outputs:
        dev: {type: duckdb, path: shop.duckdb, schema: main, threads: 4}
        prod: {type: duckdb, path: shop.duckdb, schema: prod, threads: 4}
    """
FILES = {
    "profiles.yml": PROFILES,
    "models/orders.sql": TABLE + "select 1 as id",
    "models/orders_by_day.sql": TABLE + "select {{ var('day', 1) }} as id from {{ ref('orders') }}",
    "models/schema.yml": "models: [{name: orders, columns: [{name: id, data_tests: [unique, not_null]}]}]",
}


@pytest.fixture(scope="module")
def built(module_shop):
    """A project that was built in both targets, first in prod. The tests that share it leave it so."""
    project = module_shop(FILES)
    project.afresh("build", "--target", "prod")
    project.afresh("build")
    return project


def test_decisions_in_two_targets_are_told_apart(built):
    told = built.afresh("explain", "orders")
    assert [line.split(" for ")[1].split(" in run ")[0] for line in told.stdout.splitlines() if "decided" in line] == [
        "target dev",
        "target prod",
    ]

    both, last = built.afresh("explain", "orders", "--output", "json").json(), built.afresh("explain", "--output", "json").json()
    assert (both["target"], [node["explanation"]["target"] for node in both["nodes"]]) == (None, ["dev", "prod"])
    assert (last["target"], {node["explanation"]["target"] for node in last["nodes"]}) == ("dev", {"dev"})


@pytest.mark.parametrize("name", ["unique_orders_id", "uniq", "test.shop.unique_orders_id", "test.shop.uniq"])
def test_a_test_is_found_without_its_hash_and_by_the_beginning_of_its_name(built, name):
    (dev, _) = built.afresh("explain", name, "--output", "json").json()["nodes"]
    assert dev["unique_id"].startswith("test.shop.unique_orders_id.")


def test_the_name_of_a_node_stands_for_it_although_others_begin_so(built):
    assert "model.shop.orders\n" in built.afresh("explain", "orders").stdout


def test_a_beginning_that_several_names_share_is_told_with_all_of_them(built):
    assert_refused(
        built.afresh("explain", "ord"), "`ord` is the beginning of the names of 2 nodes", "model.shop.orders,", "model.shop.orders_by_day"
    )


def test_a_changed_part_without_a_value_is_named_and_points_to_the_diff_where_there_is_one(shop):
    project = shop(FILES)
    project.afresh("build")
    project.write({"models/orders.sql": TABLE + "select 2 as id"})
    project.afresh("build", "--vars", "{day: 3}")

    told = project.afresh("explain", "orders", "orders_by_day").stdout

    assert "  sql changed: see the diff below\n" in told
    assert "–           –" not in told
