"""`afresh state check` looks again at what is selected, and fails where one node is stale or nobody can tell."""

from __future__ import annotations

from datetime import timedelta

import pytest

from afresh.core.lease import Holder
from afresh.store import open_store
from integration.bad_input.refusal import assert_refused

TABLE = "{{ config(materialized='table') }} "
FILES = {
    "models/sources.yml": "sources: [{name: raw, schema: raw, tables: [{name: orders}]}]",
    "models/orders.sql": TABLE + "select * from {{ source('raw', 'orders') }}",
    "models/seen.sql": "select * from {{ ref('orders') }}",
    "models/lazy.sql": "{{ config(materialized='table', meta={'afresh': {'lag_tolerance': '1d'}}) }} select count(*) as n from {{ ref('seen') }}",
    "models/alone.sql": TABLE + "select 1 as id",
}


@pytest.fixture
def fed(shop):
    project = shop(FILES)
    project.execute("create schema raw", "create table raw.orders as select 1 as id")
    assert project.afresh("build").exit_code == 0
    return project


def not_current(outcome) -> dict[str, str]:
    assert outcome.exit_code == 1
    _, *lines = outcome.stdout.replace("\n    ", " ").splitlines()
    return {line.split()[0]: " ".join(line.split()[1:]) for line in lines}


@pytest.mark.smoke
def test_nothing_is_stale_until_something_changes_and_checking_touches_nothing(fed):
    outcome = fed.afresh("state", "check")
    assert (outcome.exit_code, outcome.stdout) == (0, "4 nodes are current\n")
    before = (fed.root / ".afresh/state.db").read_bytes()

    fed.execute("insert into raw.orders values (2)")
    found = not_current(fed.afresh("state", "check"))
    assert found["orders"] == "to build new data in source raw.orders"
    assert found["lazy"].startswith("tolerated too soon: due at")
    assert found.keys() == {"orders", "lazy"}
    assert (fed.root / ".afresh/state.db").read_bytes() == before
    assert fed.afresh("state", "check", "--select", "alone").stdout == "1 node is current\n"

    fed.afresh("build")
    assert not_current(fed.afresh("state", "check"))["lazy"].startswith("tolerated too soon")
    allowed = fed.afresh("state", "check", "--allow-tolerated")
    assert (allowed.exit_code, allowed.stdout) == (0, "4 nodes are current, 1 of them behind, as a setting allows\n")


def test_programs_read_what_is_not_current(fed):
    fed.replace("models/alone.sql", "1 as id", "2 as id")
    outcome = fed.afresh("state", "check", "--output", "json")
    document = outcome.json()
    assert outcome.exit_code == 1
    assert (document["kind"], document["target"], document["current"], document["checked"]) == ("check", "dev", False, 4)
    assert [(node["unique_id"], node["decision"]) for node in document["nodes"]] == [("model.shop.alone", "build")]
    assert document["nodes"][0]["reasons"][0]["code"] == "code_changed"


def test_what_another_run_is_building_just_now_is_not_current(fed):
    with open_store("sqlite:///.afresh/state.db", base=fed.root) as store:
        (key,) = (key for key, node in store.recorded().items() if node == "model.shop.alone")
        lease = store.acquire(key, Holder("01OTHER", "etl-2", 7, "model.shop.alone"), timedelta(minutes=5))
        assert fed.afresh("state", "check").exit_code == 0  # it may still be deciding

        store.open_build(lease, "model.shop.alone", (), "01OTHER")
        assert not_current(fed.afresh("state", "check")) == {"alone": "being built run 01OTHER on etl-2 is building it now"}
        assert fed.afresh("state", "check", "--output", "json").json()["leases"][0]["run_id"] == "01OTHER"


def test_without_state_everything_is_to_build_and_none_is_made(shop):
    project = shop({"models/a.sql": "select 1 as id"})
    assert not_current(project.afresh("state", "check")) == {"a": "to build never built with this state"}
    assert not (project.root / ".afresh").exists()


def test_what_cannot_be_checked_is_one_error(fed):
    assert_refused(fed.afresh("state", "check", "--select", "nope"), "nothing is selected, so nothing was checked")
    assert_refused(fed.afresh("state", "check", "--selct", "a"), "Usage: afresh state check")
    assert_refused(fed.afresh("state", "check", "--output", "xml"), "'xml' is not one of")
    assert_refused(fed.afresh("state", "check", "--state-url", "nonsense"), "option --state-url: state cannot be kept in")
    fed.write({"models/broken.sql": "select * from {{ ref('nope') }}"})
    assert_refused(fed.afresh("state", "check"), "depends on a node named 'nope' which was not found")
