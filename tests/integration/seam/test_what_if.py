"""Plans of what is not: with changes that are assumed, and at a moment that is still to come."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from afresh.core.lease import Holder
from afresh.store import open_store
from integration.bad_input.refusal import assert_refused

TABLE = "{{ config(materialized='table') }} "
STATE = ".afresh/state.db"
FILES = {
    "models/sources.yml": "sources: [{name: raw, schema: raw, tables: [{name: one}, {name: two}]}]",
    "models/inlined.sql": "{{ config(materialized='ephemeral') }} select id from {{ source('raw', 'one') }}",
    "models/seen.sql": "select id from {{ ref('inlined') }}",
    "models/kept.sql": TABLE + "select id from {{ ref('seen') }}",
    "models/last.sql": TABLE + "select k.id from {{ ref('kept') }} k, {{ ref('inlined') }} i",
    "models/aside.sql": TABLE + "select id from {{ source('raw', 'two') }}",
    "models/schema.yml": """
        models: [{name: kept, columns: [{name: id, data_tests: [not_null]}]}]
        unit_tests:
          - {name: is_kept, model: kept, given: [{input: ref('seen'), rows: [{id: 1}]}], expect: {rows: [{id: 1}]}}
        """,
}
RAW = ("create schema raw", "create table raw.one as select 1 as id", "create table raw.two as select 1 as id")
SLOW = "{{ config(materialized='table', meta={'afresh': {'lag_tolerance': '6h'}}) }} "
OLD = "{{ config(materialized='table', meta={'afresh': {'max_age': '2d'}}) }} "


def plan_of(project, *args):
    whole = project.afresh("plan", *args, "--output", "json").json()
    verdicts = {
        node["unique_id"].split(".")[2]: (node["decision"], [cause["code"] for cause in node["reasons"]]) for node in whole["nodes"]
    }
    return verdicts, whole


@pytest.fixture
def built(shop):
    project = shop(FILES)
    project.execute(*RAW)
    assert project.afresh("build").exit_code == 0
    return project


@pytest.mark.parametrize(
    ("named", "edit"),
    [
        ("source:raw.one", None),
        ("model:seen", ("models/seen.sql", "select id from {{ ref('inlined') }} where id > 0")),
        ("kept", ("models/kept.sql", TABLE + "select id + 0 as id from {{ ref('seen') }}")),
        (
            "model:inlined",
            ("models/inlined.sql", "{{ config(materialized='ephemeral') }} select id + 0 as id from {{ source('raw', 'one') }}"),
        ),
    ],
    ids=["source", "view", "table", "ephemeral"],
)
def test_what_is_assumed_is_planned_as_it_would_be_if_it_happened(built, named, edit):
    assumed, whole = plan_of(built, "--assume-changed", named)
    assert whole["what_if"]["at"] is None
    assert len(whole["what_if"]["changes"]) == 1
    assert whole["warnings"] == []

    if edit is None:
        built.execute("insert into raw.one values (2)")
    else:
        built.write(dict([edit]))
    happened, whole = plan_of(built)

    assert {name: verdict for name, (verdict, _) in assumed.items()} == {name: verdict for name, (verdict, _) in happened.items()}
    assert whole["what_if"] is None
    assert assumed["aside"] == ("reuse", ["unchanged"])


def test_a_plan_says_at_its_top_that_it_is_a_what_if_and_records_nothing(built):
    state = (built.root / STATE).read_bytes()

    told = " ".join(built.afresh("plan", "--assume-changed", "source:raw", "--assume-changed", "model:last").stdout.split())

    assert "What if: source raw.one has new data, source raw.two has new data, last was edited. This is assumed" in told
    assert "Reused, nothing changed (2)" in told
    assert (built.root / STATE).read_bytes() == state
    assert "What if" not in built.afresh("plan").stdout


def test_a_node_that_is_not_selected_counts_as_built_by_another_run(built):
    verdicts, whole = plan_of(built, "--select", "last", "--assume-changed", "model:kept")
    assert verdicts["last"] == ("build", ["new_data"])
    assert whole["what_if"]["changes"] == [{"node": "model.shop.kept", "label": "kept", "change": "built"}]


def test_a_change_that_concerns_nothing_selected_is_told(built):
    verdicts, whole = plan_of(built, "--select", "aside", "--assume-changed", "source:raw.one")
    assert verdicts["aside"] == ("reuse", ["unchanged"])
    assert whole["warnings"] == ["nothing that is selected reads source raw.one, so it makes no difference that it is assumed to change"]


@pytest.mark.parametrize(
    ("named", "what", "hint"),
    [
        ("source:raw.onne", "nothing in this project is called `source:raw.onne`", "Did you mean `source:raw.one`?"),
        ("model:kpet", "nothing in this project is called `model:kpet`", "Did you mean `model:kept`?"),
        ("kpet", "nothing in this project is called `kpet`", "Did you mean `model:kept`?"),
        ("source:kept", "nothing in this project is called `source:kept`", "Name it as in `--select`"),
        ("tag:nightly", "`tag:` cannot be assumed to change", "Name it as in `--select`"),
    ],
)
def test_a_name_that_means_nothing_is_told_with_the_nearest_one(built, named, what, hint):
    assert_refused(built.afresh("plan", "--assume-changed", named), what, hint)


@pytest.mark.parametrize(("named", "count"), [("*", 6), ("source:raw.*", 2), ("shop.kept", 1), ("model.shop.kept", 1), ("raw.one", 1)])
def test_names_are_patterns_and_ids_and_a_source_where_no_node_is_called_so(built, named, count):
    assert len(plan_of(built, "--assume-changed", named)[1]["what_if"]["changes"]) == count


def later(**span) -> str:
    return f"{datetime.now(timezone.utc) + timedelta(**span):%Y-%m-%d %H:%M+00:00}"


def test_everything_that_depends_on_the_clock_is_decided_at_the_moment_asked_for(shop):
    project = shop(
        {
            "models/sources.yml": FILES["models/sources.yml"],
            "models/slow.sql": SLOW + "select id from {{ source('raw', 'one') }}",
            "models/old.sql": OLD + "select 1 as id",
            "models/today.sql": TABLE + "select id from {{ source('raw', 'two') }} where current_date > date '2020-01-01'",
        }
    )
    project.execute(*RAW)
    project.afresh("build")
    project.execute("insert into raw.one values (2)")

    now, _ = plan_of(project)
    assert {name: codes for name, (_, codes) in now.items()} == {
        "slow": ["too_soon", "new_data"],
        "old": ["unchanged"],
        "today": ["unchanged"],
    }
    soon, whole = plan_of(project, "--at", later(hours=6, minutes=2), "--select", "slow")
    assert soon == {"slow": ("build", ["new_data"])}
    assert whole["what_if"]["changes"] == []
    assert whole["what_if"]["at"] > whole["nodes"][0]["last_built_at"]
    far, _ = plan_of(project, "--at", later(days=3))
    assert far == {"slow": ("build", ["new_data"]), "old": ("build", ["max_age"]), "today": ("build", ["volatile_value"])}
    assert "the run starts at" in project.afresh("plan", "--at", later(days=3)).stdout
    assert plan_of(project)[0] == now


def test_an_interval_holds_for_a_change_that_is_assumed(shop):
    project = shop(
        {"models/sources.yml": FILES["models/sources.yml"], "models/slow.sql": SLOW + "select id from {{ source('raw', 'one') }}"}
    )
    project.execute(*RAW)
    project.afresh("build")

    changed = ("--assume-changed", "source:raw.one")
    assert plan_of(project, *changed)[0] == {"slow": ("reuse", ["too_soon", "new_data"])}
    assert plan_of(project, *changed, "--at", later(hours=7))[0] == {"slow": ("build", ["new_data"])}


def test_a_moment_that_is_over_is_refused(built):
    assert_refused(built.afresh("plan", "--at", "2020-01-01 06:00Z"), "2020-01-01 06:00 is over", "A plan can look ahead only")


def test_who_holds_a_node_of_the_plan_is_told(built):
    with open_store(f"sqlite:///{built.root / STATE}") as store:
        (key,) = [key for key, node in store.recorded().items() if node == "model.shop.kept"]
        store.acquire(key, Holder("01OTHER", "etl-1", 4711, "model.shop.kept", "hourly"), timedelta(minutes=5))

    text = " ".join(built.afresh("plan").stdout.split())
    assert "Taken by other runs at this moment (1) kept run 01OTHER of hourly decides on it since" in text
    assert "pid 4711 on etl-1" in text
    assert "| `kept` | run 01OTHER of hourly" in built.afresh("plan", "--output", "markdown").stdout
    (lease,) = plan_of(built)[1]["leases"]
    assert (lease["subject"], lease["run_id"], lease["pid"], lease["building"]) == ("model.shop.kept", "01OTHER", 4711, False)
    assert plan_of(built, "--select", "aside")[1]["leases"] == []
