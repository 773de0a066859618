"""Nodes that are kept as JSON give the same parts again."""

from __future__ import annotations

import json

import pytest

from afresh.core.node import Kind, ResourceType
from afresh.fingerprint.kept_code import code_of_kept, kept_code, parts_alone
from afresh.fingerprint.node_code import ColumnCode, FunctionCode, NodeCode, TestCode, UnitTestCode

PLAIN = {"adapter_type": "duckdb", "kind": Kind.TABLE, "resource_type": ResourceType.MODEL}
NODES = {
    "a model under a contract": NodeCode(
        **PLAIN,
        config={"contract": {"enforced": True}, "materialized": "table", "post-hook": [{"sql": "select 1", "transaction": True}]},
        columns={"z": ColumnCode("integer", "the last", [{"type": "not_null"}], True, ["t"], {"m": 1}, {"x": 2}), "a": ColumnCode("text")},
        constraints=[{"type": "check", "expression": "z > 0"}],
        relation_name="db.main.t",
        refs={"model.p.a": "db.main.a"},
        description="what it is",
    ),
    "labels from meta": NodeCode(**PLAIN, config={"labels_from_meta": True, "meta": {"team": "a"}}),
    "a microbatch model": NodeCode(
        **PLAIN,
        config={"incremental_strategy": "microbatch", "event_time": "at", "lookback": 3},
        ref_event_times={"model.p.a": "at", "model.p.b": None},
    ),
    "a Python model": NodeCode(
        **PLAIN, language="python", raw_code="def model(dbt, session):\n    return dbt.config.get('meta')", config={"meta": {"a": 1}}
    ),
    "a seed": NodeCode(ResourceType.SEED, Kind.TABLE, "duckdb", seed_digest="abc", config={"delimiter": ";"}),
    "a data test": NodeCode(
        ResourceType.TEST,
        Kind.DATA_TEST,
        "duckdb",
        test=TestCode("accepted_values", "dbt", {"values": [1, "1"]}, "id", "model.p.a"),
        extra={"stores_failures": True},
    ),
    "a unit test": NodeCode(
        ResourceType.UNIT_TEST,
        Kind.UNIT_TEST,
        "duckdb",
        unit_test=UnitTestCode("a", [{"input": "x"}], {"rows": []}, {"vars": {}}, 2, {"f": "1"}, {"text": "2"}),
    ),
    "a function": NodeCode(
        ResourceType.FUNCTION,
        Kind.FUNCTION,
        "duckdb",
        function=FunctionCode([{"name": "x"}], {"data_type": "int"}, [{"arguments": [], "returns": {}}]),
    ),
}


@pytest.mark.parametrize("what", NODES)
def test_the_parts_are_the_same_again(what):
    code = NODES[what]
    again = code_of_kept(json.loads(json.dumps(kept_code(code), sort_keys=True)))
    assert _said(again) == _said(code) != {}


def _said(code):
    return {name: (part.digest, part.group) for name, part in parts_alone(code).items()}


def test_what_never_counts_and_text_that_is_kept_elsewhere_are_not_kept():
    kept = kept_code(NodeCode(**PLAIN, raw_code="select 1", config={"meta": {"team": "a"}, "tags": ["t"], "materialized": "table"}))
    assert (kept["raw_code"], kept["config"]) == ("", {"materialized": "table"})
