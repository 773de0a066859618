"""dbt's ``warn_after`` and ``error_after`` in the middle of a build: told without a question more, and never mixed up with new data."""

from __future__ import annotations

import json
import re

import pytest

SOURCES = """
version: 2
sources:
  - name: raw
    schema: main
    tables:
      - name: orders
        loaded_at_field: loaded
        freshness: {warn_after: {count: 1, period: day}, error_after: {count: 2, period: day}}
      - name: others
        loaded_at_field: loaded
        freshness: {error_after: {count: 1, period: minute}}
"""
FILES = {
    "models/sources.yml": SOURCES,
    "models/a.sql": "{{ config(materialized='table') }} select id from {{ source('raw', 'orders') }}",
}
AGES = {"fresh": "interval 1 hour", "warn": "interval 30 hours", "error": "interval 3 days"}


def load(project, age: str, kind: str = "timestamptz") -> None:
    moment = f"(now() at time zone 'UTC' - {age})" if kind == "timestamp" else f"now() - {age}"
    project.execute(
        "create schema if not exists main",
        f"create or replace table main.orders as select 1 as id, ({moment})::{kind} as loaded",
        "create table if not exists main.others as select 1 as id, now() - interval 9 days as loaded",
    )


def of_dbt(project) -> str:
    """What dbt's own command says of the feed."""
    project.dbt("source", "freshness", "--select", "source:raw.orders")
    (result,) = json.loads(project.read("target/sources.json"))["results"]
    return {"pass": "fresh"}.get(result["status"], result["status"])


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
def test_a_feed_is_late_when_dbt_says_so_and_that_decides_nothing_about_the_nodes(shop, kind):
    project = shop(FILES)
    for expected, age in AGES.items():
        load(project, age, kind)
        assert of_dbt(project) == expected
        for executed in ({"a"}, set()):
            outcome = project.afresh("build")
            assert outcome.executed == executed
            assert outcome.exit_code == (1 if expected == "error" else 0)
            assert ("raw.orders is late" in outcome.stdout) == (expected != "fresh")
            assert "raw.others" not in outcome.stdout


@pytest.mark.smoke
def test_what_is_told_names_the_source_its_age_and_the_limit(shop):
    project = shop(FILES)
    load(project, AGES["warn"])
    told = r"Afresh: source raw\.orders is late: its newest row is %s( \d+s)? old, and %s\n"
    assert re.search(r"\[WARNING\] " + told % ("1d 6h", "warn_after is 1d"), project.afresh("build").stdout)
    load(project, AGES["error"])
    outcome = project.afresh("build")
    assert re.search(r"\[ERROR\] " + told % ("3d", "error_after is 2d"), outcome.stdout)
    assert outcome.stdout.rstrip().endswith("[ERROR] Afresh: 1 source past error_after: this run counts as failed")
    (run,) = project.afresh("runs", "list", "--limit", "1", "--output", "json").json()["runs"]
    assert (run["status"], run["failed"]) == ("error", 0)
    project.execute("delete from main.orders")
    assert "raw.orders is late: it holds no rows, and error_after is 2d" in project.afresh("build").stdout


def test_plain_dbt_that_takes_part_and_a_retry_fail_too(shop):
    project = shop({**FILES, "models/b.sql": "select * from {{ source('raw', 'orders') }} where no_column"})
    load(project, AGES["error"])
    assert project.dbt("build", "--select", "a", env={"AFRESH": "1"}).exit_code == 1
    assert project.afresh("build").exit_code == 1
    project.write({"models/b.sql": "select id from {{ source('raw', 'orders') }}"})
    project.write({"before/run_results.json": project.read("target/run_results.json")})
    retried = project.afresh("retry", "--state", "before")
    assert (retried.executed, retried.exit_code) == ({"b"}, 1)
    assert project.dbt("build", env={"AFRESH": "0"}).exit_code == 0


def test_a_plan_tells_of_late_feeds_and_fails_for_none(shop):
    project = shop(FILES)
    load(project, AGES["error"])
    outcome = project.afresh("plan")
    assert outcome.exit_code == 0
    assert "raw.orders is late" in outcome.stdout


def test_a_feed_without_limits_or_without_loaded_at_is_never_late(shop):
    without_field = SOURCES.replace("        loaded_at_field: loaded\n", "", 1)
    without_limits = SOURCES.replace(
        "freshness: {warn_after: {count: 1, period: day}, error_after: {count: 2, period: day}}", "freshness: null"
    )
    for number, sources in enumerate((without_field, without_limits)):
        project = shop({**FILES, "models/sources.yml": sources}, name=f"shop_{number}")
        load(project, AGES["error"])
        outcome = project.afresh("build")
        assert (outcome.exit_code, "late" in outcome.stdout) == (0, False)
