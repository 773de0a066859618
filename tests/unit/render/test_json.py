"""The JSON is the documented contract, and what the store keeps can be shown again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import afresh.render
from afresh.cli.documents import document_of
from afresh.core import reason as why
from afresh.core.decision import Build, Clone, Confidence, Reuse, Skip, Undetermined
from afresh.orchestration.run_report import RunReport
from afresh.render.evidence import evidence
from afresh.render.json import (
    confidence_word,
    decision_word,
    document,
    document_text,
    explanation_json,
    node_json,
    reason_json,
    reason_view,
    reasons_from_json,
    reasons_json,
)
from afresh.render.views import Estimate, RunSummary, estimate_of
from unit.render.examples import BUILT, EVERY_REASON, NEW_ORDERS, RUN, TOLERATED, TRACE, TWELVE, UNKNOWN_INPUT, WHAT_IF, row

SCHEMA = json.loads((Path(afresh.render.__file__).parent / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def test_the_published_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_published_schema_knows_exactly_the_codes_of_the_core():
    assert SCHEMA["$defs"]["reason"]["properties"]["code"]["enum"] == list(why.REASON_CODES)


@pytest.mark.parametrize("kind", ["plan", "run", "explain", "status"])
def test_a_document_of_any_kind_fits_the_published_schema(kind):
    summary = RunSummary(2, 41, 3, saved_seconds=None) if kind == "run" else None
    nodes = [explanation_json(BUILT), explanation_json(TOLERATED)] if kind == "explain" else [node_json(node) for node in TWELVE]
    estimate = estimate_of(TWELVE) if kind == "plan" else None
    text = document_text(document(kind, nodes, run_id=RUN, target="dev", summary=summary, estimate=estimate))
    VALIDATOR.validate(json.loads(text))


@pytest.mark.parametrize("reason", [reason for reason, _ in EVERY_REASON], ids=lambda reason: reason.code)
def test_every_reason_fits_the_published_schema(reason):
    node = row("orders", decision="build", reasons=(reason_view(reason),))
    VALIDATOR.validate(document("plan", [node_json(node)], run_id=None, target=None))


def test_the_published_schema_refuses_a_node_without_a_key_of_the_contract():
    whole = document("plan", [node_json(TWELVE[0])], run_id=None, target="dev")
    del whole["nodes"][0]["lag_bound_seconds"]
    assert not VALIDATOR.is_valid(whole)


def test_a_node_has_the_keys_and_the_form_of_the_contract():
    node = row(
        "orders",
        decision="build",
        reasons=(reason_view(why.NewData((NEW_ORDERS,))),),
    )
    assert node_json(node) == {
        "unique_id": "model.shop.orders",
        "relation": '"jaffle"."main"."orders"',
        "resource_type": "model",
        "materialized": "table",
        "decision": "build",
        "confidence": None,
        "reasons": [
            {
                "code": "new_data",
                "text": "new data in source ecom.raw_orders",
                "evidence": {
                    "inputs": [
                        {
                            "node": "source.shop.ecom.raw_orders",
                            "label": "source ecom.raw_orders",
                            "recorded": "9f3ac1d2:1201",
                            "observed": "9f3ac1d2:1244",
                        }
                    ]
                },
            }
        ],
        "waiting_on": [],
        "due_at": None,
        "lag_bound_seconds": 0,
        "last_built_at": "2026-11-22T06:50:41Z",
        "last_built_by": {"run_id": RUN, "job": "hourly"},
        "status": None,
        "execution_time": 0.0,
        "estimated_seconds": None,
    }


def test_the_estimate_of_a_plan_is_the_sum_of_what_is_built_and_has_a_history():
    without = row("refunds_by_day", decision="build")
    assert estimate_of(TWELVE) == Estimate(72.4, known=2, nodes=2, undetermined=1)
    assert estimate_of((*TWELVE, without, row("daily", estimated_seconds=9.0))) == Estimate(72.4, known=2, nodes=3, undetermined=1)
    assert estimate_of((without,)) == Estimate(None, known=0, nodes=1)
    assert estimate_of(TWELVE[3:]) == Estimate(0, known=0, nodes=0)


def test_a_plan_tells_what_it_assumes_who_is_at_work_and_how_long_it_takes_with_threads():
    head = WHAT_IF
    report = RunReport(RUN, "dev", TWELVE, schedule=head.schedule, leases=head.leases, what_if=head.what_if, warnings=head.warnings)
    whole = json.loads(document_of(report))
    VALIDATOR.validate(whole)
    assert whole["what_if"] == {
        "at": "2026-12-01T05:00:00Z",
        "changes": [
            {"node": "source.shop.ecom.raw_orders", "label": "source ecom.raw_orders", "change": "new_data"},
            {"node": "model.shop.stg_orders", "label": "stg_orders", "change": "edited"},
            {"node": "model.shop.payments", "label": "payments", "change": "built"},
        ],
    }
    assert [(lease["subject"], lease["building"]) for lease in whole["leases"]] == [
        ("model.shop.orders", True),
        ("model.shop.daily_sales", False),
    ]
    assert whole["estimate"] == {
        "seconds": 72.4,
        "known": 2,
        "nodes": 2,
        "undetermined": 1,
        "threads": 4,
        "with_threads_seconds": 40.0,
        "critical_path": {"seconds": 40.0, "nodes": ["model.shop.stg_orders", "model.shop.orders"]},
    }
    assert json.loads(document_of(RunReport(RUN, "dev", TWELVE)))["what_if"] is None


def test_the_evidence_of_every_cause_is_plain_json():
    table = {reason.code: evidence(reason) for reason, _ in EVERY_REASON}
    assert json.loads(json.dumps(table)) == table
    assert table["too_soon"] == {"due_at": "2026-11-22T07:50:00Z", "interval_seconds": 3600.0}
    assert table["code_changed"]["parts"][0] == {
        "name": "macro cents_to_dollars",
        "group": "code",
        "recorded": "a1b2c3d4",
        "observed": "d4e5f6a7",
    }


def test_an_unknown_version_is_null_with_the_reason_beside_it():
    _, accounts, taxes = evidence(UNKNOWN_INPUT)["inputs"]
    assert (accounts["observed"], accounts["unknown"]) == (None, "no signal of change is known")
    assert (taxes["recorded"], "unknown" in taxes) == (None, False)


def test_what_the_store_keeps_can_be_shown_again():
    causes = [reason for reason, _ in EVERY_REASON]
    assert reasons_from_json(reasons_json(causes)) == tuple(reason_view(cause) for cause in causes)


def test_equal_causes_give_equal_text():
    assert reasons_json([UNKNOWN_INPUT, why.Unchanged()]) == reasons_json((replace(UNKNOWN_INPUT), why.Unchanged()))


def test_reasons_of_a_newer_release_are_shown_as_they_are():
    (kept,) = reasons_from_json('[{"code":"solar_flare","text":"a solar flare","evidence":{"x":1},"more":2}]')
    assert reason_json(kept) == {"code": "solar_flare", "text": "a solar flare", "evidence": {"x": 1}}


@pytest.mark.parametrize("text", ["{}", "[1]", "[{}]", "nonsense"])
def test_text_that_is_no_list_of_reasons_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the tier that turns it into an error for the user is the store's
        reasons_from_json(text)


@given(st.text())
def test_any_text_survives_the_store(text):
    causes = (why.NotReusable(text), why.StateUnavailable(text))
    shown = reasons_from_json(reasons_json(causes))
    assert [reason.evidence for reason in shown] == [{"why": text}, {"detail": text}]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Build((why.NeverBuilt(),)), ("build", None)),
        (Reuse(TRACE, Confidence.VERIFIED, ()), ("reuse", "verified")),
        (Reuse(TRACE, Confidence.TOLERATED, ()), ("reuse", "tolerated")),
        (Clone(TRACE, ()), ("clone", None)),
        (Skip(()), ("skip", None)),
        (Undetermined(()), ("undetermined", None)),
    ],
    ids=["build", "verified", "tolerated", "clone", "skip", "undetermined"],
)
def test_each_verdict_has_its_words(verdict, words):
    assert (decision_word(verdict), confidence_word(verdict)) == words
