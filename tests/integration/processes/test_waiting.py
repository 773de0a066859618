"""A node that waits for another run takes no thread from the nodes that could go on."""

from __future__ import annotations

import re

import pytest

SHOP = {
    "models/a_slow.sql": """
        {{ config(materialized='table', meta={'afresh': {'inputs': 'complete'}}) }}
        select 1 as id, case when closed then pg_advisory_xact_lock_shared(7) is null end as passed from {{ source('raw', 'gate') }}
    """,
    "models/b_other.sql": "{{ config(materialized='table') }} select 2 as id",
    "models/c_last.sql": "{{ config(materialized='table') }} select id from {{ ref('b_other') }}",
    "models/schema.yml": """
        version: 2
        sources: [{name: raw, schema: raw, tables: [{name: gate}]}]
        models: [{name: a_slow, columns: [{name: id, data_tests: [unique]}]}]
        unit_tests:
          - name: one_row
            model: a_slow
            given: [{input: "source('raw', 'gate')", rows: [{closed: false}]}]
            expect: {rows: [{id: 1}]}
    """,
}


@pytest.fixture
def shop(dbt_project, postgres):
    """A project with one thread, whose first model in line ends when the test opens the gate."""
    postgres.execute("create schema raw", "create table raw.gate as select true as closed")
    return dbt_project(SHOP, warehouse=postgres, threads=1)


@pytest.fixture
def gate(shop):
    """Closed until it is told to open."""
    with shop.warehouse.connect() as connection:
        connection.execute("select pg_advisory_lock(7)")
        yield lambda: connection.execute("select pg_advisory_unlock_all()")


def log_until(run, *words):
    """What a run prints up to the line with all these words."""
    lines = []
    while not lines or not all(word in lines[-1] for word in words):
        lines.append(run.process.stdout.readline())
        assert lines[-1], "".join(lines)
    return lines


def number_in(line):
    """The first number of ``1 of 5``."""
    return re.search(r"(\d+) of \d+", line)[1]


def test_other_nodes_go_first_on_the_only_thread_and_the_one_that_waited_is_reused(shop, jobs, gate):
    shop_jobs = jobs(shop)
    first = shop_jobs.start("afresh", "build", "--select", "a_slow")
    shop_jobs.wait_for_lease("a_slow")
    second = shop_jobs.start("afresh", "build")
    before = log_until(second, "OK", ".c_last ")
    (waiting,) = (line for line in before if "WAITING" in line)
    gate()
    outcome = second.end()
    assert first.end().exit_code == 0

    assert outcome.exit_code == 0
    assert "a_slow" in outcome.reused
    (told,) = shop.afresh("explain", "a_slow", "--output", "json").json()["nodes"]
    assert told["explanation"]["waited_seconds"] > 0
    assert "\n  waited " in shop.afresh("explain", "a_slow").stdout
    assert outcome.executed >= {"b_other", "c_last"}
    (reused,) = (line for line in outcome.stdout.splitlines() if "REUSED sql table model analytics.a_slow" in line)
    assert number_in(waiting) == number_in(reused)
    assert "built by run" in waiting
    assert outcome.statuses.keys() == {"a_slow", "b_other", "c_last", "one_row", "unique_a_slow_id"}


def test_under_fail_fast_nobody_waits_for_another_run_once_something_failed(shop, jobs, gate):
    shop.replace("models/b_other.sql", "select 2 as id", "select 2 / 0 as id")
    shop_jobs = jobs(shop)
    first = shop_jobs.start("afresh", "build", "--select", "a_slow")
    shop_jobs.wait_for_lease("a_slow")
    second = shop_jobs.start("afresh", "build", "--fail-fast", "--exclude", "resource_type:unit_test").end()

    assert second.exit_code == 1
    assert second.node("b_other").status == "error"
    assert "WAITING" in second.stdout
    gate()
    assert first.end().exit_code == 0


def test_a_test_does_not_look_at_a_model_while_another_run_builds_it(shop, jobs, gate):
    shop.execute("update raw.gate set closed = false")
    assert shop.process("afresh", "build").exit_code == 0
    shop.execute("update raw.gate set closed = true")
    shop_jobs = jobs(shop)
    first = shop_jobs.start("afresh", "run", "--select", "a_slow")
    shop_jobs.wait_for_lease("a_slow")
    second = shop_jobs.start("afresh", "test", "--select", "unique_a_slow_id")
    log_until(second, "WAITING", "unique_a_slow_id")
    gate()

    assert first.end().exit_code == 0
    assert second.end().executed == {"unique_a_slow_id"}
    assert shop.process("afresh", "test", "--select", "unique_a_slow_id").reused == {"unique_a_slow_id"}
