"""Recommendations come from what runs did, say what they rest on, and stay silent where the history is too short."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import jsonschema
import pytest

import afresh.render
from afresh.core import reason as why
from afresh.core.lease import Holder
from afresh.core.node import NodeId
from afresh.core.relation import Relation
from afresh.core.trace import RecordedInput
from afresh.core.version import Known
from afresh.orchestration.recommending import recommend
from afresh.render.json import reasons_json
from afresh.render.recommendations import recommendations_json, recommendations_text, yaml_of
from afresh.store import DecisionRow, RunRecord, open_store
from unit.render.examples import TRACE, golden

START = datetime(2026, 11, 1, 6, 0, tzinfo=timezone.utc)
SCHEMA = json.loads((Path(afresh.render.__file__).parent / "schema.json").read_text(encoding="utf-8"))
NEW_EVENTS = why.NewData((why.InputChange("source.shop.raw.events", "source raw.events", Known("1"), Known("2")),))


def key_of(name):
    return Relation("w", "shop", "main", name).key


def read(name):
    return RecordedInput(f"model.shop.{name}", key_of(name), Known("1"))


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path / 'state.db'}") as opened:
        yield opened


def record(store, name, *inputs, compiled="select 1", **more):
    """The last build of a table."""
    key = key_of(name)
    lease = store.acquire(key, Holder("r0", "here", 1), timedelta(minutes=1))
    build = store.open_build(lease, f"model.shop.{name}", (), "r0")
    trace = replace(
        TRACE, key=key, node=NodeId(f"model.shop.{name}"), build_id=build.build_id, inputs=inputs, execution_seconds=60.0, **more
    )
    store.record_trace(lease, trace, compiled=compiled)


def lived(store, hours, built, policy="[]"):
    """A run an hour; ``built`` says for each table in which of them it was built."""
    for hour in range(hours):
        run = f"r{hour:03}"
        store.begin_run(RunRecord(run, "build", "shop", "prod", scheduled_at=START + timedelta(hours=hour)))
        store.record_decisions(run, [_row(name, hour, is_built(hour), policy) for name, is_built in built.items()])


def _row(name, hour, is_built, policy):
    cause = why.NeverBuilt() if hour == 0 else NEW_EVENTS if is_built else why.Unchanged()
    verdict = ("build", None, "success", 60.0 + hour / 1000) if is_built or hour == 0 else ("reuse", "verified", "reused", 0.0)
    decision, confidence, status, seconds = verdict
    return DecisionRow(
        node=f"model.shop.{name}",
        key=key_of(name),
        resource_type="model",
        materialized="table",
        relation=name,
        decision=decision,
        confidence=confidence,
        reasons=reasons_json([cause]),
        status=status,
        execution_time=seconds,
        policy=policy,
    )


def always(_hour):
    return True


def daily(hour):
    return hour % 24 == 0


def test_an_interval_is_recommended_that_spares_builds_which_nobody_reads(store):
    record(store, "stage")
    record(store, "seen", read("stage"), relation_type="view")
    record(store, "mart", read("seen"))
    lived(store, 97, {"stage": always, "mart": daily})

    found = recommend(store)

    (one,) = found.worth
    assert (one.table.node, one.table.target, one.table.builds, one.table.inputs) == (
        "model.shop.stage",
        "prod",
        96,
        (("source raw.events", 96),),
    )
    assert (one.saving.interval, one.saving.builds, one.saving.seconds) == (timedelta(days=1), 92, 92 * 60.0)
    assert (one.reads, one.unread) == (5, 92)
    assert found.too_short == ("mart",)
    assert yaml_of(found.worth) == "models:\n  - name: stage\n    config: {meta: {afresh: {lag_tolerance: 1d}}}\n"


def test_nothing_is_recommended_where_it_holds_already_or_every_build_is_read(store):
    record(store, "stage")
    record(store, "mart", read("stage"))
    lived(store, 49, {"stage": always, "mart": always})
    found = recommend(store)
    assert (found.worth, found.judged) == ((), 1)
    assert [choice.table.name for choice in found.choices] == ["mart"]
    assert [(one.interval, one.builds) for one in found.choices[0].savings] == [
        (timedelta(hours=1), 0),
        (timedelta(hours=6), 40),
        (timedelta(days=1), 46),
    ]


def test_an_interval_that_is_set_already_is_not_recommended_again(store):
    record(store, "stage")
    record(store, "mart", read("stage"))
    lived(store, 97, {"stage": always, "mart": daily}, policy='[["lag_tolerance", "1d", "models/stage.yml:3"]]')
    assert recommend(store).worth == ()


def test_a_table_that_the_sql_below_an_ephemeral_model_may_read_is_read(store):
    record(store, "stage")
    record(store, "other")
    inlined = RecordedInput("model.shop.inlined", None, Known("1"))
    record(store, "mart", inlined, compiled='with x as (select * from "shop"."main"."STAGE") select * from x')
    lived(store, 49, {"stage": always, "other": always, "mart": always})
    found = recommend(store)
    assert found.worth == ()
    assert {choice.table.name for choice in found.choices} == {"other", "mart"}


def test_a_short_history_says_that_it_is_short(store):
    record(store, "stage")
    record(store, "mart", read("stage"))
    lived(store, 5, {"stage": always, "mart": daily})
    found = recommend(store)
    assert (found.worth, found.choices, found.too_short) == ((), (), ("mart", "stage"))
    told = recommendations_text(found, width=100, color=False)
    assert "The history is too short to recommend anything yet." in told
    assert "fewer than 8 builds for new data" in told


@pytest.mark.parametrize("width", [80, 160])
def test_recommendations_read_as_reviewed(store, width):
    record(store, "stage")
    record(store, "mart", read("stage"))
    record(store, "report", read("mart"))
    lived(store, 97, {"stage": always, "mart": daily, "report": always})
    found = replace(recommend(store), now=START + timedelta(days=5), since=START)
    text = recommendations_text(found, width=width, color=False)
    assert text == golden(f"recommend_{width}.txt", text)
    assert max(map(len, text.splitlines())) <= width
    whole = json.loads(recommendations_json(found))
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(whole)
    assert whole["recommendations"][0]["interval"] == "1d"
    assert whole["yaml"] == yaml_of(found.worth)


def test_a_version_of_a_model_is_named_as_dbt_does():
    found = recommend_of("model.shop.orders.v2", timedelta(minutes=90))
    assert yaml_of((found,)) == ("models:\n  - name: orders\n    versions: [{v: 2, config: {meta: {afresh: {lag_tolerance: 1h30m}}}}]\n")


def recommend_of(node, interval):
    from afresh.render.recommendations import Recommendation, Saving, Table

    return Recommendation(Table(node, node, "prod", 10), Saving(interval, 3, None), 3, 2)
