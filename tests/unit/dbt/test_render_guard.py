"""A rendering for comparison reads, or it stops."""

from __future__ import annotations

import pytest

from afresh.dbt.render_guard import OwnContent, ReadingGuard, RenderStoppedError


def _guard(read=None):
    return ReadingGuard(
        dialect="duckdb",
        own=OwnContent(asks_own=lambda _method, _question: False),
        volatile_env=("RUN_*",),
        before_first_read=read or (lambda: None),
    )


@pytest.mark.parametrize(
    "sql", ["select 1", "BEGIN", "commit;", "describe t", "with a as (select 1) select * from a", '/* {"app": "dbt"} */\nselect 1']
)
def test_what_only_reads_passes(sql):
    _guard().statement(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "delete from t",
        "select 1; drop table t",
        "insert into t select 1",
        "select nextval('s')",
        "copy t to 'x.csv'",
        '/* {"app": "dbt"} */ drop table t',
    ],
)
def test_what_may_write_stops_the_rendering(sql):
    guard = _guard()
    with pytest.raises(RenderStoppedError):
        guard.statement(sql)
    assert guard.stopped


@pytest.mark.parametrize(
    "name", ["create_schema", "drop_relation", "rename_relation", "truncate_relation", "add_query", "commit", "new_in_some_adapter"]
)
def test_members_that_do_more_than_read_stop_the_rendering(name):
    with pytest.raises(RenderStoppedError):
        _guard().member(name, object())


def test_no_ordinary_error_handling_swallows_the_stop():
    assert not issubclass(RenderStoppedError, Exception)


def test_the_transaction_is_made_read_only_once_before_the_first_read():
    asked = []
    guard = _guard(lambda: asked.append("read only"))
    guard.statement("begin")
    guard.statement("select 1")
    guard.statement("select 2")
    assert asked == ["read only"]


def test_variables_that_name_the_run_have_one_value():
    guard = _guard()
    assert guard.env("RUN_ID", lambda: "17") == guard.env("RUN_ID", lambda: "18")
    assert guard.env("REGION", lambda: "eu") == "eu"
