"""Several processes over one project on PostgreSQL: each relation is built once, nobody fails, nobody works on stale knowledge."""

from __future__ import annotations

from collections import Counter

import pytest

SHOP = {
    "models/sources.yml": """
        version: 2
        sources:
          - name: raw
            schema: raw
            tables: [{name: orders}, {name: pace}]
    """,
    "models/stg_orders.sql": "{{ config(materialized='view') }} select * from {{ source('raw', 'orders') }}",
    "models/slow.sql": """
        {{ config(materialized='table', meta={'afresh': {'inputs': 'complete'}}) }}
        select o.id, pg_sleep(p.seconds) is null as slept from {{ ref('stg_orders') }} o, {{ source('raw', 'pace') }} p where o.id = 1
    """,
    "models/lines.sql": """
        {{ config(materialized='incremental', incremental_strategy='append') }} select id, amount from {{ ref('stg_orders') }}
    """,
    "models/shown.sql": "{{ config(materialized='view') }} select l.id, l.amount from {{ ref('lines') }} l, {{ ref('slow') }} s",
    "models/totals.sql": "{{ config(materialized='table') }} select sum(amount) as total from {{ ref('shown') }}",
    "snapshots/history.sql": """
        {% snapshot history %}
        {{ config(target_schema='analytics', unique_key='id', strategy='check', check_cols='all') }}
        select * from {{ source('raw', 'orders') }}
        {% endsnapshot %}
    """,
}
RELATIONS = {"stg_orders", "slow", "lines", "shown", "totals", "history"}


@pytest.fixture
def shop(dbt_project, postgres):
    """A shop with one slow model."""
    postgres.execute(
        "create schema raw",
        "create table raw.orders as select 1 as id, 10 as amount union all select 2, 20",
        "create table raw.pace as select 4 as seconds",
    )
    return dbt_project({**SHOP, "afresh.yml": "lease_ttl: 2s\n"}, warehouse=postgres, threads=2)


@pytest.mark.parametrize("number", [2, 4])
def test_of_several_runs_at_once_each_model_is_built_by_one_and_reused_by_the_others(shop, jobs, number):
    shop_jobs = jobs(shop)
    runs = [shop_jobs.start("afresh", "build") for _ in range(number)]
    outcomes = [run.end() for run in runs]

    assert [outcome.exit_code for outcome in outcomes] == [0] * number
    assert Counter(name for outcome in outcomes for name in outcome.executed) == dict.fromkeys(RELATIONS, 1)
    assert all(outcome.executed | outcome.reused == RELATIONS for outcome in outcomes)
    assert any("WAITING" in outcome.stdout and "built by run" in outcome.stdout for outcome in outcomes)
    assert shop.rows("analytics.lines") == [(1, 10), (2, 20)]
    assert shop.query("select count(*) from analytics.history") == [(2,)]
    assert shop.query("select total from analytics.totals") == [(30,)]
    assert shop_jobs.held() == ()


def test_what_one_interpreter_recorded_another_one_with_another_hash_seed_finds_unchanged(shop, jobs):
    shop.execute("update raw.pace set seconds = 0")
    shop_jobs = jobs(shop)
    outcomes = []
    for seed in ("1", "2"):
        shop_jobs.env["PYTHONHASHSEED"] = seed
        outcomes.append(shop_jobs.run("afresh", "build"))

    assert [outcome.executed for outcome in outcomes] == [RELATIONS, set()]
    assert outcomes[1].reused == RELATIONS


def test_a_run_that_builds_after_a_wait_knows_what_the_other_one_created(shop, jobs):
    shop_jobs = jobs(shop)
    first = shop_jobs.start("afresh", "build")
    shop_jobs.wait_for_lease("slow")
    second = shop_jobs.start("afresh", "build", "--force")
    outcomes = [first.end(), second.end()]

    assert [outcome.exit_code for outcome in outcomes] == [0, 0]
    assert outcomes[1].executed == RELATIONS
    assert shop.query("select total from analytics.totals where total > 0") != []


def test_a_schema_that_another_first_run_makes_at_the_same_time_is_found(shop, jobs, postgres):
    with postgres.connect(autocommit=False) as other:
        other.execute("create schema analytics")
        run = jobs(shop).start("afresh", "run", "--select", "stg_orders")
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%%create schema%%'"
        jobs(shop).until(lambda: shop.query(waiting) == [(1,)])

    outcome = run.end()
    assert outcome.exit_code == 0
    assert outcome.executed == {"stg_orders"}
