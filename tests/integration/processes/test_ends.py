"""How a run can end before its time, and what the next run makes of it."""

from __future__ import annotations

import signal

import pytest

MODELS = {
    "models/slow.sql": """
        {{ config(materialized='table', meta={'afresh': {'inputs': 'complete'}}) }}
        select 1 as id, pg_sleep(seconds) is null as slept from {{ source('raw', 'pace') }}
    """,
    "models/fast.sql": "{{ config(materialized='table') }} select id from {{ ref('slow') }}",
    "models/sources.yml": """
        version: 2
        sources: [{name: raw, schema: raw, tables: [{name: pace}]}]
    """,
    "afresh.yml": "lease_ttl: 2s\n",
}
SLEEPING = "select count(*) from pg_stat_activity where query like '%%pg_sleep%%' and state = 'active' and pid <> pg_backend_pid()"


@pytest.fixture
def shop(dbt_project, postgres):
    """A project that sleeps while it builds."""
    postgres.execute("create schema raw", "create table raw.pace as select 600 as seconds")
    return dbt_project(MODELS, warehouse=postgres, threads=2)


def sleeping(shop):
    return shop.query(SLEEPING) == [(1,)]


def wake(shop):
    """The server ends what is left of a session whose client is gone, as it does by itself in time."""
    shop.query("select pg_terminate_backend(pid) from pg_stat_activity where query like '%%pg_sleep%%' and pid <> pg_backend_pid()")
    shop.execute("update raw.pace set seconds = 0")


def test_a_run_that_was_killed_is_taken_over_when_its_leases_have_run_out(shop, jobs):
    shop_jobs = jobs(shop)
    killed = shop_jobs.start("afresh", "build")
    shop_jobs.until(lambda: sleeping(shop))
    killed.send(signal.SIGKILL)
    killed.end()
    assert [held.holder.pid for held in shop_jobs.held()] == [killed.process.pid]
    wake(shop)

    outcome = shop_jobs.run("afresh", "build")
    assert outcome.exit_code == 0
    assert outcome.reasons("slow") == ("never_built", "interrupted")
    assert outcome.executed == {"slow", "fast"}
    assert shop_jobs.run("afresh", "build").reused == {"slow", "fast"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_end_gives_everything_back_at_once_and_ends_as_dbt_does(shop, jobs, number):
    shop_jobs = jobs(shop)
    endings = []
    for program in ("dbt", "afresh"):
        run = shop_jobs.start(program, "build")
        shop_jobs.until(lambda: sleeping(shop))
        run.send(number)
        endings.append(run.end().exit_code)
        if program == "dbt":
            wake(shop)
            shop.execute("update raw.pace set seconds = 600")

    assert endings[0] == endings[1]
    assert shop_jobs.held() == ()
    assert not sleeping(shop)

    wake(shop)
    outcome = shop_jobs.run("afresh", "build")
    assert outcome.exit_code == 0
    assert outcome.executed == {"slow", "fast"}
    assert outcome.reasons("slow") == ("never_built", "last_build_failed")


def test_a_run_that_is_asked_to_end_while_it_waits_for_another_one_ends_at_once(shop, jobs):
    shop_jobs = jobs(shop)
    first = shop_jobs.start("afresh", "build")
    shop_jobs.until(lambda: sleeping(shop))
    second = shop_jobs.start("afresh", "build")
    line = ""
    while "WAITING" not in line:
        line = second.process.stdout.readline()
        assert line
    second.send(signal.SIGINT)
    assert second.end().exit_code != 0
    assert [held.holder.pid for held in shop_jobs.held()] == [first.process.pid]
    wake(shop)
    first.end()


def test_a_node_that_waits_longer_than_queue_timeout_fails_and_says_for_whom_it_waited(shop, jobs):
    shop_jobs = jobs(shop)
    first = shop_jobs.start("afresh", "run")
    shop_jobs.until(lambda: sleeping(shop))
    outcome = shop_jobs.run("afresh", "run", "--select", "slow", "--queue-timeout", "1s")
    wake(shop)

    assert outcome.exit_code == 1
    assert outcome.statuses == {"slow": "error"}
    assert outcome.reasons("slow") == ("queue_timeout",)
    assert f"pid {first.process.pid}" in outcome.node("slow").message
    assert "queue_timeout" in outcome.stdout
    first.end()


def test_a_run_that_slept_past_its_lease_writes_no_trace_and_says_why(shop, jobs):
    shop.execute("update raw.pace set seconds = 3")
    shop_jobs = jobs(shop)
    run = shop_jobs.start("afresh", "build")
    shop_jobs.until(lambda: sleeping(shop))
    run.send(signal.SIGSTOP)
    shop_jobs.until(lambda: not shop_jobs.held())
    run.send(signal.SIGCONT)

    outcome = run.end()
    assert outcome.exit_code == 1
    assert outcome.statuses == {"slow": "error", "fast": "skipped"}
    assert outcome.reasons("slow") == ("lease_lost",)
    assert "lease" in outcome.node("slow").message
    assert "was this process stopped?" in outcome.stdout

    shop.execute("update raw.pace set seconds = 0")
    after = shop_jobs.run("afresh", "build")
    assert "interrupted" in after.reasons("slow")
    assert shop_jobs.run("afresh", "build").reused == {"slow", "fast"}
