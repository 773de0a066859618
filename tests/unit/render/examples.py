"""One example of every cause, and a small shop's plan: what the tests of this folder render."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from afresh.core import reason as why
from afresh.core.node import NodeId, ResourceType
from afresh.core.observation import FailedTest
from afresh.core.relation import TraceKey
from afresh.core.trace import AttemptState, RecordedInput, Trace
from afresh.core.version import CodeVersion, Known, PartChange, PartGroup, Unknown
from afresh.render.json import reason_view
from afresh.render.views import (
    Assumed,
    AssumedChange,
    Content,
    Explanation,
    HeldData,
    InputLine,
    LastBuild,
    LeaseLine,
    NextBuild,
    PastDecision,
    PlanHead,
    PlanRow,
    PolicyLine,
    Schedule,
    TextChange,
)

AT = datetime(2026, 11, 22, 6, 50, tzinfo=timezone.utc)
NOW = datetime(2026, 11, 22, 8, 50, tzinfo=timezone(timedelta(hours=1)))
RUN = "01JDA3K9QXR4W7T2M5N8P6V1BC"

MACRO = PartChange("macro cents_to_dollars", PartGroup.CODE, "a1b2c3d4", "d4e5f6a7")
VAR = PartChange("var start_date", PartGroup.CODE, "2020-01-01", "2021-01-01")
NEW_ORDERS = why.InputChange("source.shop.ecom.raw_orders", "source ecom.raw_orders", Known("9f3ac1d2:1201"), Known("9f3ac1d2:1244"))

EVERY_REASON: tuple[tuple[why.Reason, str], ...] = (
    (why.UpstreamFailed("model.shop.orders"), "orders failed or was skipped in this run"),
    (why.Forced(), "asked to build whatever the state says"),
    (why.Forced("state.enabled"), "`state.enabled: false` builds it in every run"),
    (why.FullRefresh(), "asked for a full refresh"),
    (why.Invalidated("ada", AT, "backfill"), "invalidated by ada at 2026-11-22 06:50 UTC: backfill"),
    (why.NotReusable("renders_with_side_effects"), "cannot be reused: renders_with_side_effects"),
    (why.NeverBuilt(), "never built with this state"),
    (why.RelationMissing(), "the relation is not in the warehouse any more"),
    (why.RelationTypeChanged("table", "view"), "the warehouse has a view where a table was built"),
    (
        why.Interrupted(AttemptState.INTERRUPTED, RUN, AT),
        "the last build was interrupted at 2026-11-22 06:50 UTC (run 01JDA3K9QX…)",
    ),
    (
        why.Interrupted(AttemptState.LOST_LEASE, RUN, AT, "host etl-2 slept"),
        "the last build lost its lease at 2026-11-22 06:50 UTC (run 01JDA3K9QX…): host etl-2 slept",
    ),
    (why.LastBuildFailed(RUN, AT, "division by zero"), "the last build failed at 2026-11-22 06:50 UTC (run 01JDA3K9QX…): division by zero"),
    (why.Tainted(AT), "built without state at 2026-11-22 06:50 UTC"),
    (why.PartialBuild(RUN, AT, "--empty"), "the last build at 2026-11-22 06:50 UTC was partial (run 01JDA3K9QX…): --empty"),
    (why.BuiltByOtherNode("model.old.orders"), "last built by another node: orders"),
    (why.CodeChanged((MACRO, VAR)), "code changed: macro cents_to_dollars, var start_date"),
    (why.EngineUpgraded((MACRO,)), "macros of dbt or of the adapter changed: macro cents_to_dollars"),
    (why.ChangedOutside("41", "44", "3 rows written"), "changed outside of Afresh since its last build: 3 rows written"),
    (
        why.FailedTests((FailedTest(NodeId("test.shop.unique_orders_id.0f1e2d"), AT, 1), FailedTest(NodeId("test.shop.no_gaps"), AT))),
        "2 tests failed on its last build: test unique_orders_id (1 failure), test no_gaps",
    ),
    (why.ViewStale("model.shop.stg_orders", "column `tax` was added"), "the stored view no longer fits stg_orders: column `tax` was added"),
    (why.NewData((NEW_ORDERS,)), "new data in source ecom.raw_orders"),
    (why.VolatileValue("current_date", "2026-11-21", "2026-11-22"), "current_date moved: 2026-11-21 → 2026-11-22"),
    (why.WindowMoved(None, "2026-11-22"), "the batch window moved: none → 2026-11-22"),
    (why.MaxAge(timedelta(hours=25), timedelta(days=1)), "the last build is 1d 1h old; `max_age` allows 1d"),
    (why.MetadataChanged((PartChange("description", PartGroup.METADATA, "", ""),)), "only descriptions or grants changed: description"),
    (why.Unchanged(), "nothing changed"),
    (why.Adopted(), "nothing changed since it was adopted; not built by Afresh"),
    (
        why.Adopted("ada@etl-1", "moved from plain dbt", AT),
        "adopted by ada@etl-1 as the run of 2026-11-22 06:50 UTC built it; not built by Afresh: moved from plain dbt",
    ),
    (why.TooSoon(AT + timedelta(hours=1), timedelta(hours=1)), "too soon: due at 2026-11-22 07:50 UTC, builds at most every 1h"),
    (why.WaitingForInputs(("source ecom.raw_items",)), "waits for new data in source ecom.raw_items"),
    (why.UpstreamTolerated(("model.shop.stg_orders",)), "as fresh as its inputs, which may lag: stg_orders"),
    (why.ClonedFrom('"prod"."main"."orders"'), 'cloned from "prod"."main"."orders"'),
    (why.NotPassedBefore("it did not pass the last time"), "the test has to run: it did not pass the last time"),
    (
        why.QueueTimeout("run 01JDA on etl-2", timedelta(hours=1)),
        "waited 1h for run 01JDA on etl-2, longer than `queue_timeout`",
    ),
    (why.LeaseLost("stopped for 40s"), "lost its lease while building: stopped for 40s"),
    (
        why.OrphanedQuery("run 01JDA", "session 42 of etl: permission denied"),
        "run 01JDA died, and what it left at work in the warehouse could not be ended: session 42 of etl: permission denied",
    ),
    (why.StateUnavailable(), "built without state, which could not be reached"),
)

TRACE = Trace(
    key=TraceKey('["w","jaffle","main","orders"]'),
    node=NodeId("model.shop.orders"),
    resource_type=ResourceType.MODEL,
    project="shop",
    build_id="b1",
    run_id=RUN,
    code=CodeVersion(),
    inputs=(RecordedInput("source.shop.ecom.raw_orders", None, Known("9f3ac1d2:1201")),),
    output_version="v1",
    started_at=AT,
    finished_at=AT + timedelta(seconds=41),
    scheduled_at=AT,
    relation_type="table",
    execution_seconds=41.2,
    job="hourly",
)

UNCHANGED = (reason_view(why.Unchanged()),)
LAST_BUILD = LastBuild(RUN, "hourly", AT, AT + timedelta(seconds=41), 41.2)


def row(name: str, **given) -> PlanRow:
    """One model of the shop; verified and reused unless told otherwise."""
    plain = PlanRow(
        unique_id=f"model.shop.{name}",
        name=name,
        resource_type="model",
        decision="reuse",
        materialized="table",
        relation=f'"jaffle"."main"."{name}"',
        confidence="verified",
        reasons=UNCHANGED,
        last_build=LAST_BUILD,
        status=None,
    )
    if given.get("decision", "reuse") != "reuse":
        given.setdefault("confidence", None)
    return replace(plain, **given)


def reasons(*causes: why.Reason):
    """Causes as they are shown, with short local times."""
    return tuple(reason_view(cause, NOW) for cause in causes)


TWELVE = (
    row("stg_orders", decision="build", materialized="view", reasons=reasons(why.CodeChanged((MACRO, VAR))), estimated_seconds=0.4),
    row(
        "orders",
        decision="build",
        materialized="incremental",
        reasons=reasons(why.CodeChanged((MACRO,)), why.NewData((NEW_ORDERS,))),
        estimated_seconds=72.0,
        lag_bound_seconds=32_400,
    ),
    row(
        "customer_lifetime_value_by_acquisition_channel",
        decision="undetermined",
        reasons=(),
        waiting_on=("model.shop.stg_orders", "model.shop.orders"),
    ),
    row("refunds", decision="skip", reasons=reasons(why.UpstreamFailed("model.shop.payments"))),
    row(
        "daily_sales",
        confidence="tolerated",
        reasons=reasons(why.TooSoon(AT + timedelta(hours=2), timedelta(hours=2)), why.NewData((NEW_ORDERS,))),
        due_at=AT + timedelta(hours=2),
        lag_bound_seconds=7_200,
    ),
    *(row(f"dim_{name}") for name in ("customers", "products", "stores", "dates", "currencies", "promotions", "staff")),
)

RUN_ROWS = (
    replace(TWELVE[0], status="success", execution_time=0.38),
    replace(TWELVE[1], status="error", execution_time=65.0),
    replace(TWELVE[3], status="skipped"),
    *(replace(each, status="reused") for each in TWELVE[4:]),
)

THOUSAND = tuple(
    row(f"model_{place:04}", decision="build", reasons=reasons(why.NeverBuilt())) if place < 600 else row(f"model_{place:04}")
    for place in range(1_000)
)

HEAD = PlanHead(
    "dev",
    NOW,
    warnings=("source crm.accounts shows no sign of change, so what reads it is built in every run; add `loaded_at_field` to it",),
)

WHAT_IF = PlanHead(
    "dev",
    NOW,
    schedule=Schedule(threads=4, seconds=40.0, path_seconds=40.0, path=("model.shop.stg_orders", "model.shop.orders")),
    leases=(
        LeaseLine("model.shop.orders", RUN, "etl-1", 4711, "hourly", AT, AT + timedelta(seconds=30), building=True),
        LeaseLine("model.shop.daily_sales", RUN, "etl-1", 4711, "", AT, AT + timedelta(seconds=30), building=False),
    ),
    what_if=Assumed(
        datetime(2026, 12, 1, 5, 0, tzinfo=timezone.utc),
        (
            AssumedChange("source.shop.ecom.raw_orders", "source ecom.raw_orders", "new_data"),
            AssumedChange("model.shop.stg_orders", "stg_orders", "edited"),
            AssumedChange("model.shop.payments", "payments", "built"),
        ),
    ),
)

BUILT = Explanation(
    row=replace(TWELVE[1], decision="build"),
    run_id=RUN,
    decided_at=AT + timedelta(hours=1),
    parts_total=14,
    texts=(
        TextChange(
            "compiled SQL", "select\n  id,\n  amount\nfrom raw_orders\n", "select\n  id,\n  amount / 100 as amount\nfrom raw_orders\n"
        ),
    ),
    inputs=(
        InputLine("source.shop.ecom.raw_orders", "source ecom.raw_orders", "9f3ac1d2:1201", "9f3ac1d2:1244", same=False, changed_at=AT),
        InputLine("model.shop.stg_orders", "stg_orders", "b17", "b17", same=True),
        InputLine("source.shop.crm.accounts", "source crm.accounts", None, None, same=False, note="no signal of change is known"),
    ),
    policy=(PolicyLine("lag_tolerance", "9h", "state.lag_tolerance"), PolicyLine("require_fresh_data_from", "any")),
    warnings=("built by two nodes in turn: model.shop.orders and model.old.orders",),
    now=NOW,
)

TOLERATED = Explanation(
    row=TWELVE[4],
    run_id=RUN,
    decided_at=AT + timedelta(hours=1),
    repeated=7,
    policy=(
        PolicyLine("enabled", "true"),
        PolicyLine("lag_tolerance", "2h", "models/marts/schema.yml:12, key `freshness.build_after.count`"),
        PolicyLine("max_age", "1d", "dbt_project.yml:31, key `state.max_age`"),
    ),
    waited_seconds=16.2,
    content=Content(
        as_of=AT,
        verified_at=AT + timedelta(minutes=20),
        behind_since=AT + timedelta(minutes=40),
        sources=(
            HeldData("source.shop.ecom.raw_orders", "source ecom.raw_orders", AT, "9f3ac1d2:1201"),
            HeldData("source.shop.crm.accounts", "source crm.accounts", AT - timedelta(days=2), is_exact=False),
        ),
        not_recorded=("int_orders_pivoted",),
    ),
    next=(
        NextBuild("code_changed", "a change of its code, at once: 14 parts of it are compared"),
        NextBuild("new_data", "the first run from 09:50 on, because of what has changed already", AT + timedelta(hours=2)),
    ),
    history=(
        PastDecision("reuse", "tolerated", TWELVE[4].reasons, "reused", RUN, AT + timedelta(minutes=40), AT + timedelta(hours=1), 7),
        PastDecision("reuse", "verified", UNCHANGED, "reused", None, AT + timedelta(minutes=20), AT + timedelta(minutes=20)),
        PastDecision("build", None, reasons(why.NeverBuilt()), "error", RUN, AT, AT, waited_seconds=16.2, execution_time=41.2),
    ),
    now=NOW,
)

UNKNOWN_INPUT = why.NewData(
    (
        NEW_ORDERS,
        why.InputChange("source.shop.crm.accounts", "source crm.accounts", Known("1"), Unknown("no signal of change is known")),
        why.InputChange("model.shop.stg_taxes", "", None, Known("b3")),
    )
)

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str, text: str) -> str:
    """The text kept under ``name``; with ``UPDATE_GOLDEN=1`` in the environment it is written anew, to be reviewed as a diff."""
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8")
