"""Which data tests read nothing that has to be looked for."""

from __future__ import annotations

import pytest

from afresh.core.node import Kind, ResourceType
from afresh.dbt.plain_tests import is_plain_test
from afresh.fingerprint.node_code import NodeCode, TestCode

_MODEL = "{{ get_where_subquery(ref('a')) }}"


def _code(name="not_null", config=None, namespace=None, **kwargs):
    test = TestCode(name=name, namespace=namespace, kwargs={"model": _MODEL, "column_name": "id", **kwargs})
    return NodeCode(ResourceType.TEST, Kind.DATA_TEST, "duckdb", config=config or {}, test=test)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (_code(), True),
        (_code("unique"), True),
        (_code("accepted_values", values=["a b", 1]), True),
        (_code("accepted_values", values=[1, "2.5"], quote=False), True),
        (_code("relationships", to="ref('b')", field="id"), True),
        (_code("relationships", to="source('raw', 'b')", field="id"), True),
        (_code("relationships", to="raw.b", field="id"), False),
        (_code("accepted_values", values=["x'"]), False),
        (_code("accepted_values", values=["(select 1)"], quote=False), False),
        (_code(column_name="(select max(id) from raw.x)"), False),
        (_code(column_name="current_date"), False),
        (_code(model="raw.orders"), False),
        (_code(config={"where": "id > 0"}), False),
        (_code("mine"), False),
        (_code(namespace="dbt_utils"), False),
        (_code(extra=1), False),
    ],
)
def test_only_the_ordinary_use_of_dbts_own_tests_is_plain(code, expected):
    assert is_plain_test(code, is_dbts_own=lambda _name: True) is expected


def test_a_test_that_the_project_overrides_is_not_plain():
    assert not is_plain_test(_code(), is_dbts_own=lambda name: name != "test_not_null")


def test_what_is_no_generic_test_is_not_plain():
    assert not is_plain_test(NodeCode(ResourceType.TEST, Kind.DATA_TEST, "duckdb"), is_dbts_own=lambda _name: True)
