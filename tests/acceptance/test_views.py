"""Views that can no longer be read, or that would have other columns if they were made now: dbt makes them again, and so do we."""

import pytest

from acceptance.shop import SETUP, SHOP, built, nothing_ran

STARS = {
    **SHOP,
    "models/stg_orders.sql": "{{ config(materialized='view') }} select * from {{ source('raw', 'orders') }}",
    "models/orders.sql": "{{ config(materialized='table') }} select * from {{ ref('stg_orders') }}",
    "models/all_orders.sql": "{{ config(materialized='view') }} select * from {{ ref('orders') }}",
    "models/named.sql": "{{ config(materialized='view') }} select id from {{ ref('orders') }}",
    "models/again.sql": "{{ config(materialized='view') }} select * from {{ ref('all_orders') }}",
    "models/customers.sql": "{{ config(materialized='table') }} select * from {{ ref('again') }}",
}
FED = {"stg_orders", "orders", "all_orders", "named", "again", "customers"}


@pytest.fixture
def stars(make_twins):
    stars = make_twins(STARS, setup=SETUP)
    assert stars.afresh("build").exit_code == 0
    return stars


def columns(stars, relation):
    return [name for (name,) in stars.ours.query(f"select column_name from (describe {relation})")]


def test_a_column_added_to_a_source_reaches_what_is_above_it_in_one_run(stars):
    stars.execute("alter table raw.orders add column note varchar")

    after = stars.afresh("build")

    assert built(after) == FED
    assert after.reasons("stg_orders") == ("view_stale",)
    assert columns(stars, "again") == ["id", "customer", "amount", "note"]
    assert nothing_ran(stars.afresh("build"))


@pytest.mark.parametrize("jobs", [[()], [("--select", "orders"), ()]], ids=["in one run", "in the next run"])
def test_columns_of_an_edited_table_reach_the_views_above_it(stars, jobs):
    stars.replace("models/orders.sql", "select *", "select *, 1 as one")

    *_, last = [stars.afresh("build", *job) for job in jobs]

    assert {"all_orders", "named", "again", "customers"} <= built(last)
    assert last.reasons("again") == ("view_stale",)
    assert columns(stars, "customers") == ["id", "customer", "amount", "one"]
    assert nothing_ran(stars.afresh("build"))


def test_an_edit_that_changes_no_column_leaves_the_views_as_they_are(stars):
    stars.replace("models/orders.sql", "select *", "select * replace (amount * 2 as amount)")

    assert built(stars.afresh("build")) == {"orders", "customers"}


def test_a_plan_is_not_sure_of_views_over_a_table_whose_columns_may_change_and_is_of_those_who_read_them(stars):
    stars.replace("models/orders.sql", "select *", "select *, 1 as one")

    plan = stars.plan()

    assert {node.removeprefix("model.twin."): verdict for node, verdict in plan.items()} == {
        "stg_orders": "reuse",
        "rates": "reuse",
        "orders": "build",
        "all_orders": "undetermined",
        "named": "undetermined",
        "again": "undetermined",
        "customers": "build",
    }


def test_a_plan_of_new_data_alone_leaves_views_as_they_are(stars):
    stars.execute("insert into raw.orders values (5, 'dan', 50)")

    assert {node.removeprefix("model.twin.") for node, verdict in stars.plan().items() if verdict != "reuse"} == {"orders", "customers"}


def test_a_view_whose_table_somebody_widened_is_made_again_although_the_table_is_not_selected(stars):
    stars.execute("alter table orders add column note varchar")

    assert built(stars.afresh("build", "--select", "all_orders", "again")) == {"all_orders", "again"}
    assert nothing_ran(stars.afresh("build", "--select", "all_orders", "again"))


@pytest.mark.parametrize(
    ("dropped", "selected", "failing"),
    [
        ("raw.orders", "stg_orders orders", {"stg_orders"}),
        ("orders", "all_orders again", {"all_orders"}),
        ("orders", "again", {"again"}),
        ("raw.orders", "customers", set()),
    ],
)
def test_t6_a_view_over_something_that_was_dropped_fails_as_in_dbt(stars, dropped, selected, failing):
    stars.execute(f"drop table {dropped}")

    after = stars.afresh("build", "--select", *selected.split())

    assert {name for name, status in after.statuses.items() if status == "error"} == failing
    assert all(after.reasons(name) == ("view_stale",) for name in failing)


def test_t6_a_view_over_a_dropped_table_that_the_same_run_builds_again_stays_as_it_is(stars):
    stars.execute("drop table orders")
    plan = stars.plan()

    after = stars.afresh("build")

    assert built(after) == {"orders", "customers"}
    assert plan["model.twin.orders"] == plan["model.twin.customers"] == "build"
    assert nothing_ran(stars.afresh("build"))


def test_t6_a_view_whose_source_comes_back_is_made_once_and_what_is_above_it_stays(stars):
    stars.execute("alter table raw.orders rename to away")
    assert stars.afresh("build").exit_code == 1
    stars.execute("alter table raw.away rename to orders")

    assert built(stars.afresh("build")) == {"stg_orders"}
    assert nothing_ran(stars.afresh("build"))
