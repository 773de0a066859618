"""Answers that come through dbt's own table type, which turns texts that look like other things into those."""

from __future__ import annotations

import duckdb
import pytest
from dbt_common.clients.agate_helper import table_from_data_flat

from afresh.core.version import Known
from afresh.warehouse.asks import Failed, Rows
from afresh.warehouse.cells import marked_columns, unmarked_rows
from conformance.warehouse.driver import Conversation, look, target

TRICKY = ["1", "1.0", "true", "2026-01-01", "2026-01-01 10:00:00", "null", "None", "", " ", "t:1", "n:", "1e5", "12:00", "0x1", "-", "a,b"]


def through_agate(connection):
    """The way from a cursor to a table and back that dbt's adapters take."""

    def run(sql):
        found = connection.cursor().execute(sql)
        names = [column[0] for column in found.description or ()]
        table = table_from_data_flat([dict(zip(names, row, strict=True)) for row in found.fetchall()], names)
        return Rows(tuple(table.column_names), tuple(tuple(row) for row in table.rows))

    return Conversation(run)


def test_every_text_survives():
    with duckdb.connect() as connection:
        connection.execute("create table t (i integer, v varchar)")
        connection.executemany("insert into t values (?, ?)", [*enumerate(TRICKY), (len(TRICKY), None)])
        answer = through_agate(connection).sql(f"select {marked_columns('v')} from t order by i")
        assert [value for (value,) in unmarked_rows(answer)] == [*TRICKY, None]


@pytest.mark.parametrize("name", ["t", "1", "true", "2026-01-01", "null"])
def test_a_probe_gives_the_same_token_as_without(name):
    with duckdb.connect() as connection:
        connection.execute(f'create table "{name}" as select 1 as "2", null as "null"')
        direct = Conversation(lambda sql: Rows((), tuple(connection.cursor().execute(sql).fetchall())))
        wanted = target("memory", "main", name)
        expected = look(direct, "duckdb", wanted).version
        assert isinstance(expected, Known)
        assert look(through_agate(connection), "duckdb", wanted).version == expected


def test_a_cell_that_was_changed_on_the_way_is_an_error():
    with pytest.raises(ValueError, match="marked text"):
        unmarked_rows(Rows(("c1",), ((1,),)))


def test_a_catalogue_that_cannot_be_read_is_unknown():
    conversation = Conversation(lambda _: Failed("no rights"))
    for adapter in ("duckdb", "postgres"):
        assert "no rights" in look(conversation, adapter, target("d", "s", "t")).version.why
