"""What a query reads, against DuckDB's own answer."""

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from afresh.fingerprint.reads import relations_read
from property.fingerprint.sql_texts import nested_queries


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(sql=nested_queries())
def test_no_relation_that_duckdb_names_is_missed(connection, sql):
    # DuckDB leaves out what only a CTE that nobody uses reads; it may be reported all the same.
    reads = relations_read(sql, "duckdb")

    assert reads.opaque == ()
    assert {table.name.lower() for table in reads.tables} >= {name.lower() for name in connection.get_table_names(sql)}


@pytest.mark.parametrize(
    "sql",
    [
        "with t as (select * from t) select * from t join u on true",
        "with t as (select 1 as a), u as (select * from t) select * from u",
        "with u as (select * from t), t as (select * from u) select * from t",
        "select * from t where a in (with t as (select 1 as a) select a from t)",
        "with v as (with t as (select 1 as a) select * from t) select * from v join t on true",
    ],
)
def test_names_that_are_both_a_cte_and_a_relation_are_read_as_duckdb_reads_them(connection, sql):
    assert {table.name for table in relations_read(sql, "duckdb").tables} == connection.get_table_names(sql)
