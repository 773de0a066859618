"""New data in PostgreSQL tables that others write, seen without any configuration (semantics §4)."""

from __future__ import annotations

import pytest

from integration.postgres.conftest import MODELS, built

FED_BY_ORDERS = {"orders", "totals"}


def test_every_kind_of_write_to_a_source_builds_what_reads_it_and_nothing_else(shop):
    assert built(shop.afresh("build")) == MODELS
    assert built(shop.afresh("build")) == set()

    writes = [
        "insert into raw.orders values (3, 30)",
        "update raw.orders set id = 1 where id = 2",
        "delete from raw.orders where id = 3",
        "truncate raw.orders",
        "create table raw.other as select 7 as id, 70 as amount; drop table raw.orders cascade; alter table raw.other rename to orders",
    ]
    for write in writes:
        shop.execute(*write.split("; "))
        outcome = shop.afresh("build")
        assert built(outcome) - {"stg_orders", "recent"} == FED_BY_ORDERS, write
        assert outcome.reasons("orders") == ("new_data",)
        assert "customers" in outcome.reused
    assert shop.query("select id, amount from analytics.orders") == [(7, 70)]
    assert shop.query("select n from analytics.totals") == [(1,)]
    assert built(shop.afresh("build")) == set()


def test_a_source_that_is_a_view_of_others_is_looked_through(shop):
    shop.execute(
        "alter table raw.orders rename to kept",
        "create view raw.middle as select * from raw.kept",
        "create view raw.orders as select * from raw.middle",
    )
    shop.afresh("build")
    assert built(shop.afresh("build")) == set()

    shop.execute("insert into raw.kept values (3, 30)")
    assert built(shop.afresh("build")) >= FED_BY_ORDERS
    assert shop.query("select count(*) from analytics.orders") == [(3,)]


def test_a_write_into_one_partition_of_a_source_is_seen(shop):
    shop.execute(
        "drop table raw.orders",
        "create table raw.orders (id int, amount int) partition by range (id)",
        "create table raw.orders_low partition of raw.orders for values from (0) to (100)",
        "create table raw.orders_high partition of raw.orders for values from (100) to (200) partition by list (id)",
        "create table raw.orders_150 partition of raw.orders_high for values in (150)",
    )
    shop.afresh("build")
    shop.execute("insert into raw.orders values (150, 1)")
    assert built(shop.afresh("build")) >= FED_BY_ORDERS
    assert built(shop.afresh("build")) == set()
    assert shop.query("select id from analytics.orders") == [(150,)]


def test_a_write_whose_statistics_come_late_is_one_job_late_and_never_lost(shop):
    shop.afresh("build")
    with shop.warehouse.connect() as writer:
        writer.execute("insert into raw.orders values (3, 30)")
        writer.execute("insert into raw.orders values (4, 40)")  # within one second of the first: it is published later
        shop.afresh("build")
    # The writer has left, so that everything it did is published.
    shop.afresh("build")
    assert shop.query("select count(*) from analytics.orders") == [(4,)]
    assert built(shop.afresh("build")) == set()


def test_after_a_reset_of_statistics_everything_is_built_once_and_the_next_write_is_seen(shop):
    shop.afresh("build")
    shop.execute("insert into raw.orders values (3, 30)", "select pg_stat_reset()")

    outcome = shop.afresh("build")
    assert built(outcome) == MODELS - {"stg_orders"}  # a view is its definition
    assert "changed_outside" in outcome.reasons("customers")
    assert shop.query("select count(*) from analytics.orders") == [(3,)]
    assert built(shop.afresh("build")) == set()

    shop.execute("insert into raw.orders values (4, 40)")
    assert built(shop.afresh("build")) >= FED_BY_ORDERS


@pytest.mark.parametrize(
    "change", ["alter table raw.orders add column note text", "alter table raw.orders alter column amount type bigint"]
)
def test_a_view_with_a_star_is_made_again_when_the_columns_under_it_change(shop, change):
    shop.afresh("build")
    if "alter column" in change:
        shop.execute("drop view analytics.stg_orders cascade")
        shop.execute(change, "create view analytics.stg_orders as select id, amount::int from raw.orders")
    else:
        shop.execute(change)

    outcome = shop.afresh("build")
    assert {"view_stale", "changed_outside"} & set(outcome.reasons("stg_orders"))
    expected = shop.query(
        "select column_name, data_type from information_schema.columns where table_schema = 'raw' and table_name = 'orders' order by 1"
    )
    found = shop.query("select column_name, data_type from information_schema.columns where table_name = 'stg_orders' order by 1")
    assert found == expected
    assert built(shop.afresh("build")) == set()


def test_source_tables_whose_names_differ_by_case_only_are_two(shop):
    shop.execute('create table raw."Orders" as select 5 as "Id"')
    shop.replace("models/sources.yml", "{name: orders}", "{name: orders}, {name: Orders, quoting: {identifier: true}}")
    shop.write(
        {"models/capital.sql": "{{ config(materialized='table', alias='Capital') }} select \"Id\" from {{ source('raw', 'Orders') }}"}
    )
    assert built(shop.afresh("build")) == MODELS | {"capital"}

    shop.execute('insert into raw."Orders" values (6)')
    assert built(shop.afresh("build")) == {"capital"}
    assert shop.query('select count(*) from analytics."Capital"') == [(2,)]

    shop.execute("insert into raw.orders values (3, 30)")
    assert "capital" in shop.afresh("build").reused

    shop.execute('insert into analytics."Capital" values (99)')
    outcome = shop.afresh("build")
    assert (built(outcome), outcome.reasons("capital")) == ({"capital"}, ("changed_outside",))
    assert built(shop.afresh("build")) == set()
