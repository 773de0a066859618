"""The core's values become the lines of an explanation without losing what the reader needs."""

from __future__ import annotations

from datetime import timedelta

from afresh.core.node import Kind, Node, NodeId, ResourceType
from afresh.core.observation import Observation, ObservedInput
from afresh.core.policy import Policy, UpdatesOn
from afresh.core.version import Known, Unknown
from afresh.render.lines import input_lines, policy_lines
from unit.render.examples import AT, TRACE

NODE = Node(NodeId("model.shop.orders"), "orders", ResourceType.MODEL, Kind.TABLE, materialized="table")


def test_inputs_are_compared_and_those_no_longer_read_come_last():
    seen = Observation(
        NODE,
        now=AT,
        scheduled_at=AT,
        inputs=(
            ObservedInput("model.shop.stg_orders", None, Known("b1")),
            ObservedInput("source.shop.crm.accounts", None, Unknown("no signal"), label="source crm.accounts"),
        ),
    )
    added, unknown, gone = input_lines(seen, TRACE)
    assert (added.label, added.recorded, added.observed, added.same) == ("stg_orders", None, "b1", False)
    assert (unknown.observed, unknown.note) == (None, "no signal")
    assert (gone.label, gone.recorded, gone.observed) == ("source ecom.raw_orders", "9f3ac1d2:1201", None)


def test_an_unknown_version_never_counts_as_the_same():
    (line,) = input_lines(
        Observation(NODE, now=AT, scheduled_at=AT, inputs=(ObservedInput("source.shop.ecom.raw_orders", None, Unknown("x")),)), TRACE
    )
    assert not line.same


def test_settings_are_shown_in_the_words_of_the_config_with_their_origin():
    lines = {
        line.key: (line.value, line.origin)
        for line in policy_lines(Policy(updates_on=UpdatesOn.ALL, interval=timedelta(hours=4)), {"count": "freshness.build_after.count"})
    }
    assert lines["lag_tolerance"] == ("4h", "freshness.build_after.count")
    assert lines["require_fresh_data_from"] == ("all", "default")
    assert lines["max_age"] == ("none", "default")
