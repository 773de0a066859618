"""Asking through an adapter's connections, for adapters that answer in other ways than those that run in these tests."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Barrier
from types import SimpleNamespace

import pytest
from dbt.adapters.sql.connections import SQLConnectionManager
from dbt_common.clients.agate_helper import table_from_data_flat
from dbt_common.context import set_invocation_context
from dbt_common.exceptions import DbtRuntimeError

from afresh.dbt.compat.warehouse_access import WarehouseAccess
from afresh.warehouse.asks import AskSql, Failed, Rows


class Manager(SQLConnectionManager):
    """Connections of an adapter whose driver tells of errors when rows are fetched."""

    def __init__(self, kind, cursor):
        self.TYPE = kind
        self._cursor = cursor

    @contextmanager
    def exception_handler(self, _sql):
        try:
            yield
        except LookupError as error:
            raise DbtRuntimeError(f"driver: {error}") from error

    def add_query(self, sql, **how):
        return (sql, how), self._cursor

    def cancel(self, connection): ...

    def open(self, connection): ...

    def get_response(self, cursor): ...


class Cursor:
    description = (("a", "text"), ("b", "text"))

    def __init__(self, rows):
        self._rows = rows

    def fetchall(self):
        if isinstance(self._rows, Exception):
            raise self._rows
        return self._rows


@contextmanager
def connection_named(_name):
    yield


def access(kind, cursor, threads=1, **more):
    set_invocation_context({})
    config = SimpleNamespace(threads=threads)
    adapter = SimpleNamespace(connections=Manager(kind, cursor), connection_named=connection_named, cache=None, config=config, **more)
    return WarehouseAccess(adapter)


def ask(found):
    try:
        (answer,) = found.perform((AskSql("select 1", None, "one"),))
    finally:
        found.close()
    return answer


def test_rows_come_from_the_cursor():
    assert ask(access("anything", Cursor([["t:1", "n:"]]))) == Rows(("a", "b"), (("t:1", "n:"),))


def test_an_error_while_rows_are_fetched_is_an_answer():
    answer = ask(access("trino", Cursor(LookupError("no such table"))))
    assert isinstance(answer, Failed)
    assert answer.reason == "driver: no such table"


def test_an_adapter_that_has_no_cursors_is_asked_for_its_table():
    table = table_from_data_flat([{"a": "t:1"}], ["a"])
    found = access("clickhouse", None, execute=lambda sql, **how: (sql, how and table))
    assert ask(found) == Rows(("a",), (("t:1",),))


@pytest.mark.parametrize(
    ("kind", "threads", "at_once"),
    [("databricks", 4, 4), ("databricks", 1, 2), ("databricks", 99, 16), ("duckdb", 8, 2), ("postgres", 8, 2)],
)
def test_questions_are_asked_on_as_many_threads_as_the_profile_gives(kind, threads, at_once):
    """Each question waits for as many others as there are threads: with fewer, or none beside it, it never comes to an answer."""
    meeting, active, peak = Barrier(at_once, timeout=10), [], []

    class Waiting(Cursor):
        def fetchall(self):
            active.append(1)
            peak.append(len(active))
            meeting.wait()
            active.pop()
            return [["t:1", "n:"]]

    found = access(kind, Waiting([]), threads)
    try:
        answers = found.perform([AskSql("select 1", None, "one")] * at_once * 2)
    finally:
        found.close()
    assert [type(answer) for answer in answers] == [Rows] * at_once * 2
    assert max(peak) == at_once
