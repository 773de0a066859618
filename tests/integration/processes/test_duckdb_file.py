"""A DuckDB file belongs to one process at a time: runs queue for it instead of dying of DuckDB's lock."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from afresh.core.relation import relation_of_key
from afresh.store import open_store
from afresh.warehouse.probe import Memo, Target
from afresh.warehouse.registry import engine
from conformance.warehouse.driver import over_duckdb

MODELS = {
    "models/sources.yml": """
        version: 2
        sources: [{name: raw, schema: raw, tables: [{name: orders}]}]
    """,
    "models/orders.sql": "{{ config(materialized='table') }} select id, amount from {{ source('raw', 'orders') }}",
    "models/slow.sql": """
        {{ config(materialized='table') }}
        select count(*) as n from {{ ref('orders') }} o, range(o.amount) as r (i) where hash(r.i) % 7 = 3
    """,
    "afresh.yml": "lease_ttl: 2s\n",
}
AGES = 1_000_000_000_000
STRANGER = "import duckdb, sys; connection = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def shop(dbt_project):
    """A project on a DuckDB file, with one model that can be made to take for ever."""
    project = dbt_project(MODELS, threads=2)
    project.execute("create schema raw", "create table raw.orders as select 1 as id, 1000::bigint as amount")
    return project


def test_the_second_run_on_a_file_waits_for_the_first_and_then_reuses(shop, jobs):
    shop_jobs = jobs(shop)
    shop.execute("update raw.orders set amount = 100000000")
    runs = [shop_jobs.start("afresh", "build") for _ in range(2)]
    first, second = sorted((run.end() for run in runs), key=lambda outcome: len(outcome.reused))

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert (first.executed, second.reused) == ({"orders", "slow"}, {"orders", "slow"})
    assert "waiting for" in second.stdout
    assert shop_jobs.held() == ()


def test_a_run_that_was_killed_on_a_file_is_taken_over_when_its_leases_have_run_out(shop, jobs):
    shop_jobs = jobs(shop)
    shop.execute(f"update raw.orders set amount = {AGES}")
    killed = shop_jobs.start("afresh", "build")
    shop_jobs.wait_for_lease("slow")
    killed.send(signal.SIGKILL)
    killed.end()
    shop.execute("update raw.orders set amount = 10")

    outcome = shop_jobs.run("afresh", "build")
    assert outcome.exit_code == 0
    assert outcome.executed == {"orders", "slow"}
    assert outcome.reasons("slow") == ("never_built", "interrupted")
    assert shop_jobs.run("afresh", "build").reused == {"orders", "slow"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_end_leaves_the_file_and_its_leases_at_once(shop, jobs, number):
    shop_jobs = jobs(shop)
    shop.execute(f"update raw.orders set amount = {AGES}")
    run = shop_jobs.start("afresh", "build")
    shop_jobs.wait_for_lease("slow")
    run.send(number)
    run.end()

    assert shop_jobs.held() == ()
    assert shop.rows("orders") == [(1, AGES)]


def test_a_run_waits_for_a_program_that_does_not_share_the_state(shop, jobs):
    stranger = subprocess.Popen(
        [sys.executable, "-c", STRANGER, str(shop.warehouse.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with stranger:
        assert stranger.stdout.readline() == "open\n"
        run = jobs(shop).start("afresh", "build")
        line = ""
        while "waiting for a database file" not in line:
            line = run.process.stdout.readline()
            assert line
        assert str(stranger.pid) in line
        stranger.stdin.close()
    assert run.end().exit_code == 0


def test_a_plan_that_waits_for_a_program_says_so_while_it_waits(shop):
    shop.afresh("build")
    stranger = subprocess.Popen(
        [sys.executable, "-c", STRANGER, str(shop.warehouse.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with stranger:
        assert stranger.stdout.readline() == "open\n"
        with shop.start("afresh", "plan") as plan:
            assert "afresh: waiting for a database file" in plan.stderr.readline()
            stranger.stdin.close()
            told, _ = plan.communicate(timeout=60)
    assert plan.returncode == 0
    assert "waiting for" not in told


def test_a_run_gives_up_on_a_stranger_after_queue_timeout(shop, jobs):
    stranger = subprocess.Popen(
        [sys.executable, "-c", STRANGER, str(shop.warehouse.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with stranger:
        assert stranger.stdout.readline() == "open\n"
        outcome = jobs(shop).run("afresh", "build", "--queue-timeout", "1s")
        stranger.stdin.close()
    assert outcome.exit_code == 2
    assert "Could not set lock" in outcome.stdout + outcome.stderr


# --- one process after the other --------------------------------------------------------------------------------------


def test_after_a_run_that_wrote_the_file_the_next_one_reads_no_source_again(shop):
    shop.afresh("build")

    relation, memo = _source(shop)
    import duckdb

    with duckdb.connect(shop.warehouse.path) as connection:
        target = Target(relation, _name(relation, shop))
        talk = over_duckdb(connection)
        answer = talk.hold(engine("duckdb").probe([target], {relation.key: Memo(memo.token, memo.guard)}))[relation.key]
    assert (answer.hashed_rows, talk.read_tables) == (0, [])
    assert shop.afresh("build").executed == set()


def _source(shop):
    with open_store("sqlite:///.afresh/state.db", base=shop.root) as store:
        inputs = {entry.node: entry.key for key in store.recorded() for entry in store.snapshot([key]).traces[key].inputs}
        key = inputs["source.shop.raw.orders"]
        return relation_of_key(key), store.probe_memos([key])[key]


def _name(relation, shop):
    from afresh.warehouse.names import Name

    return Name(shop.warehouse.path.stem, relation.schema, relation.identifier)


def test_what_our_own_hooks_write_into_a_file_is_ours_and_new_to_those_who_read_it(shop):
    shop.write({"models/sums.sql": "{{ config(materialized='table') }} select sum(amount) as total from {{ ref('orders') }}"})
    shop.write(
        {
            "dbt_project.yml": shop.read("dbt_project.yml")
            + "on-run-end: \"update orders set amount = {{ var('amount', 0) }} where id = 1\"\n"
        }
    )
    assert shop.afresh("build", "--select", "+sums").executed >= {"orders", "sums"}

    outcome = shop.afresh("build", "--select", "+sums")
    assert outcome.executed & {"orders", "sums"} == {"sums"}
    assert outcome.reasons("sums") == ("new_data",)
    assert shop.rows("sums") == [(0,)]
    assert shop.afresh("build", "--select", "+sums").reused == {"orders", "sums"}

    # Hooks of a run that reuses the table write to it too.
    assert shop.afresh("build", "--select", "+sums", "--vars", "{amount: 5}").reused == {"orders", "sums"}
    outcome = shop.afresh("build", "--select", "+sums", "--vars", "{amount: 5}")
    assert outcome.executed & {"orders", "sums"} == {"sums"}
    assert shop.rows("sums") == [(5,)]

    shop.execute("update orders set amount = 9")
    assert shop.afresh("build", "--select", "orders").reasons("orders") == ("changed_outside",)


def test_what_hooks_write_before_the_nodes_run_is_ours_and_breaks_no_chain(shop):
    hooks = """
on-run-start:
  - "create table if not exists audit (number integer)"
  - "insert into audit values (1)"
  - "{% if relation_exists() %} update orders set amount = {{ var('amount', 1000) }} {% endif %}"
"""
    found = "{% macro relation_exists() %}{{ return(adapter.get_relation(target.database, target.schema, 'orders') is not none) }}{% endmacro %}"
    shop.write({"macros/found.sql": found, "dbt_project.yml": shop.read("dbt_project.yml") + hooks})
    shop.write({"models/sums.sql": "{{ config(materialized='table') }} select sum(amount) as total from {{ ref('orders') }}"})
    some = ("build", "--select", "+sums")
    shop.afresh(*some)
    epoch = _epoch(shop)
    assert shop.afresh(*some).reused == {"orders", "sums"}
    assert _epoch(shop) == epoch

    outcome = shop.afresh(*some, "--vars", "{amount: 5}")
    assert shop.rows("orders") == [(1, 5)]
    assert outcome.executed & {"orders", "sums"} == {"sums"}
    assert shop.rows("sums") == [(5,)]
    assert _epoch(shop) == epoch


def _epoch(shop):
    key = f"chain:{shop.warehouse.path.resolve()}"
    with open_store("sqlite:///.afresh/state.db", base=shop.root) as store:
        return store.probe_memos([key])[key].token
