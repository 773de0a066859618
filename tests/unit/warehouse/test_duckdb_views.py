from __future__ import annotations

import pytest

from afresh.core.version import Unknown
from afresh.warehouse.duckdb_views import reads_of_location, reads_of_view


def names(sql):
    return {".".join(table.parts) for table in reads_of_view(sql).tables}


@pytest.mark.parametrize(
    ("select", "tables"),
    [
        ("SELECT * FROM a", {"a"}),
        ("SELECT * FROM a.b.c, d.e", {"a.b.c", "d.e"}),
        ("(SELECT 1 FROM a) UNION ALL (SELECT 1 FROM b)", {"a", "b"}),
        ("SELECT (SELECT max(i) FROM a) FROM b WHERE i IN (SELECT i FROM c)", {"a", "b", "c"}),
        ("SELECT * FROM a , LATERAL (SELECT * FROM b WHERE b.i = a.i)", {"a", "b"}),
        ("WITH x AS (SELECT * FROM a) SELECT * FROM x", {"a", "x"}),
        ("SELECT * FROM a ASOF JOIN b USING (i)", {"a", "b"}),
        ("SELECT * FROM (PIVOT a ON k IN (1, 2) USING sum(v))", {"a"}),
        ("FROM a", {"a"}),
        ('SELECT * FROM "range"(3), generate_series(1, 2), unnest([1])', set()),
        ("SELECT 'from nowhere' AS x", set()),
    ],
)
def test_every_table_of_a_view_is_found(select, tables):
    assert names(f"CREATE VIEW v AS {select};") == tables


def test_a_name_that_a_cte_shadows_is_marked_and_kept():
    (base, cte) = sorted(
        reads_of_view("CREATE VIEW v AS WITH x AS (SELECT * FROM a) SELECT * FROM x").tables, key=lambda table: table.parts
    )
    assert (base.shadowed, cte.shadowed) == (False, True)


@pytest.mark.parametrize(
    ("select", "files"),
    [
        ("SELECT * FROM read_csv('a.csv')", ("a.csv",)),
        ("SELECT * FROM read_csv(list_value('a.csv', 'b.csv'), (\"header\" = true))", ("a.csv", "b.csv")),
        ("SELECT * FROM read_csv(main.list_value('a.csv', 'b.csv'))", ("a.csv", "b.csv")),
        ("SELECT * FROM read_parquet(['a', 'b'], union_by_name := true)", ("a", "b")),
        ("SELECT * FROM parquet_scan('it''s.parquet')", ("it's.parquet",)),
    ],
)
def test_files_of_a_view_are_found(select, files):
    assert reads_of_view(f"CREATE VIEW v AS {select}").files == files


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW v AS SELECT * FROM read_csv('a' || 'b')",
        "CREATE VIEW v AS SELECT * FROM read_csv(['a', getvariable('x')])",
        "CREATE VIEW v AS SELECT * FROM sqlite_scan('a', 'b')",
        "CREATE VIEW v AS SELECT * FROM iceberg_scan('a')",
        "CREATE VIEW v AS SELECT * FROM query_table('a')",
        "CREATE VIEW v AS FROM (DESCRIBE a)",
        "CREATE VIEW v AS FROM (SHOW ALL TABLES)",
        "CREATE VIEW v AS SELECT (",
        "SELECT 1",
        "",
    ],
)
def test_what_cannot_be_told_is_unknown(sql):
    assert isinstance(reads_of_view(sql), Unknown)


def test_functions_are_listed_by_lower_case_name_and_strings_are_not_searched():
    functions = reads_of_view("CREATE VIEW v AS SELECT F(1), \"g\"(2), 'h(3)', current_date FROM a").functions
    assert {"f", "g", "current_date"} <= functions
    assert "h" not in functions


@pytest.mark.parametrize(
    ("location", "files", "tables"),
    [("'a/b.csv'", (), {"a/b.csv"}), ("read_parquet('a/*.parquet', hive_partitioning=1)", ("a/*.parquet",), set())],
)
def test_an_external_location_is_read_like_a_from_clause(location, files, tables):
    reads = reads_of_location(location)
    assert reads.files == files
    assert {table.parts[0] for table in reads.tables} == tables
    assert all(table.looks_like_a_file for table in reads.tables)


def test_a_location_that_is_no_sql_is_unknown():
    assert isinstance(reads_of_location("read_csv("), Unknown)
