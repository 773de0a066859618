"""Every way in which dbt materializes something: it is built, left alone in the next run, and built again when its data changes."""

from datetime import datetime, timedelta, timezone

import pytest

from acceptance.shop import SETUP, SHOP, SOURCES, built, nothing_ran
from integration.seam.zoo import DBT, HAS_MICROBATCH, event_loops_left_open

TODAY = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
DAYS = [TODAY - timedelta(days=back) for back in (2, 1, 0)]


def incremental(strategy, *, where="", **more):
    config = ", ".join(
        f"{key}={value!r}" for key, value in {"materialized": "incremental", "incremental_strategy": strategy, **more}.items()
    )
    return f"{{{{ config({config}) }}}} select id, customer, amount from {{{{ ref('orders') }}}} {where}"


STRATEGIES = {
    **SHOP,
    "models/appended.sql": incremental(
        "append", where="{% if is_incremental() %}where id > (select coalesce(max(id), 0) from {{ this }}){% endif %}"
    ),
    "models/replaced.sql": incremental("delete+insert", unique_key="id"),
    "models/merged.sql": incremental("merge", unique_key="id"),
    "models/unnamed.sql": "{{ config(materialized='incremental', unique_key='id') }} select id, amount from {{ ref('orders') }}",
    "models/customers.sql": "{{ config(materialized='table') }} select id, amount from {{ ref('merged') }} union all from {{ ref('unnamed') }}",
}


def test_incremental_models_of_every_strategy(make_twins):
    shop = make_twins(STRATEGIES, setup=SETUP)
    names = {"appended", "replaced", "merged", "unnamed", "customers"}
    assert names <= built(shop.afresh("build"))
    assert nothing_ran(shop.afresh("build"))

    shop.execute("insert into raw.orders values (4, 'cleo', 40)", "update raw.orders set amount = 11 where id = 1")

    assert built(shop.afresh("build")) == names | {"orders"}
    assert nothing_ran(shop.afresh("build"))
    shop.execute("delete from raw.orders where id = 2")
    assert built(shop.afresh("build")) == names | {"orders"}
    assert nothing_ran(shop.afresh("build"))
    shop.replace("models/replaced.sql", "incremental_strategy='delete+insert'", "incremental_strategy='merge'")
    assert built(shop.afresh("build")) == {"replaced"}
    assert nothing_ran(shop.afresh("build"))


EPHEMERAL = {
    **SHOP,
    "models/e1.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('stg_orders') }}",
    "models/e2.sql": "{{ config(materialized='ephemeral') }} select id, amount from {{ ref('e1') }}",
    "models/orders.sql": "{{ config(materialized='table') }} select id, amount as spent, 'x' as customer, amount from {{ ref('e2') }}",
    "models/shown.sql": "{{ config(materialized='view') }} select count(*) as n from {{ ref('e2') }}",
    "models/counted.sql": "{{ config(materialized='table') }} select * from {{ ref('shown') }}",
}


def test_chains_of_ephemeral_models(make_twins):
    shop = make_twins(EPHEMERAL, setup=SETUP)
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.execute("delete from raw.orders where id = 2")
    assert built(shop.afresh("build")) == {"orders", "customers", "counted"}
    shop.replace("models/e1.sql", "select *", "select * replace (amount + 1 as amount)")
    assert built(shop.afresh("build")) == {"orders", "customers", "shown", "counted"}
    assert nothing_ran(shop.afresh("build"))


def test_a_python_model(make_twins):
    model = """
        def model(dbt, session):
            dbt.config(materialized="{}")
            return dbt.ref("orders").filter("amount > 10"){}
    """
    shop = make_twins(
        {**SHOP, "models/frame.py": model.format("table", ""), "models/after.sql": "select * from {{ ref('frame') }}"}, setup=SETUP
    )
    with event_loops_left_open():
        shop.afresh("build")
        assert nothing_ran(shop.afresh("build"))
        shop.execute("update raw.orders set amount = 50 where id = 1")
        assert built(shop.afresh("build")) == {"orders", "customers", "frame"}
        assert nothing_ran(shop.afresh("build"))
        shop.replace("models/frame.py", 'amount > 10")', 'amount > 20")')
        assert built(shop.afresh("build")) == {"frame"}
        shop.replace("models/frame.py", "    return", "    # a comment\n    return")
        assert nothing_ran(shop.afresh("build"))


def test_a_custom_materialization_is_built_every_time_unless_somebody_vouches_for_it(make_twins):
    macro = """
        {% materialization plain, default %}
            {%- set target = this.incorporate(type='table') -%}
            {% call statement('main') %}create or replace table {{ target }} as ({{ sql }}){% endcall %}
            {{ adapter.commit() }}
            {{ return({'relations': [target]}) }}
        {% endmaterialization %}
    """
    custom = "{{ config(materialized='plain') }} select sum(amount) as n from {{ ref('orders') }}"
    shop = make_twins({**SHOP, "macros/plain.sql": macro, "models/custom.sql": custom}, setup=SETUP)
    shop.afresh("build")
    assert built(shop.afresh("build")) == {"custom"}

    shop.replace("models/custom.sql", "materialized='plain'", "materialized='plain', meta={'afresh': {'enabled': true}}")
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))
    shop.execute("update raw.orders set amount = 11 where id = 1")
    assert built(shop.afresh("build")) == {"orders", "customers", "custom"}
    assert nothing_ran(shop.afresh("build"))


CHANGES = [
    "update raw.orders set amount = 11, seen_at = '2026-01-05' where id = 1",
    "insert into raw.orders values (4, 'cleo', 40, '2026-01-06')",
    "delete from raw.orders where id = 2",
    "insert into raw.orders values (2, 'bob', 21, '2026-01-07')",
]


@pytest.mark.parametrize(
    "config",
    [
        "strategy='timestamp', updated_at='seen_at'",
        "strategy='check', check_cols=['amount']",
        *(
            [
                "strategy='timestamp', updated_at='seen_at', hard_deletes='invalidate'",
                "strategy='check', check_cols='all', hard_deletes='new_record'",
            ]
            if DBT >= (1, 9)
            else ["strategy='timestamp', updated_at='seen_at', invalidate_hard_deletes=True"]
        ),
    ],
)
def test_snapshots(make_twins, config):
    files = {
        "models/sources.yml": SOURCES,
        "snapshots/kept.sql": f"""
            {{% snapshot kept %}}
            {{{{ config(target_schema='kept', unique_key='id', {config}) }}}}
            select * from {{{{ source('raw', 'orders') }}}}
            {{% endsnapshot %}}
        """,
        "models/now.sql": "{{ config(materialized='table') }} select id, amount from {{ ref('kept') }} where dbt_valid_to is null",
    }
    shop = make_twins(files, setup=(*SETUP, "alter table raw.orders add column seen_at timestamp default '2026-01-01'"))
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))
    for change in CHANGES:
        shop.execute(change)
        assert built(shop.afresh("build")) == {"kept", "now"}
        assert nothing_ran(shop.afresh("build"))


def test_a_seed_whose_column_types_change(make_twins):
    schema = "seeds: [{name: codes, config: {column_types: {code: TYPE}}}]"
    shop = make_twins(
        {
            "seeds/codes.csv": "code,name\n1,one\n2,two\n",
            "seeds/schema.yml": schema.replace("TYPE", "integer"),
            "models/all_codes.sql": "{{ config(materialized='view') }} select * from {{ ref('codes') }}",
            "models/kept_codes.sql": "{{ config(materialized='table') }} select * from {{ ref('all_codes') }}",
        }
    )
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.replace("seeds/schema.yml", "integer", "varchar")
    shop.afresh("build", "--full-refresh", "--select", "codes")
    assert built(shop.afresh("build")) == {"all_codes", "kept_codes"}
    assert shop.ours.query("select distinct typeof(code) from kept_codes") == [("VARCHAR",)]
    assert nothing_ran(shop.afresh("build"))


if HAS_MICROBATCH:
    EVENTS = [f"({number}, timestamp '{day + timedelta(hours=1)}', {number * 10})" for number, day in enumerate(DAYS, start=1)]
    DAILY = {
        "models/sources.yml": """
            version: 2
            sources:
              - {name: raw, tables: [{name: events, config: {event_time: seen_at}}]}
        """,
        "models/daily.sql": f"""
            {{{{ config(
                materialized='incremental', incremental_strategy='microbatch', event_time='seen_at', batch_size='day', begin='{DAYS[0]:%Y-%m-%d}'
            ) }}}}
            select id, seen_at, case when amount < 0 then error('negative') else amount end as amount from {{{{ source('raw', 'events') }}}}
        """,
        "models/total.sql": "{{ config(materialized='table') }} select sum(amount) as total from {{ ref('daily') }}",
    }

    @pytest.fixture
    def daily(make_twins):
        events = f"create table raw.events as select * from (values {', '.join(EVENTS)}) as t (id, seen_at, amount)"
        return make_twins(DAILY, setup=("create schema raw", events))

    def test_a_microbatch_model(daily):
        daily.afresh("build")
        assert daily.rows("total") == [(60,)]
        assert nothing_ran(daily.afresh("build"))

        daily.execute("update raw.events set amount = 31 where id = 3")
        assert built(daily.afresh("build")) == {"daily", "total"}
        assert daily.rows("total") == [(61,)]
        assert nothing_ran(daily.afresh("build"))

    BAD, GOOD = "update raw.events set amount = -20 where id = 2", "update raw.events set amount = 20 where id = 2"

    def test_a_microbatch_model_of_which_a_batch_failed_is_due_until_it_ran(daily):
        daily.execute(BAD)
        first = daily.afresh("build")
        assert (first.exit_code, first.statuses) == (1, {"daily": "partial success", "total": "skipped"})

        daily.execute(GOOD)
        mended = daily.afresh("build")

        assert mended.reasons("daily") == ("never_built", "partial_build")
        assert daily.rows("total") == [(60,)]
        assert nothing_ran(daily.afresh("build"))

    def test_a_microbatch_model_that_fails_again_is_built_again(daily):
        daily.afresh("build")
        daily.execute(BAD)
        for _ in range(2):
            assert "daily" in built(daily.afresh("build"))
        daily.execute(GOOD)

        assert built(daily.afresh("build")) == {"daily", "total"}
        assert nothing_ran(daily.afresh("build"))

    def test_a_microbatch_model_is_built_when_its_next_batch_begins(daily, monkeypatch):
        from dbt.materializations.incremental.microbatch import MicrobatchBuilder

        daily.afresh("build")
        today = MicrobatchBuilder.build_end_time
        monkeypatch.setattr(MicrobatchBuilder, "build_end_time", lambda builder: today(builder) + timedelta(days=1))

        tomorrow = daily.afresh("build")

        assert built(tomorrow) == {"daily", "total"}
        assert tomorrow.reasons("daily") == ("window_moved",)
        assert nothing_ran(daily.afresh("build"))
