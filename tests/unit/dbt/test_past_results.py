"""The `run_results.json` of an earlier run, as it is and as it should not be."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from afresh.dbt.past_results import read
from afresh.errors import UsageError

AT = datetime(2026, 11, 22, 6, 50, tzinfo=timezone.utc)
STEPS = [
    {"name": "compile", "started_at": "2026-11-22T06:50:00Z", "completed_at": "2026-11-22T06:50:01.5Z".replace(".5", ".500000")},
    {"name": "execute", "started_at": "2026-11-22T06:50:02", "completed_at": "2026-11-22T06:54:00.000001"},
]
ORDERS = {"unique_id": "model.shop.orders", "status": "success", "timing": STEPS, "execution_time": 240.5, "compiled_code": "select 1"}


def whole(*results, **changes):
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
        "invocation_id": "i",
        "generated_at": "2026-11-22T06:55:00Z",
    }
    return {"metadata": metadata, "args": {"which": "build"}, "results": list(results), **changes}


@pytest.fixture
def written(tmp_path):
    def write(content) -> object:
        path = tmp_path / "run_results.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


def test_what_it_says_of_the_run_and_of_each_node_is_read(written):
    reused = {**ORDERS, "unique_id": "model.shop.b", "adapter_response": {"afresh": {"decision": "reuse"}}}
    skipped = {"unique_id": "model.shop.c", "status": "skipped", "timing": [], "message": "Skipped\ndue to fail", "adapter_response": None}
    found = read(written(whole(ORDERS, reused, skipped)))
    assert (found.invocation_id, found.target, found.started_at, found.finished_at) == ("i", None, AT, AT + timedelta(minutes=5))
    orders = found.results["model.shop.orders"]
    assert (orders.built, orders.started_at, orders.seconds, orders.compiled) == (True, AT, 240.5, "select 1")
    assert orders.finished_at == AT + timedelta(minutes=4, microseconds=1)
    assert not found.results["model.shop.b"].built
    assert (found.results["model.shop.c"].message, found.results["model.shop.c"].started_at) == ("Skipped due to fail", None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "is no run_results.json"),
        (whole({"status": "success"}), "is no run_results.json"),
        (whole(metadata={"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"}), "is no run_results.json"),
        (whole(metadata={"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"}), "is no run_results.json"),
        (whole({**ORDERS, "timing": [{"started_at": "noon"}]}), "is no run_results.json"),
        (whole(args={"which": "compile"}), "these are the results of `dbt compile`"),
        (whole(args=None), "do not say which command"),
        (whole(args={"which": "run", "sample": "3 days"}), "made with `--sample`"),
        (whole(args={"which": "run", "event_time_end": "2026-01-01"}), "made with `--event-time-end`"),
    ],
)
def test_what_is_something_else_is_refused(written, content, said):
    with pytest.raises(UsageError, match=said):
        read(written(content))
