"""Who takes over from a run that died ends what that run left at work in the warehouse before it sends anything itself."""

from __future__ import annotations

import signal
import time

import pytest

from support.postgres import USER

OTHERS = """
    select count(*) from pg_stat_activity
    where application_name like '%afresh:%' and application_name <> current_setting('application_name')
"""
MODELS = {
    "models/lines.sql": """
        {{ config(materialized='incremental', incremental_strategy='append', meta={'afresh': {'inputs': 'complete'}}) }}
        select o.id, pg_sleep(p.seconds) is null as slept, (OTHERS) as others
        from {{ source('raw', 'orders') }} o, {{ source('raw', 'pace') }} p
        {% if is_incremental() %} where o.id > (select max(id) from {{ this }}) {% endif %}
    """.replace("OTHERS", " ".join(OTHERS.split())),
    "models/sources.yml": """
        version: 2
        sources: [{name: raw, schema: raw, tables: [{name: orders}, {name: pace}]}]
    """,
    "afresh.yml": "lease_ttl: 2s\n",
}
BUILDING = "state = 'active' and query like '%%pg_sleep%%' and pid <> pg_backend_pid()"
NAMES = f"select application_name from pg_stat_activity where {BUILDING}"
LINES = "select id, others from analytics.lines order by id"


@pytest.fixture
def shop(dbt_project, postgres):
    """A project with one incremental model, which sleeps per row as long as it is told."""
    postgres.execute(
        "create schema raw",
        "create table raw.orders as select 1 as id",
        "create table raw.pace as select 600 as seconds",
    )
    return dbt_project(MODELS, warehouse=postgres, threads=2)


def quicken(shop):
    shop.execute("update raw.pace set seconds = 0")


def names(shop):
    return [name for (name,) in shop.query(NAMES)]


def start_and(number, shop, shop_jobs):
    """A run that gets a signal while its query is at work."""
    run = shop_jobs.start("afresh", "build")
    shop_jobs.until(lambda: names(shop))
    run.send(number)
    return run


def test_the_query_of_a_run_that_was_killed_is_ended_before_anything_is_built_in_its_place(shop, jobs):
    shop_jobs = jobs(shop)
    start_and(signal.SIGKILL, shop, shop_jobs).end()
    quicken(shop)
    (left,) = names(shop)
    holder = shop_jobs.held()[0].holder
    assert left == f"dbt afresh:{holder.run_id}"

    outcome = shop_jobs.run("afresh", "build")
    assert outcome.exit_code == 0
    assert "interrupted" in outcome.reasons("lines")
    assert f"run {holder.run_id} is gone and had left its query behind" in outcome.stdout
    assert names(shop) == []
    assert shop.query(LINES) == [(1, 0)]
    assert shop_jobs.run("afresh", "build").reused == {"lines"}
    assert shop.query(LINES) == [(1, 0)]


def test_the_query_of_a_run_that_was_killed_is_ended_even_if_its_relation_was_forgotten_meanwhile(shop, jobs):
    shop_jobs = jobs(shop)
    quicken(shop)
    assert shop_jobs.run("afresh", "build").exit_code == 0
    shop.execute("update raw.pace set seconds = 600", "insert into raw.orders values (2)")
    start_and(signal.SIGKILL, shop, shop_jobs).end()
    quicken(shop)
    holder = shop_jobs.held()[0].holder
    while shop_jobs.held():
        time.sleep(0.1)
    forgotten = shop_jobs.run("afresh", "state", "forget", "lines")
    assert forgotten.exit_code == 0

    outcome = shop_jobs.run("afresh", "build")
    assert {"never_built", "interrupted"} <= set(outcome.reasons("lines"))
    assert f"run {holder.run_id} is gone and had left its query behind" in outcome.stdout
    assert names(shop) == []
    assert shop.query("select others from analytics.lines") == [(0,), (0,)]


def test_a_run_that_was_stopped_and_goes_on_after_it_was_taken_over_writes_nothing_more(shop, jobs):
    shop_jobs = jobs(shop)
    quicken(shop)
    assert shop_jobs.run("afresh", "build").exit_code == 0
    shop.execute("insert into raw.orders values (2)", "update raw.pace set seconds = 3")

    stopped = start_and(signal.SIGSTOP, shop, shop_jobs)
    quicken(shop)
    successor = shop_jobs.run("afresh", "build")
    assert successor.exit_code == 0
    assert "interrupted" in successor.reasons("lines")
    assert shop.query(LINES) == [(1, 0), (2, 0)]

    stopped.send(signal.SIGCONT)
    outcome = stopped.end()
    assert outcome.exit_code == 1
    assert outcome.statuses == {"lines": "error"}
    assert outcome.reasons("lines") == ("lease_lost",)
    assert "the lease of this relation was lost" in outcome.node("lines").message
    assert "who takes over ends its sessions" in outcome.node("lines").message
    assert "Traceback" not in outcome.stdout + outcome.stderr
    assert shop.query(LINES) == [(1, 0), (2, 0)]

    assert shop_jobs.run("afresh", "build").reasons("lines")[0] == "interrupted"
    assert shop_jobs.run("afresh", "build").reused == {"lines"}
    assert shop.query(LINES) == [(1, 0), (2, 0)]


def test_nothing_is_built_beside_a_query_that_may_not_be_ended(shop, jobs, postgres):
    shop_jobs = jobs(shop)
    start_and(signal.SIGKILL, shop, shop_jobs).end()
    shop_jobs.until(lambda: not shop_jobs.held())
    other = f"{postgres.name}_other"
    postgres.execute(
        f'create role "{other}" login',
        f'grant create on database "{postgres.name}" to "{other}"',
        f'grant usage on schema raw to "{other}"',
        f'grant select on all tables in schema raw to "{other}"',
        f'grant usage, create on schema analytics to "{other}"',
    )
    shop.replace("profiles.yml", f"user: {USER}", f"user: {other}")
    ((pid,),) = shop.query(f"select pid from pg_stat_activity where {BUILDING}")
    try:
        refused = shop_jobs.run("afresh", "build", "--queue-timeout", "1s")
        assert refused.exit_code == 1
        assert refused.reasons("lines") == ("orphaned_query",)
        assert f"select pg_terminate_backend({pid})" in refused.node("lines").message
        assert "Traceback" not in refused.stdout + refused.stderr
        assert shop.query("select to_regclass('analytics.lines')") == [(None,)]

        quicken(shop)
        shop.execute(f"select pg_terminate_backend({pid})")
        assert shop_jobs.run("afresh", "build").statuses == {"lines": "success"}
        assert shop.query(LINES) == [(1, 0)]
    finally:
        postgres.execute(f'drop owned by "{other}" cascade', f'drop role "{other}"')


def test_what_jinja_sees_of_the_profile_is_what_the_user_wrote(dbt_project, postgres):
    shop = dbt_project({"models/named.sql": "select '{{ target.application_name }}' as name"}, warehouse=postgres)
    assert shop.afresh("build").executed == {"named"}
    assert shop.query("select name from analytics.named") == [("dbt",)]
    assert shop.afresh("build").reused == {"named"}
