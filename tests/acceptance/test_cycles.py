"""Models that read, without a ``ref``, what is made of them: said once, no reason to build them again, and nothing else is missed."""

import pytest

from acceptance.shop import NEW_ROW, SETUP, built, nothing_ran

SOURCES = """
    version: 2
    sources:
      - name: raw
        tables: [{name: orders}, {name: rates}]
      - name: shop
        schema: main
        tables: [{name: orders}, {name: summary}, {name: customers}]
"""
ORDERS = "{{ config(materialized='table') }} select id, customer, amount from {{ source('raw', 'orders') }}"
SUMMARY = "select sum(amount) as spent, (select count(*) from {{ source('raw', 'rates') }}) as rates from "
STANDING = (
    *SETUP,
    "create table orders (id integer, customer varchar, amount integer, rates bigint)",
    "create table customers (customer varchar)",
    "create view summary as select 0 as spent, 2::bigint as rates",
)
OWN = "orders reads the relation that it writes itself"
NEW_RATE = "insert into raw.rates values ('gbp', 3)"


def configured(materialized):
    return f"{{{{ config(materialized='{materialized}') }}}} "


def reading(relation):
    """Orders with a column from what is made of them, which stays the same when they are built again."""
    return ORDERS.replace("amount from", f"amount, (select max(rates) from {relation}) as rates from")


THROUGH = {
    "an ephemeral model": (
        {
            "models/summary.sql": configured("ephemeral") + SUMMARY + "{{ source('shop', 'orders') }}",
            "models/orders.sql": reading("{{ ref('summary') }}"),
        },
        OWN,
    ),
    "a view that reads it as a source": (
        {
            "models/summary.sql": configured("view") + SUMMARY + "{{ source('shop', 'orders') }}",
            "models/orders.sql": reading("{{ ref('summary') }}"),
        },
        OWN,
    ),
    "a view that is read as a source": (
        {
            "models/summary.sql": configured("view") + SUMMARY + "{{ ref('orders') }}",
            "models/orders.sql": reading("{{ source('shop', 'summary') }}"),
        },
        OWN,
    ),
    "a view that only SQL names": (
        {"models/summary.sql": configured("view") + SUMMARY + "{{ ref('orders') }}", "models/orders.sql": reading("main.summary")},
        OWN,
    ),
    "an ephemeral model over a table below it": (
        {
            "models/summary.sql": configured("ephemeral")
            + "select count(*) as spent, (select count(*) from {{ source('raw', 'rates') }}) as rates from {{ source('shop', 'customers') }}",
            "models/orders.sql": reading("{{ ref('summary') }}"),
            "models/customers.sql": configured("table") + "select distinct customer from {{ ref('orders') }}",
        },
        "which customers makes out of it",
    ),
}


@pytest.mark.parametrize("through", THROUGH)
def test_own_work_that_is_read_through_others_is_not_new_and_what_else_they_read_is(make_twins, through):
    files, warning = THROUGH[through]
    shop = make_twins({"models/sources.yml": SOURCES, **files}, setup=STANDING)
    shop.afresh("build")
    assert shop.afresh("build").exit_code == 0  # where the view was another one before the first build, that is news

    again = shop.afresh("build")

    assert nothing_ran(again)
    assert again.stdout.count(warning) == 1
    assert set(shop.plan().values()) == {"reuse"}
    shop.execute(NEW_RATE)
    assert "orders" in built(shop.afresh("build"))
    assert nothing_ran(shop.afresh("build"))


ALPHA = (
    configured("table")
    + "select id, customer from {{ source('raw', 'orders') }} where (select count(*) from {{ source('shop', 'beta') }}) >= 0"
)
BETA = (
    configured("table")
    + "select a.customer, r.currency from {{ source('shop', 'alpha') }} as a cross join {{ source('raw', 'rates') }} as r"
)
BOTH = SOURCES.replace("{name: customers}", "{name: alpha}, {name: beta}, {name: middle}")


TABLES = ("create table alpha (id integer, customer varchar)", "create table beta (customer varchar)")


@pytest.fixture
def two(make_twins):
    return make_twins({"models/sources.yml": BOTH, "models/alpha.sql": ALPHA, "models/beta.sql": BETA}, setup=(*SETUP, *TABLES))


def build(twins):
    """A build here and in the twin, where plain dbt knows no order of the two and so needs another run to get it right."""
    twins.twin.dbt("build")
    return twins.afresh("build")


def test_two_models_that_read_each_other_as_sources_are_cut_at_one_place(two):
    assert build(two).exit_code == 0

    again = build(two)

    assert nothing_ran(again)
    assert again.stdout.count("which beta makes out of it") == 1
    two.execute(NEW_ROW)
    assert set(two.plan().values()) <= {"build", "undetermined"}
    assert built(build(two)) == {"alpha", "beta"}
    assert nothing_ran(build(two))
    two.execute(NEW_RATE)
    assert built(build(two)) == {"beta"}
    assert nothing_ran(build(two))


def test_the_place_of_the_cut_is_the_same_for_every_selection(two):
    two.only_afresh("build")

    assert built(two.only_afresh("build", "-s", "beta", "--force")) == {"beta"}

    assert nothing_ran(two.only_afresh("build", "-s", "alpha"))
    assert built(two.only_afresh("build", "-s", "alpha", "--force")) == {"alpha"}
    assert built(two.only_afresh("build", "-s", "beta")) == {"beta"}
    assert nothing_ran(two.only_afresh("build"))


def test_a_cycle_of_sources_through_a_view_is_cut_too(make_twins):
    files = {
        "models/sources.yml": BOTH,
        "models/middle.sql": configured("view") + "select * from {{ ref('beta') }}",
        "models/alpha.sql": ALPHA.replace("'beta'", "'middle'"),
        "models/beta.sql": BETA,
    }
    shop = make_twins(files, setup=(*SETUP, *TABLES, "create view middle as select 1 as one"))
    build(shop)
    assert build(shop).exit_code == 0

    assert nothing_ran(build(shop))
    shop.execute(NEW_ROW)
    assert built(build(shop)) == {"alpha", "beta"}
    assert nothing_ran(build(shop))
