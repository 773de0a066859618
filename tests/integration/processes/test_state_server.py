"""The state is on a server that is restarted, or goes away for good, in the middle of a run."""

from __future__ import annotations

import pytest

MODELS = {
    "models/slow.sql": """
        {{ config(materialized='table', meta={'afresh': {'inputs': 'complete'}}) }}
        select id, amount, pg_sleep(p.seconds) is null as slept from {{ source('raw', 'orders') }}, {{ source('raw', 'pace') }} p
    """,
    "models/fast.sql": "{{ config(materialized='incremental', incremental_strategy='append') }} select id, amount from {{ ref('slow') }}",
    "models/sources.yml": """
        version: 2
        sources: [{name: raw, schema: raw, tables: [{name: pace}, {name: orders}]}]
    """,
}
SLEEPING = "select count(*) from pg_stat_activity where query like '%%pg_sleep%%' and state = 'active' and pid <> pg_backend_pid()"


@pytest.fixture
def shop_jobs(dbt_project, postgres, state_server, jobs):
    """The jobs of a project with a model that takes a while, whose state is on a server of its own."""
    postgres.execute(
        "create schema raw",
        "create table raw.pace as select 0 as seconds",
        "create table raw.orders as select 1 as id, 10 as amount",
    )
    with state_server.database() as state:
        made = jobs(dbt_project(MODELS, warehouse=postgres, threads=2))
        made.state_url = state.url
        yield made


def sleeping(shop):
    return shop.query(SLEEPING) == [(1,)]


def slowly(shop_jobs, seconds):
    """From now on the slow model takes so long, and has something to do."""
    shop_jobs.project.execute(f"update raw.pace set seconds = {seconds}")


def test_a_state_server_that_is_restarted_in_mid_run_is_not_noticed(shop_jobs, state_server):
    shop = shop_jobs.project
    slowly(shop_jobs, 4)
    run, other = shop_jobs.start("afresh", "build"), shop_jobs.start("afresh", "build")
    shop_jobs.until(lambda: sleeping(shop))
    state_server.stop()
    state_server.start()
    outcomes = [run.end(), other.end()]

    assert [outcome.exit_code for outcome in outcomes] == [0, 0]
    assert sorted(name for outcome in outcomes for name in outcome.executed) == ["fast", "slow"]
    assert shop.rows("analytics.fast") == [(1, 10)]
    assert shop_jobs.held() == ()
    assert shop_jobs.run("afresh", "build").reused == {"slow", "fast"}


@pytest.mark.parametrize("on_state_error", ["fail", "build"])
def test_a_state_server_that_stays_away_costs_a_build_and_nothing_else(shop_jobs, state_server, on_state_error):
    shop = shop_jobs.project
    shop.write({"afresh.yml": f"lease_ttl: 2s\non_state_error: {on_state_error}\n"})
    assert shop_jobs.run("afresh", "build").exit_code == 0
    slowly(shop_jobs, 2)
    run = shop_jobs.start("afresh", "build")
    shop_jobs.until(lambda: sleeping(shop))
    state_server.stop()
    outcome = run.end()

    if on_state_error == "fail":
        assert outcome.exit_code == 1
        assert outcome.statuses == {"slow": "error", "fast": "skipped"}
        assert "the state could not be written" in outcome.node("slow").message
    else:
        assert outcome.exit_code == 0
        assert outcome.statuses == {"slow": "success", "fast": "success"}
        assert "so this run goes on as plain dbt" in outcome.stdout or "nothing is remembered of this build" in outcome.stdout
    assert "it is asked again for up to 2 s" in outcome.stdout
    assert "Traceback" not in outcome.stdout + outcome.stderr

    state_server.start()
    slowly(shop_jobs, 0)
    after = shop_jobs.run("afresh", "build")
    assert after.exit_code == 0
    assert "slow" in after.executed
    assert {"tainted", "interrupted"} & set(after.reasons("slow"))
    if on_state_error == "build":
        assert "tainted" in after.reasons("fast")
    assert shop_jobs.run("afresh", "build").reused == {"slow", "fast"}
