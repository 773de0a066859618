"""What a doctor says of a source, and what to write into its YAML."""

from __future__ import annotations

import pytest
import yaml

from afresh.cli.source_lines import SourcePlace, source_line
from afresh.core.node import Kind, Node, NodeId, ResourceType
from afresh.core.relation import Relation
from afresh.core.trace import Signature
from afresh.core.version import Known, Unknown
from afresh.orchestration.examining import SourceFinding
from afresh.warehouse.names import Name
from afresh.warehouse.probe import MISSING, ProbeAnswer, Signal, SourceSignal, Strength, Target

ORDERS = Relation("duckdb:/w", "shop", "raw", "orders")
NODE = Node(NodeId("source.shop.raw.orders"), "raw.orders", ResourceType.SOURCE, Kind.SOURCE, relation=ORDERS, key=ORDERS.key)
TARGET = Target(ORDERS, Name("shop", "raw", "orders"))
PLACE = SourcePlace("models/sources.yml", "raw", "orders")


def line(answer: ProbeAnswer | None, target: Target = TARGET, **more):
    return source_line(SourceFinding(NODE, "source raw.orders", target, answer, **more), PLACE)


def columns(*named: str) -> Signature:
    return Signature(tuple((name, kind) for name, _, kind in (one.partition(" ") for one in named)))


@pytest.mark.parametrize(
    ("signature", "field"),
    [
        (columns("id int", "born timestamp", "updated_at timestamp with time zone"), "updated_at"),
        (columns("id int", "born TIMESTAMP"), "born"),
        (columns("id int", "updated_at text"), "loaded_at"),
        (None, "loaded_at"),
    ],
)
def test_the_column_that_may_tell_when_rows_came_is_suggested(signature, field):
    fix = line(ProbeAnswer(Unknown("no signal"), signature=signature)).fix
    assert yaml.safe_load(fix) == {"sources": [{"name": "raw", "tables": [{"name": "orders", "loaded_at_field": field}]}]}


def test_where_the_user_chose_the_weaker_signal_that_can_be_taken_back():
    chosen = Target(ORDERS, TARGET.name, loaded_at_field="at", source_signal=SourceSignal.LOADED_AT)
    found = line(ProbeAnswer(Known("loaded_at=1"), Signal.LOADED_AT, Strength.DECLARED, ("cannot see late rows",)), chosen)
    assert (found.health, found.strength, found.note) == ("warning", "declared", "cannot see late rows")
    assert "source_signal: auto" in found.fix


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        (MISSING, TARGET),
        (ProbeAnswer(Unknown("loaded_at_field failed")), Target(ORDERS, TARGET.name, loaded_at_field="at")),
        (ProbeAnswer(Known("t"), Signal.STATISTICS, Strength.EXACT), TARGET),
    ],
)
def test_where_nothing_can_be_suggested_nothing_is(answer, target):
    assert line(answer, target).fix == ""


def test_a_relation_that_nobody_can_name_is_a_problem():
    assert line(None).health == "problem"


def test_what_a_job_of_this_state_builds_is_known():
    found = line(None, kept_by="model.hub.orders")
    assert (found.health, found.signal, found.note) == ("ok", "build", "orders builds it, so its version is known without asking")
