"""`afresh status` while jobs run side by side."""

from __future__ import annotations

import signal

from afresh.store import open_store
from integration.processes.test_waiting import gate, log_until, shop  # noqa: F401 - fixtures


def status(project) -> dict:
    outcome = project.afresh("status", "--output", "json")
    assert outcome.exit_code == 0
    return outcome.json()


def states(told: dict) -> dict[str, str]:
    return {node["unique_id"].split(".")[2]: node["state"] for node in told["nodes"]}


def test_who_waits_for_whom_is_told_while_it_lasts_and_no_longer(shop, jobs, gate):  # noqa: F811 - fixtures
    shop_jobs = jobs(shop)
    first = shop_jobs.start("afresh", "build", "--select", "a_slow")
    shop_jobs.wait_for_lease("a_slow")
    second = shop_jobs.start("afresh", "build")
    log_until(second, "OK", ".c_last ")
    shop_jobs.until(lambda: len(status(shop)["leases"]) == 1)
    told = status(shop)

    builder, waiter = told["runs"]
    assert ([builder["status"], waiter["status"]], builder["pid"]) == (["running", "running"], first.process.pid)
    (lease,) = told["leases"]
    assert (lease["subject"], lease["run_id"], lease["building"]) == ("model.shop.a_slow", builder["run_id"], True)
    (wait,) = told["waits"]
    assert (wait["subject"], wait["run_id"], wait["for_run"]) == ("model.shop.a_slow", waiter["run_id"], builder["run_id"])
    assert wait["pid"] == first.process.pid
    text = shop.afresh("status").stdout
    assert "At work (2)" in text
    assert f"run {waiter['run_id'][:10]}…  for run {builder['run_id'][:10]}…" in text

    gate()
    assert (first.end().exit_code, second.end().exit_code) == (0, 0)
    told = status(shop)
    assert (told["leases"], told["waits"]) == ([], [])
    assert [run["status"] for run in told["runs"]] == ["success", "success"]
    assert set(states(told).values()) == {"current"}


def test_a_node_that_may_not_wait_at_all_is_not_left_waiting(shop, jobs, gate):  # noqa: F811 - fixtures
    shop_jobs = jobs(shop)
    first = shop_jobs.start("afresh", "build", "--select", "a_slow")
    shop_jobs.wait_for_lease("a_slow")
    refused = shop_jobs.run("afresh", "run", "--select", "a_slow", "--queue-timeout", "0s")
    assert refused.exit_code == 1
    with open_store("sqlite:///.afresh/state.db", base=shop.root, read_only=True) as store:
        assert [event.kind for event in store.events()] == ["wait_began", "wait_ended"]
    gate()
    assert first.end().exit_code == 0


def test_a_run_that_waits_for_a_database_file_is_told_too(dbt_project, jobs):
    slow = "{{ config(materialized='table') }} select sum(a.range * b.range) as n from range(200000) a, range(100000) b"
    project = dbt_project({"models/slow.sql": slow})
    file_jobs = jobs(project)
    first = file_jobs.start("afresh", "build")
    file_jobs.wait_for_lease("slow")
    second = file_jobs.start("afresh", "build")
    file_jobs.until(lambda: status(project)["waits"])
    (wait,) = status(project)["waits"]
    assert (wait["subject"], wait["pid"]) == (str(project.warehouse.path), first.process.pid)
    for run in (second, first):
        run.send(signal.SIGINT)
        run.end()
    assert (status(project)["waits"], status(project)["leases"]) == ([], [])


def test_whoever_watches_is_told_the_news_line_by_line_until_it_is_enough(dbt_project):
    project = dbt_project({"models/a.sql": "{{ config(materialized='table') }} select 1 as id"})
    with project.start("afresh", "status", "--watch") as watching:
        assert "0 runs at work, 0 waiting; 0 nodes" in watching.stdout.readline()
        assert project.process("afresh", "build").exit_code == 0
        lines = [watching.stdout.readline()]
        while " ended: success, 1 built" not in lines[-1]:
            lines.append(watching.stdout.readline())
            assert lines[-1], lines
        watching.send_signal(signal.SIGINT)
        rest = watching.communicate(timeout=60)
    assert (watching.returncode, rest[1]) == (0, "")
