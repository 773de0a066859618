"""Short words for what a decision is made of, so that a row of the decision table reads as a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from afresh.core import reason as why
from afresh.core.decision import Build, Confidence, Reuse, Skip, Undetermined
from afresh.core.node import Kind, Node, NodeId, ResourceType
from afresh.core.observation import Observation, ObservedInput, Present
from afresh.core.relation import Relation, test_key
from afresh.core.trace import RecordedInput, TestOutcome, TestStatus, Trace
from afresh.core.version import CodeVersion, Known, PartChange, PartGroup, Unknown

BUILT_AT = datetime(2026, 11, 22, 6, 0, tzinfo=timezone.utc)
"""When the run that built the relation was scheduled."""
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

RAW = "source.shop.raw.orders"
STAGED = "model.shop.stg_customers"
SEED = "seed.shop.countries"

OLD, NEW = Known("v1"), Known("v2")
NOBODY_KNOWS = Unknown("nobody can say")

SQL_PART = PartChange("sql", PartGroup.CODE, "select 1", "select 2")
VAR_PART = PartChange("var start_date", PartGroup.CODE, "2020", "2021")
DBT_PART = PartChange("macro dbt.create_table_as", PartGroup.ENGINE, "1.10", "1.11")
GRANT_PART = PartChange("grants", PartGroup.METADATA, "reader", "reader, writer")


def _node(name: str, kind: Kind, resource_type: ResourceType = ResourceType.MODEL) -> Node:
    relation = Relation("w", "shop", "main", name)
    is_test = kind in (Kind.DATA_TEST, Kind.UNIT_TEST)
    unique_id = NodeId(f"{resource_type.value}.shop.{name}")
    key = test_key(unique_id, "w", [relation.key]) if is_test else relation.key
    return Node(unique_id, name, resource_type, kind, relation=None if is_test else relation, key=key, project="shop")


TABLE = _node("orders", Kind.TABLE)
VIEW = _node("orders_view", Kind.VIEW)
TEST = _node("not_null_orders_id", Kind.DATA_TEST, ResourceType.TEST)
UNIT_TEST = _node("orders_adds_up", Kind.UNIT_TEST, ResourceType.UNIT_TEST)
AUTO_REFRESHED = _node("orders_live", Kind.AUTO_REFRESHED)
FUNCTION = _node("cents_to_dollars", Kind.FUNCTION, ResourceType.FUNCTION)


def reading(node: str, version: Known | Unknown = OLD, **facts: object) -> ObservedInput:
    """An input as it is now; as recorded unless told otherwise."""
    return ObservedInput(node=node, key=None, version=version, **facts)


BOTH_AS_RECORDED = (reading(RAW), reading(STAGED))


def built(node: Node = TABLE, **facts: object) -> Trace:
    """The trace of a build of ``node`` that read the old data of both inputs; a test passed."""
    trace = Trace(
        key=node.key,
        node=node.id,
        resource_type=node.resource_type,
        project="shop",
        build_id="b1",
        run_id="r1",
        code=CodeVersion(),
        inputs=(RecordedInput(RAW, None, OLD), RecordedInput(STAGED, None, OLD)),
        output_version="b1",
        started_at=BUILT_AT + MINUTE,
        finished_at=BUILT_AT + 2 * MINUTE,
        scheduled_at=BUILT_AT,
        relation_type="" if node.relation is None else "view" if node.kind is Kind.VIEW else "table",
        test=TestOutcome(TestStatus.PASS) if node.relation is None else None,
    )
    return replace(trace, **facts)


def seen(node: Node = TABLE, *, after: timedelta = HOUR, **facts: object) -> Observation:
    """What is seen of ``node``, in a run scheduled ``after`` the one that built it: nothing has changed unless told otherwise."""
    usual: dict[str, object] = {"inputs": BOTH_AS_RECORDED}
    if node.relation is not None:
        usual["existence"] = Present("view" if node.kind is Kind.VIEW else "table")
    at = BUILT_AT + after
    return Observation(node=node, now=at, scheduled_at=at, **(usual | facts))


def new_data(*changes: tuple[str, Known | Unknown] | tuple[str, Known | Unknown, Known | None]) -> why.NewData:
    """The cause that these inputs have another version than the recorded one (``v1`` unless told otherwise)."""
    spelled = [(*change, OLD) if len(change) == 2 else change for change in changes]
    return why.NewData(tuple(why.InputChange(node, node, recorded, observed) for node, observed, recorded in spelled))


def builds(*causes: why.Reason) -> Build:
    return Build(causes)


def skips(parent: str) -> Skip:
    return Skip((why.UpstreamFailed(parent),))


def waits(*nodes: str, known: tuple[why.Reason, ...] = ()) -> Undetermined:
    return Undetermined(tuple(NodeId(node) for node in nodes), known)


def verified(trace: Trace, *causes: why.Reason) -> Reuse:
    return Reuse(trace, Confidence.VERIFIED, causes or (why.Unchanged(),))


def tolerated(trace: Trace, *causes: why.Reason) -> Reuse:
    return Reuse(trace, Confidence.TOLERATED, causes)


def applies(trace: Trace, *causes: why.Reason) -> Build:
    return Build(causes)
