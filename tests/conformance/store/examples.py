"""What the store's tests work with: a clock that moves when told, and small values to put in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from afresh.core.lease import Holder, Lease
from afresh.core.node import NodeId, ResourceType
from afresh.core.relation import Relation, TraceKey
from afresh.core.trace import RecordedInput, Trace
from afresh.core.version import CodeVersion, Known, Part, PartGroup, Unknown
from afresh.store import Build, DecisionRow, RunRecord, StateStore

TTL = timedelta(seconds=30)
START = datetime(2026, 11, 22, 6, 50, tzinfo=timezone.utc)


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **span: float) -> None:
        self.time += timedelta(**span)


def key_of(name: str) -> TraceKey:
    return Relation("warehouse", "shop", "main", name).key


ORDERS = key_of("orders")
CUSTOMERS = key_of("customers")
ALICE = Holder("run-alice", "etl-1", 11, "model.shop.orders", "hourly")
BOB = Holder("run-bob", "etl-2", 22, "model.shop.orders", "daily")


def trace_of(key: TraceKey = ORDERS, build_id: str = "build", **changes: Any) -> Trace:
    plain = Trace(
        key=key,
        node=NodeId("model.shop.orders"),
        resource_type=ResourceType.MODEL,
        project="shop",
        build_id=build_id,
        run_id="run-alice",
        code=CodeVersion({"sql": Part("ab12"), "description": Part("cd34", PartGroup.METADATA, "All orders")}),
        inputs=(
            RecordedInput("source.shop.raw.orders", key_of("raw_orders"), Known("t1")),
            RecordedInput("read_csv('x')", None, Unknown("a file nobody declared")),
        ),
        output_version=build_id,
        started_at=START,
        finished_at=START + timedelta(seconds=2),
        scheduled_at=START - timedelta(seconds=7),
        execution_seconds=2.0,
        reasons=("never_built",),
    )
    return replace(plain, **changes)


def granted(store: StateStore, key: TraceKey = ORDERS, holder: Holder = ALICE, ttl: timedelta = TTL) -> Lease:
    lease = store.acquire(key, holder, ttl)
    assert isinstance(lease, Lease)
    return lease


def announced(store: StateStore, lease: Lease) -> Build:
    return store.open_build(lease, "model.shop.orders", ("never_built",), lease.holder.run_id)


def built(store: StateStore, key: TraceKey = ORDERS, holder: Holder = ALICE, **changes: Any) -> Trace:
    """One whole build that ends well."""
    lease = granted(store, key, holder)
    build = announced(store, lease)
    return store.record_trace(lease, trace_of(key, build.build_id, started_at=build.started_at, **changes))


def recorded_test(store: StateStore, trace: Trace, compiled: str = "", depfile: bytes = b"") -> Trace:
    """One test that ran, and its trace as it was kept."""
    store.record_tests([(trace, compiled, depfile)])
    return store.snapshot([trace.key]).traces[trace.key]


def run_of(run_id: str, **changes: Any) -> RunRecord:
    return replace(RunRecord(run_id, "afresh build", "shop", "prod"), **changes)


def verdict_on(node: str = "model.shop.orders", **changes: Any) -> DecisionRow:
    plain = DecisionRow(
        node=node,
        key=ORDERS,
        resource_type="model",
        materialized="table",
        relation="shop.main.orders",
        decision="reuse",
        confidence="verified",
        reasons='[{"code": "unchanged"}]',
        status="reused",
        stage="bulk",
    )
    return replace(plain, **changes)
