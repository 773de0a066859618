"""The parts of a node's code version: what counts, what only describes, what never counts."""

from dataclasses import replace

import pytest

from afresh.core.node import Kind, ResourceType
from afresh.core.version import CodeVersion, PartGroup, changed_parts
from afresh.fingerprint.node_code import ColumnCode, FunctionCode, NodeCode, TestCode, UnitTestCode
from afresh.fingerprint.parts import code_version, rendered_parts, static_parts

MODEL = NodeCode(
    ResourceType.MODEL,
    Kind.TABLE,
    "duckdb",
    raw_code="select * from {{ ref('a') }}",
    config={"materialized": "table", "tags": ["x"], "meta": {"owner": "me"}, "grants": {"select": ["a", "b"]}},
    relation_name='"db"."main"."m"',
    refs={"model.p.a": '"db"."main"."a"'},
)


def with_config(**config):
    return replace(MODEL, config={**MODEL.config, **{key.replace("__", "-"): value for key, value in config.items()}})


def changes(before, after):
    changed = changed_parts(CodeVersion(static_parts(before)), CodeVersion(static_parts(after)))
    return {part.name: part.group for part in changed}


CODE = PartGroup.CODE
METADATA = PartGroup.METADATA

COUNTED = [
    ({"materialized": "view"}, {"config.materialized": CODE}),
    ({"unique_key": "id"}, {"config.unique_key": CODE}),
    ({"unique_key": ["id", "day"]}, {"config.unique_key": CODE}),
    ({"incremental_strategy": "merge"}, {"config.incremental_strategy": CODE}),
    ({"on_schema_change": "fail"}, {"config.on_schema_change": CODE}),
    ({"partition_by": {"field": "d"}}, {"config.partition_by": CODE}),
    ({"cluster_by": ["a"]}, {"config.cluster_by": CODE}),
    ({"sql_header": "set x = 1;"}, {"config.sql_header": CODE}),
    ({"transient": False}, {"config.transient": CODE}),
    ({"transient": None}, {"config.transient": CODE}),
    ({"indexes": [{"columns": ["a"]}]}, {"config.indexes": CODE}),
    ({"a_key_nobody_knows": 0}, {"config.a_key_nobody_knows": CODE}),
    ({"pre__hook": [{"sql": "select 1", "transaction": True, "index": None}]}, {"config.pre-hook": CODE}),
    ({"post_hook": ["select 1"]}, {"config.post-hook": CODE}),
    ({"quoting": {"identifier": True}}, {"config.quoting": CODE}),
    ({"column_types": {"a": "int"}}, {"config.column_types": CODE}),
    ({"latest_version_pointer": {"enabled": True, "alias": None}}, {"config.latest_version_pointer": CODE}),
    ({"batch_size": "day", "incremental_strategy": "microbatch"}, {"config.batch_size": CODE, "config.incremental_strategy": CODE}),
    ({"event_time": "t", "incremental_strategy": "microbatch"}, {"config.event_time": CODE, "config.incremental_strategy": CODE}),
    ({"lookback": 3, "incremental_strategy": "microbatch"}, {"config.lookback": CODE, "config.incremental_strategy": CODE}),
    ({"grants": {"select": ["a"]}}, {"config.grants": METADATA}),
    ({"query_tag": "x"}, {"config.query_tag": METADATA}),
    ({"labels": {"a": "b"}}, {"config.labels": METADATA}),
    ({"labels_from_meta": True}, {"config.labels_from_meta": METADATA, "config.meta": METADATA}),
]


@pytest.mark.parametrize(("config", "expected"), COUNTED)
def test_a_config_that_changes_the_relation_is_a_part(config, expected):
    assert changes(MODEL, with_config(**config)) == expected


NEVER = [
    {"tags": ["y"]},
    {"meta": {"owner": "you"}},
    {"group": "g"},
    {"access": "public"},
    {"docs": {"show": False}},
    {"owner": "o"},
    {"freshness": {"build_after": {"count": 1, "period": "hour"}}},
    {"state": {"lag_tolerance": "1h"}},
    {"enabled": True},
    {"alias": "m2"},
    {"schema": "s2"},
    {"database": "d2"},
    {"full_refresh": True},
    {"concurrent_batches": True},
    {"static_analysis": "off"},
    {"event_time": "t"},
    {"lookback": 3},
    {"batch_size": "day"},
    {"packages": ["numpy"]},
    {"grants": {"select": ["b", "a"]}},
]


@pytest.mark.parametrize("config", NEVER)
def test_a_config_that_changes_nothing_is_not_a_part(config):
    assert changes(MODEL, with_config(**config)) == {}


DEFAULTS = [
    {"unique_key": None},
    {"on_schema_change": "ignore"},
    {"on_configuration_change": "apply"},
    {"persist_docs": {}},
    {"persist_docs": {"relation": False}},
    {"quoting": {}},
    {"quoting": {"database": None, "schema": None}},
    {"column_types": {}},
    {"pre__hook": []},
    {"contract": {"enforced": False, "alias_types": True}},
    {"contract": {"enforced": False}},
    {"latest_version_pointer": {"enabled": None, "alias": None}},
    {"lookback": 1, "begin": None, "batch_size": None},
    {"incremental_strategy": None},
    {"sql_header": None},
]


@pytest.mark.parametrize("config", DEFAULTS)
def test_a_default_that_a_newer_dbt_fills_in_is_nothing_said(config):
    assert changes(MODEL, with_config(**config)) == {}


def test_one_grantee_and_a_list_of_one_are_the_same():
    assert changes(with_config(grants={"select": "a"}), with_config(grants={"select": ["a"]})) == {}


def test_the_order_of_a_unique_key_counts():
    assert changes(with_config(unique_key=["a", "b"]), with_config(unique_key=["b", "a"])) == {"config.unique_key": CODE}


def test_types_of_values_count():
    assert changes(with_config(x=1), with_config(x="1")) == {"config.x": CODE}
    assert changes(with_config(x=1), with_config(x=True)) == {"config.x": CODE}
    assert changes(with_config(x=None), with_config(x="None")) == {"config.x": CODE}
    assert changes(with_config(x={1: "a"}), with_config(x={"1": "a"})) == {"config.x": CODE}
    assert changes(with_config(x=["a"]), with_config(x="a")) == {"config.x": CODE}


def test_the_order_of_keys_does_not_count():
    assert changes(with_config(x={"a": 1, "b": 2}), with_config(x={"b": 2, "a": 1})) == {}


def test_a_comment_in_a_hook_does_not_count_but_its_sql_and_transaction_do():
    hook = {"sql": "select {# why #}1", "transaction": True, "index": 1}
    same = with_config(pre__hook=[{"sql": "select 1", "transaction": True, "index": None}])

    assert changes(with_config(pre__hook=[hook]), same) == {}
    assert changes(with_config(pre__hook=[{**hook, "transaction": False}]), same) == {"config.pre-hook": CODE}
    assert changes(with_config(pre__hook=[{**hook, "sql": "select 2"}]), same) == {"config.pre-hook": CODE}


def test_text_and_names_are_parts():
    assert changes(MODEL, replace(MODEL, raw_code="select 1")) == {"raw": CODE}
    assert changes(MODEL, replace(MODEL, relation_name="other")) == {"relation": CODE}
    assert changes(MODEL, replace(MODEL, refs={"model.p.a": "other"})) == {"ref.model.p.a": CODE}
    assert changes(MODEL, replace(MODEL, macros={"m": "1"})) == {"macro.m": CODE}
    assert changes(MODEL, replace(MODEL, functions={"function.p.f": "1"})) == {"function.function.p.f": CODE}
    assert changes(MODEL, replace(MODEL, extra={"time_spine": "1"})) == {"time_spine": CODE}


def test_white_space_around_the_file_is_not_code():
    assert changes(MODEL, replace(MODEL, raw_code=MODEL.raw_code + "\n\n")) == {}


def column(**values):
    return replace(MODEL, columns={"a": ColumnCode(**values), "b": ColumnCode()})


def enforced(code):
    return replace(code, config={**code.config, "contract": {"enforced": True, "alias_types": True}})


def test_a_column_type_is_code_under_an_enforced_contract_only():
    assert changes(column(data_type="int"), column(data_type="text")) == {}
    assert changes(enforced(column(data_type="int")), enforced(column(data_type="text"))) == {"column.a": CODE}


def test_enforcing_a_contract_is_code():
    assert set(changes(column(data_type="int"), enforced(column(data_type="int")))) == {"column.a", "columns", "config.contract"}


def test_the_order_of_columns_is_code_under_an_enforced_contract_only():
    code = column(data_type="int")
    turned = replace(code, columns=dict(reversed(code.columns.items())))

    assert changes(code, turned) == {}
    assert changes(enforced(code), enforced(turned)) == {"columns": CODE}


def test_constraints_and_unknown_keys_of_a_column_are_code():
    assert changes(column(), column(constraints=[{"type": "not_null", "name": None}])) == {"column.a": CODE}
    assert changes(column(), column(extra={"policy_tags": ["p"]})) == {"column.a": CODE}
    assert changes(column(), column(extra={"doc_blocks": ["p"], "granularity": None})) == {}
    assert changes(MODEL, replace(MODEL, constraints=[{"type": "primary_key", "columns": ["a"]}])) == {"constraints": CODE}


def test_tags_meta_and_descriptions_of_a_column_do_not_count():
    assert changes(column(), column(tags=["x"], meta={"a": 1}, description="d")) == {}


def test_descriptions_are_metadata_where_they_are_persisted():
    persisted = with_config(persist_docs={"relation": True, "columns": True})
    described = replace(persisted, description="d", columns={"a": ColumnCode(description="e")})

    assert changes(MODEL, replace(MODEL, description="d")) == {}
    assert changes(persisted, described) == {"description": METADATA, "column_descriptions": METADATA}


def test_the_event_time_of_inputs_counts_for_a_microbatch_model_only():
    assert changes(MODEL, replace(MODEL, ref_event_times={"model.p.a": "t"})) == {}

    batched = with_config(incremental_strategy="microbatch")
    assert changes(batched, replace(batched, ref_event_times={"model.p.a": "t"})) == {"ref_event_time.model.p.a": CODE}


def test_a_python_model_is_compared_by_its_syntax_and_its_packages():
    model = replace(
        MODEL, language="python", raw_code="def model(dbt, session):\n    return dbt.ref('a')\n", config={"packages": ["a", "b"]}
    )

    assert changes(model, replace(model, raw_code="# c\n" + model.raw_code)) == {}
    assert changes(model, replace(model, raw_code=model.raw_code.replace("'a'", "'b'"))) == {"python": CODE}
    assert changes(model, replace(model, config={"packages": ["b", "a"]})) == {}
    assert changes(model, replace(model, config={"packages": ["a"]})) == {"config.packages": CODE}


def test_a_seed_is_its_file_and_how_it_is_read():
    seed = NodeCode(ResourceType.SEED, Kind.TABLE, "duckdb", raw_code="", config={"delimiter": ","}, seed_digest="1")

    assert changes(seed, replace(seed, seed_digest="2")) == {"file": CODE}
    assert changes(seed, replace(seed, config={"delimiter": ";"})) == {"config.delimiter": CODE}
    assert changes(seed, replace(seed, config={"quote_columns": True})) == {"config.quote_columns": CODE}
    assert changes(seed, replace(seed, config={})) == {}


def test_a_snapshot_is_its_sql_and_its_strategy():
    snapshot = replace(MODEL, resource_type=ResourceType.SNAPSHOT, config={"strategy": "check", "check_cols": ["a"], "unique_key": "id"})

    assert changes(snapshot, replace(snapshot, raw_code="select 1")) == {"raw": CODE}
    assert changes(snapshot, replace(snapshot, config={**snapshot.config, "check_cols": "all"})) == {"config.check_cols": CODE}
    assert changes(snapshot, replace(snapshot, config={**snapshot.config, "hard_deletes": "invalidate"})) == {"config.hard_deletes": CODE}
    assert changes(snapshot, replace(snapshot, config={**snapshot.config, "target_schema": "s"})) == {}


def test_a_data_test_is_its_sql_its_arguments_and_how_it_judges():
    test = NodeCode(
        ResourceType.TEST,
        Kind.DATA_TEST,
        "duckdb",
        raw_code="{{ test_unique(**_dbt_generic_test_kwargs) }}",
        config={"severity": "ERROR", "fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0"},
        test=TestCode("unique", kwargs={"column_name": "id"}, column_name="id"),
    )

    assert changes(test, replace(test, config={"severity": "error"})) == {}
    assert changes(test, replace(test, config={**test.config, "severity": "warn"})) == {"config.severity": CODE}
    for key, value in {
        "where": "a > 1",
        "limit": 10,
        "error_if": "> 5",
        "warn_if": "> 5",
        "fail_calc": "max(n)",
        "store_failures": True,
    }.items():
        assert changes(test, replace(test, config={**test.config, key: value})) == {f"config.{key}": CODE}
    other = replace(test, test=TestCode("unique", kwargs={"column_name": "day"}, column_name="day"))
    assert changes(test, other) == {"test.argument.column_name": CODE, "test.column": CODE}
    assert changes(test, replace(test, test=replace(test.test, namespace="dbt_utils"))) == {"test": CODE}


def test_a_unit_test_is_its_fixtures_and_the_model_it_tests():
    unit = NodeCode(
        ResourceType.UNIT_TEST,
        Kind.UNIT_TEST,
        "duckdb",
        unit_test=UnitTestCode(
            "m", given=[{"input": "ref('a')", "rows": [{"a": 1}]}], expect={"rows": [{"b": 2}]}, tested={"raw": "1"}, fixtures={"f": "1"}
        ),
    )

    for field, value, part in [
        ("given", [{"input": "ref('a')", "rows": [{"a": 2}]}], "given"),
        ("expect", {"rows": []}, "expect"),
        ("overrides", {"vars": {"v": 1}}, "overrides"),
        ("tested", {"raw": "2"}, "tested.raw"),
        ("fixtures", {"f": "2"}, "fixture.f"),
        ("version", 2, "model"),
    ]:
        assert changes(unit, replace(unit, unit_test=replace(unit.unit_test, **{field: value}))) == {part: CODE}
    assert changes(unit, replace(unit, unit_test=replace(unit.unit_test, overrides={"vars": {}, "macros": {}}))) == {}


def test_a_function_is_its_body_and_its_signature():
    function = NodeCode(
        ResourceType.FUNCTION,
        Kind.FUNCTION,
        "duckdb",
        raw_code="a + 1",
        function=FunctionCode(arguments=[{"name": "a", "data_type": "int", "description": "d"}], returns={"data_type": "int"}),
    )
    signature = function.function

    assert changes(function, replace(function, raw_code="a + 2")) == {"raw": CODE}
    assert changes(function, replace(function, config={"volatility": "stable"})) == {"config.volatility": CODE}
    described = replace(signature, arguments=[{"name": "a", "data_type": "int", "default_value": None}])
    assert changes(function, replace(function, function=described)) == {}
    assert changes(function, replace(function, function=replace(signature, arguments=[{"name": "a", "data_type": "text"}]))) == {
        "arguments": CODE
    }
    assert changes(function, replace(function, function=replace(signature, returns={"data_type": "text"}))) == {"returns": CODE}
    assert changes(function, replace(function, function=replace(signature, overloads=[{"defined_in": "f", "raw_body": "1"}]))) == {
        "overloads": CODE
    }


def test_rendered_sql_is_compared_by_words_and_stands_for_the_text():
    a = replace(MODEL, rendered_sql="select a from t", rendered_incremental_sql="select a from t where b", macros={"m": "1"})
    b = replace(a, raw_code="{# other #}select a from t", rendered_sql="SELECT a\nFROM t -- c", macros={"m": "2"})

    assert code_version(a).digest == code_version(b).digest
    assert set(rendered_parts(a)) == {"sql", "sql.incremental"}
    assert rendered_parts(MODEL) == {}
    changed = changed_parts(code_version(a), code_version(replace(a, rendered_incremental_sql="select a from t")))
    assert [part.name for part in changed] == ["sql.incremental"]


def test_parts_show_short_values():
    parts = static_parts(with_config(unique_key=["a", "b"], long="x" * 500))

    assert parts["config.unique_key"].shown == '["a", "b"]'
    assert len(parts["config.long"].shown) <= 60


def test_a_config_that_never_counts_does_where_a_python_model_reads_it():
    code = "def model(dbt, session):\n    return f(dbt.config.get('meta'))\n"
    model = replace(MODEL, language="python", raw_code=code)

    assert changes(model, replace(model, config={**model.config, "meta": {}})) == {"config.meta": CODE}
    assert changes(model, replace(model, config={**model.config, "tags": []})) == {}
    any_key = replace(model, raw_code="def model(dbt, session):\n    return f(dbt.config)\n")
    assert changes(any_key, replace(any_key, config={**model.config, "tags": []})) == {"config.tags": CODE}
