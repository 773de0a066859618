"""What happens in PostgreSQL to the relations that we built: by ourselves, by plain dbt, by strangers (semantics §2, rows 5 and 9)."""

from __future__ import annotations

import pytest

from integration.postgres.conftest import MODELS, built

LINES = {
    "models/lines.sql": """
        {{ config(materialized='incremental', incremental_strategy=var('strategy', 'append'), unique_key=var('key', none)) }}
        select id, amount from {{ source('raw', 'orders') }}
        {% if is_incremental() %} where id > (select coalesce(max(id), 0) from {{ this }}) {% endif %}
    """,
    "models/lines_count.sql": "{{ config(materialized='table') }} select count(*) as n from {{ ref('lines') }}",
}


def test_a_table_that_somebody_dropped_is_built_again(shop):
    shop.afresh("build")
    shop.execute("drop table analytics.customers")

    outcome = shop.afresh("build")
    assert built(outcome) == {"customers"}
    assert outcome.reasons("customers")[0] == "relation_missing"
    assert built(shop.afresh("build")) == set()


def test_plain_dbt_in_between_is_a_change_from_outside(shop):
    shop.afresh("build")
    shop.dbt("run", "--select", "customers")

    outcome = shop.afresh("build")
    assert built(outcome) == {"customers"}
    assert outcome.reasons("customers") == ("changed_outside",)
    assert built(shop.afresh("build")) == set()


@pytest.mark.parametrize(
    "write", ["insert into analytics.customers values (2, 'Bob')", "delete from analytics.customers", "truncate analytics.customers"]
)
def test_a_foreign_write_into_a_table_of_ours_is_undone(shop, write):
    shop.afresh("build")
    shop.execute(write)

    outcome = shop.afresh("build")
    assert built(outcome) == {"customers"}
    assert outcome.reasons("customers") == ("changed_outside",)
    assert shop.query("select name from analytics.customers") == [("Ada",)]
    assert built(shop.afresh("build")) == set()


def test_a_foreign_insert_into_an_incremental_model_is_seen_also_after_runs_that_appended(shop):
    shop.write(LINES)
    shop.afresh("build", "--select", "lines+")
    for number in (3, 4):
        shop.execute(f"insert into raw.orders values ({number}, 0)")
        outcome = shop.afresh("build", "--select", "lines+")
        assert (built(outcome), outcome.reasons("lines")) == ({"lines", "lines_count"}, ("new_data",))
    assert built(shop.afresh("build", "--select", "lines+")) == set()

    shop.execute("insert into analytics.lines values (99, 0)")
    outcome = shop.afresh("build", "--select", "lines+")
    assert outcome.reasons("lines") == ("changed_outside",)
    assert built(outcome) == {"lines", "lines_count"}
    assert shop.query("select n from analytics.lines_count") == [(5,)]
    assert built(shop.afresh("build", "--select", "lines+")) == set()


def test_our_own_merges_and_deletes_are_no_change_from_outside(shop):
    shop.write(LINES)
    for strategy in ("delete+insert", "merge"):
        given = ("build", "--select", "lines+", "--vars", f"{{strategy: {strategy}, key: id}}")
        shop.afresh(*given)
        assert built(shop.afresh(*given)) == set()
        shop.execute("insert into raw.orders values ((select max(id) + 1 from raw.orders), 0)")
        assert built(shop.afresh(*given)) == {"lines", "lines_count"}
        assert built(shop.afresh(*given)) == set()


def test_a_seed_and_a_snapshot_are_reused_until_they_change(shop):
    shop.write(
        {
            "seeds/regions.csv": "id,name\n1,North\n",
            "models/regional.sql": "{{ config(materialized='table') }} select * from {{ ref('regions') }}",
            "snapshots/history.sql": """
                {% snapshot history %}
                {{ config(target_schema='analytics', unique_key='id', strategy='check', check_cols='all') }}
                select * from {{ source('raw', 'customers') }}
                {% endsnapshot %}
            """,
        }
    )
    some = ("build", "--select", "regions+", "history")
    shop.afresh(*some)
    assert built(shop.afresh(*some)) == set()

    shop.write({"seeds/regions.csv": "id,name\n1,North\n2,South\n"})
    shop.execute("update raw.customers set name = 'Ada L'")
    outcome = shop.afresh(*some)
    assert built(outcome) == {"regions", "regional", "history"}
    assert (outcome.reasons("regions"), outcome.reasons("history")) == (("code_changed",), ("new_data",))
    assert shop.query("select count(*) from analytics.history") == [(2,)]
    assert built(shop.afresh(*some)) == set()

    shop.execute("insert into analytics.regions values (3, 'West')", "delete from analytics.history where dbt_valid_to is not null")
    outcome = shop.afresh(*some)
    assert outcome.reasons("regions") == ("changed_outside",)
    assert shop.query("select count(*) from analytics.regional") == [(2,)]


# --- views, which PostgreSQL drops with what is under them --------------------------------------------------------------


def test_views_that_a_rebuilt_table_took_with_it_are_made_again_in_the_same_run(shop):
    shop.afresh("build")
    shop.write({"models/orders.sql": "{{ config(materialized='table') }} select id, amount + 0 as amount from {{ ref('stg_orders') }}"})

    outcome = shop.afresh("build")
    assert built(outcome) == {"orders", "recent", "totals"}
    assert outcome.reasons("recent")[0] == "relation_missing"
    assert shop.query("select count(*) from analytics.recent") == [(1,)]
    assert built(shop.afresh("build")) == set()


def test_a_view_that_was_dropped_by_a_partial_run_is_missed_by_the_next_one(shop):
    shop.afresh("build")
    shop.execute("insert into raw.orders values (3, 30)")
    assert built(shop.afresh("build", "--select", "orders")) == {"orders"}

    outcome = shop.afresh("build")
    assert outcome.reasons("recent")[0] == "relation_missing"
    assert built(outcome) == {"recent", "totals"}


def test_a_view_made_again_takes_the_views_over_it_along(shop):
    shop.write({"models/recent_twice.sql": "{{ config(materialized='view') }} select id * 2 as id from {{ ref('recent') }}"})
    shop.afresh("build")
    shop.replace("models/recent.sql", "id > 1", "id >= 1")

    outcome = shop.afresh("build")
    assert built(outcome) == {"recent", "recent_twice", "totals"}
    assert outcome.reasons("recent_twice")[0] == "relation_missing"
    assert shop.query("select n from analytics.totals") == [(2,)]
    assert built(shop.afresh("build")) == set()


@pytest.mark.parametrize(
    ("dropped", "selected", "failing"),
    [("analytics.orders", ("recent", "totals"), "recent"), ("raw.orders", ("stg_orders",), "stg_orders")],
)
def test_a_view_that_went_with_the_table_under_it_fails_as_in_dbt(shop, dropped, selected, failing):
    shop.afresh("build")
    shop.execute(f"drop table {dropped} cascade")

    outcome = shop.afresh("build", "--select", *selected)
    assert outcome.statuses[failing] == "error"
    assert outcome.reasons(failing)[0] == "relation_missing"


def test_readers_of_a_model_that_failed_are_built_from_what_it_left_and_then_left_alone(shop):
    shop.afresh("build")
    shop.replace("models/orders.sql", "amount from", "1 / (amount - amount) as amount from")
    assert shop.afresh("build").exit_code == 1

    assert built(shop.afresh("build", "--select", "totals")) == {"totals"}
    assert built(shop.afresh("build", "--select", "totals")) == set()
    shop.execute("insert into analytics.orders values (9, 90)")
    assert built(shop.afresh("build", "--select", "totals")) == {"totals"}


def test_views_of_strangers_that_a_rebuild_drops_are_named(shop):
    shop.afresh("build")
    shop.execute("create schema bi", "create view bi.dashboard as select * from analytics.orders", "insert into raw.orders values (3, 30)")

    outcome = shop.afresh("build")
    assert "bi.dashboard" in outcome.stdout


# --- the rest of what dbt builds --------------------------------------------------------------------------------------


def test_full_refresh_builds_everything_and_the_next_run_nothing(shop):
    shop.write(LINES)
    shop.afresh("build")
    shop.execute("delete from raw.orders where id = 1")
    outcome = shop.afresh("build", "--full-refresh")
    assert built(outcome) == MODELS | {"lines", "lines_count"}
    assert outcome.reasons("lines")[0] == "full_refresh"
    assert shop.query("select id from analytics.lines") == [(2,)]
    assert built(shop.afresh("build")) == set()


def test_columns_added_to_an_incremental_model_reach_the_views_over_it(shop):
    shop.write(
        {
            "models/lines.sql": """
                {{ config(materialized='incremental', on_schema_change='append_new_columns') }} select * from {{ source('raw', 'orders') }}
            """,
            "models/lines_now.sql": "{{ config(materialized='view') }} select * from {{ ref('lines') }}",
        }
    )
    shop.afresh("build", "--select", "lines+")
    shop.execute("alter table raw.orders add column note text default 'x'")

    outcome = shop.afresh("build", "--select", "lines+")
    assert (outcome.reasons("lines"), outcome.reasons("lines_now")) == (("new_data",), ("view_stale",))
    assert shop.query("select count(*) from analytics.lines_now where note = 'x'") == [(2,)]
    assert built(shop.afresh("build", "--select", "lines+")) == set()


def test_a_materialized_view_is_refreshed_when_what_it_reads_has_changed(shop):
    shop.write(
        {
            "models/summary.sql": "{{ config(materialized='materialized_view') }} select count(*) as n from {{ source('raw', 'orders') }}",
            "models/shown.sql": "{{ config(materialized='table') }} select n from {{ ref('summary') }}",
        }
    )
    shop.afresh("build", "--select", "summary+")
    assert built(shop.afresh("build", "--select", "summary+")) == set()

    shop.execute("insert into raw.orders values (3, 30)")
    assert built(shop.afresh("build", "--select", "summary+")) == {"summary", "shown"}
    assert shop.query("select n from analytics.shown") == [(3,)]
    assert built(shop.afresh("build", "--select", "summary+")) == set()


# --- hooks at the end of a run ----------------------------------------------------------------------------------------


def test_what_our_own_hooks_write_is_ours_and_new_to_those_who_read_it(shop):
    shop.write(
        {
            "dbt_project.yml": shop.read("dbt_project.yml")
            + 'on-run-end: "update {{ target.schema }}.orders set amount = 0 where amount = 10"\n'
        }
    )
    shop.write({"models/sums.sql": "{{ config(materialized='table') }} select sum(amount) as total from {{ ref('orders') }}"})
    shop.afresh("build")
    assert shop.query("select total from analytics.sums") == [(30,)]

    outcome = shop.afresh("build")
    assert built(outcome) == {"sums", "totals"}
    assert outcome.reasons("sums") == ("new_data",)
    assert shop.query("select total from analytics.sums") == [(20,)]
    assert built(shop.afresh("build")) == set()

    shop.execute("insert into analytics.orders values (9, 9)")
    assert shop.afresh("build").reasons("orders") == ("changed_outside",)
