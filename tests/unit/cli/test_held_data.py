"""Which sources' data a relation holds is read from recorded inputs, upwards, and never told newer than it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

from afresh.cli.held_data import Upwards
from afresh.core.node import NodeId, ResourceType
from afresh.core.relation import Relation
from afresh.core.trace import RecordedInput
from afresh.core.version import Known
from unit.render.examples import AT, TRACE

HOUR = timedelta(hours=1)
RAW, CRM = RecordedInput("source.shop.ecom.raw", None, Known("7")), RecordedInput("source.shop.crm.accounts", None, Known("3"))


def key_of(name):
    return Relation("w", "d", "main", name).key


def read(name, version="", kind="model"):
    return RecordedInput(f"{kind}.shop.{name}", key_of(name), Known(version or f"{name} 1"))


def source(entry):
    return replace(entry, key=key_of(entry.node))


def built(name, *inputs, at=AT, version="", **more):
    given = {
        "key": key_of(name),
        "node": NodeId(f"model.shop.{name}"),
        "inputs": inputs,
        "output_version": version or f"{name} 1",
        "started_at": at,
        "finished_at": at + timedelta(minutes=1),
    }
    return replace(TRACE, **{**given, **more})


def held(trace, *others, read_at=None):
    known = {one.key: one for one in others}
    store = SimpleNamespace(snapshot=lambda keys: SimpleNamespace(traces={key: known[key] for key in keys if key in known}))
    found = Upwards(store, {trace.key: trace}).held_by(trace, read_at=read_at or trace.started_at)
    return {line.label: (line.read_at, line.version, line.is_exact) for line in found.data}, found.not_recorded


def test_a_source_that_was_read_directly_has_its_version_and_the_moment_of_the_build():
    assert held(built("orders", source(RAW))) == ({"source ecom.raw": (AT, "7", True)}, ())


def test_data_is_as_old_as_the_table_on_its_way():
    stage = built("stage", source(RAW), at=AT - 2 * HOUR)
    assert held(built("orders", read("stage"), source(CRM)), stage)[0] == {
        "source ecom.raw": (AT - 2 * HOUR, "7", True),
        "source crm.accounts": (AT, "3", True),
    }


def test_what_was_built_again_since_says_only_that_the_data_is_not_newer():
    stage = built("stage", source(RAW), at=AT + HOUR, version="stage 2")
    assert held(built("orders", read("stage")), stage)[0] == {"source ecom.raw": (AT, None, False)}


def test_through_a_view_data_is_of_the_moment_when_the_view_was_read():
    view = built("view", source(RAW), read("stage", "stage 0"), at=AT - 9 * HOUR, relation_type="view")
    stage = built("stage", source(CRM), at=AT - HOUR)
    assert held(built("orders", read("view", "view:1")), view, stage)[0] == {
        "source ecom.raw": (AT, None, True),
        "source crm.accounts": (AT - HOUR, "3", True),
    }
    rebuilt = replace(stage, started_at=AT + HOUR, finished_at=AT + HOUR)
    assert held(built("orders", read("view", "view:1")), view, rebuilt)[0]["source crm.accounts"] == (AT, None, False)
    assert held(view, stage, read_at=AT + HOUR)[0]["source ecom.raw"] == (AT + HOUR, None, True)


def test_of_several_ways_the_oldest_data_counts():
    old, new = built("old", source(RAW), at=AT - 5 * HOUR), built("new", source(RAW), at=AT - HOUR)
    assert held(built("orders", read("new"), read("old")), old, new)[0] == {"source ecom.raw": (AT - 5 * HOUR, "7", True)}


def test_a_seed_is_of_its_build_and_an_ephemeral_model_is_named_because_nobody_recorded_what_it_reads():
    seed = built("countries", at=AT - HOUR, resource_type=ResourceType.SEED)
    inlined = RecordedInput("model.shop.inlined", None, Known("ephemeral:1"))
    found = held(built("orders", read("countries", kind="seed"), inlined), seed)
    assert found == ({"seed countries": (AT - HOUR, None, True)}, ("inlined",))


def test_two_tables_that_read_each_other_end():
    one = built("one", read("two"), source(RAW), at=AT - HOUR)
    two = built("two", read("one"), source(CRM), at=AT)
    assert set(held(two, one)[0]) == {"source ecom.raw", "source crm.accounts"}
