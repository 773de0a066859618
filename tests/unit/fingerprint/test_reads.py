"""What a query reads by name, and what nobody can tell from its text."""

import pytest

from afresh.fingerprint.reads import TableName, relations_read


def names(reads):
    return {".".join(part for part in (table.catalog, table.db, table.name) if part) for table in reads.tables}


RELATIONS = [
    ("duckdb", "select * from raw.orders", {"raw.orders"}),
    ("duckdb", 'select * from "db"."main"."orders" o join x on true', {"db.main.orders", "x"}),
    ("duckdb", "select (select max(a) from u) as m from t where exists (select 1 from v) and a in (select b from w)", {"t", "u", "v", "w"}),
    ("duckdb", "select a from t union all select a from u except select a from v", {"t", "u", "v"}),
    ("duckdb", "from t select a", {"t"}),
    ("duckdb", "select * from t pivot (sum(a) for b in (1, 2))", {"t"}),
    ("duckdb", "select * from t, lateral (select * from u where u.a = t.a) x", {"t", "u"}),
    ("duckdb", "select * from (select * from (select * from t) x) y", {"t"}),
    ("postgres", "select * from only t tablesample system (10)", {"t"}),
    ("bigquery", "select * from `p-1.d.t` where x = (select max(y) from `p-1`.d.u)", {"p-1.d.t", "p-1.d.u"}),
    ("bigquery", "select * from p-1.d.t", {"p-1.d.t"}),
    ("bigquery", "select * from d.t as t, t.items, unnest(t.more) as m", {"d.t"}),
    ("snowflake", "select * from db.s.t, lateral flatten(input => t.items) f", {"db.s.t"}),
    ("snowflake", "select * from t at(offset => -60)", {"t"}),
    ("snowflake", "select * from table(generator(rowcount => 10))", set()),
    ("clickhouse", "select * from db.t final", {"db.t"}),
    ("spark", "select /*+ broadcast(a) */ * from s.t a join s.u b on a.x = b.x", {"s.t", "s.u"}),
    ("databricks", "select * from c.s.t lateral view explode(items) x as item", {"c.s.t"}),
    ("tsql", "select * from [db].[dbo].[t] with (nolock)", {"db.dbo.t"}),
    ("trino", "select * from c.s.t cross join unnest(items) as x (item)", {"c.s.t"}),
    ("duckdb", "select * from information_schema.tables", {"information_schema.tables"}),
    ("postgres", "select 1 as a", set()),
    ("postgres", "values (1), (2)", set()),
    ("postgres", "select * from t for update", {"t"}),
    ("postgres", "with x as (delete from t returning *) select * from x", {"t"}),
]


@pytest.mark.parametrize(("dialect", "sql", "expected"), RELATIONS)
def test_every_relation_a_query_names_is_an_input(dialect, sql, expected):
    reads = relations_read(sql, dialect)

    assert names(reads) == expected
    assert reads.opaque == ()
    assert reads.udfs == frozenset()


CTES = [
    ("duckdb", "with x as (select * from t) select * from x", {"t"}),
    ("duckdb", "with x as (select * from t) select * from X", {"t"}),
    ("duckdb", "with x as (select * from t), y as (select * from x) select * from y", {"t"}),
    ("duckdb", "with orders as (select * from orders) select * from orders", {"orders"}),
    ("duckdb", "with a as (select * from b), b as (select 1) select * from a, b", {"b"}),
    ("duckdb", "with orders as (select 1) select * from main.orders", {"main.orders"}),
    ("duckdb", "select * from (with x as (select 1 as a) select * from x) q, x", {"x"}),
    ("duckdb", "with x as (select 1) select (with x as (select * from t) select 1 from x) from x", {"t"}),
    ("duckdb", "with x as (select * from t) select * from u where a in (select a from x)", {"t", "u"}),
    ("postgres", "with recursive r as (select 1 as a union all select a + 1 from r) select * from r", set()),
    ("postgres", 'with "A" as (select 1 as a) select * from a, "A"', {"a"}),
    ("postgres", 'with A as (select 1 as a) select * from a, "a"', set()),
    ("snowflake", 'with a as (select 1 as a) select * from "a", "A"', {"a"}),
    ("tsql", "with r as (select 1 as a union all select a + 1 from r) select * from r", set()),
    ("tsql", "with r as (select a from r union all select 1) select * from r", {"r"}),
    ("snowflake", "with orders as (select * from orders) select * from orders", {"orders"}),
    ("clickhouse", "with X as (select 1 as a) select * from x", {"x"}),
    (None, "with X as (select 1 as a) select * from x", {"x"}),
]


@pytest.mark.parametrize(("dialect", "sql", "expected"), CTES)
def test_a_cte_hides_a_relation_only_where_it_holds(dialect, sql, expected):
    assert names(relations_read(sql, dialect)) == expected


FILES = [
    ("select * from 'data/x.csv'", {"data/x.csv"}),
    ("select * from 's3://bucket/*.parquet'", {"s3://bucket/*.parquet"}),
    ("select * from read_csv('x.csv', header = true)", {"x.csv"}),
    ("select * from read_csv_auto('x.csv')", {"x.csv"}),
    ("select * from read_parquet(['a.parquet', 'b.parquet'], union_by_name = true)", {"a.parquet", "b.parquet"}),
    ("select * from parquet_scan('x')", {"x"}),
    ("select * from read_json_auto('x.json')", {"x.json"}),
    ("select * from glob('*.csv')", {"*.csv"}),
    ("select content from read_text('x.txt')", {"x.txt"}),
    ("select * from delta_scan('s3://b/t')", {"s3://b/t"}),
    ("select * from iceberg_scan('s3://b/t')", {"s3://b/t"}),
    ("with x as (select * from read_csv('x.csv')) select * from x", {"x.csv"}),
]


@pytest.mark.parametrize(("sql", "expected"), FILES)
def test_files_that_duckdb_reads_are_inputs(sql, expected):
    reads = relations_read(sql, "duckdb")

    assert reads.files == expected
    assert reads.tables == frozenset()
    assert reads.opaque == ()


def test_a_quoted_name_that_looks_like_a_file_may_be_either():
    reads = relations_read('select * from "x.csv"', "duckdb")

    assert (reads.files, names(reads)) == ({"x.csv"}, {"x.csv"})


def test_a_path_that_spark_reads_as_a_table_is_a_file():
    reads = relations_read("select * from delta.`/mnt/t`", "databricks")

    assert (reads.files, reads.tables) == ({"/mnt/t"}, frozenset())


MAKES_ROWS = [
    ("duckdb", "select * from generate_series(1, 3), range(3), unnest([1, 2]), (values (1)) v(a)"),
    ("postgres", "select * from generate_series(1, 3) g, json_array_elements('[]') e, unnest(array[1]) u, jsonb_each('{}') j"),
    ("postgres", "select * from rows from (generate_series(1, 2), unnest(array[1]))"),
    ("snowflake", "select f.value from table(flatten(input => parse_json('[]'))) f, table(split_to_table('a', ','))"),
    ("trino", "select * from table(sequence(1, 2))"),
    ("bigquery", "select * from unnest(generate_date_array('2020-01-01', '2020-02-01')) d"),
    ("tsql", "select * from openjson('[]') j cross apply string_split('a,b', ',') s"),
    ("clickhouse", "select * from numbers(10)"),
]


@pytest.mark.parametrize(("dialect", "sql"), MAKES_ROWS)
def test_functions_that_only_make_rows_read_nothing(dialect, sql):
    reads = relations_read(sql, dialect)

    assert (reads.tables, reads.files, reads.opaque, reads.udfs) == (frozenset(), frozenset(), (), frozenset())


OPAQUE = [
    ("duckdb", "select * from query('select * from t')"),
    ("duckdb", "select * from query_table('t')"),
    ("duckdb", "select * from my_macro(1)"),
    ("duckdb", "select * from read_csv(getvariable('x'))"),
    ("duckdb", "select * from read_csv('a' || 'b')"),
    ("duckdb", "select * from sqlite_scan('f', 't')"),
    ("duckdb", "select * from postgres_scan('c', 's', 't')"),
    ("duckdb", "select * from duckdb_tables()"),
    ("duckdb", "pivot t on a using sum(b)"),
    ("duckdb", "not sql at all ("),
    ("duckdb", ""),
    ("postgres", "select * from dblink('c', 'select 1') as t(a int)"),
    ("postgres", "select * from crosstab('select 1') as t(a int)"),
    ("postgres", "select query_to_xml('select * from t', true, true, '') as x"),
    ("postgres", "select * from my_function(1)"),
    ("postgres", "select * from app.my_function(1)"),
    ("postgres", "select pg_relation_size('t') as s"),
    ("postgres", "execute immediate 'select 1'"),
    ("bigquery", "select * from external_query('c', 'select 1')"),
    ("bigquery", "select * from `p.d.events_*`"),
    ("bigquery", "select * from ml.predict(model d.m, table d.t)"),
    ("snowflake", "select * from @stage/path"),
    ("snowflake", "select * from table(my_udtf(1))"),
    ("snowflake", "select * from identifier('t')"),
    ("snowflake", "select * from table('t')"),
    ("snowflake", "select * from table(result_scan(last_query_id()))"),
    ("tsql", "select * from openquery(s, 'select 1')"),
    ("tsql", "select * from srv.db.dbo.t"),
    ("tsql", "select * from @t"),
    ("tsql", "select * from t cross apply dbo.f(t.a) x"),
    ("clickhouse", "select * from remote('a', 'b', 'c')"),
    ("clickhouse", "select dictGet('d', 'a', 1) as x"),
    ("clickhouse", "select * from t where a in u"),
    ("databricks", "select * from my_function(1)"),
    ("mysql", "select a as a from t /*! join u */"),
    ("bigquery", "select a from t /* /* */ join u on true -- */"),
]


@pytest.mark.parametrize(("dialect", "sql"), OPAQUE)
def test_what_no_text_can_tell_is_said(dialect, sql):
    assert relations_read(sql, dialect).opaque != ()


UDFS = [
    ("duckdb", "select my_macro(a) as x, lower(b) as y, list_transform(c, v -> v + 1) as z from t", {"my_macro"}),
    ("postgres", "select app.f(a) as x, pg_catalog.lower(b) as y, date_part('year', c) as z, jsonb_agg(d) as j from t", {"app.f"}),
    ("postgres", "select f(a) as x, similarity(a, b) as y, st_area(g) as z, md5(a) as m from t", {"f"}),
    ("snowflake", "select db.s.f(a) as x, object_construct('a', 1) as y, zeroifnull(b) as z from t", {"db.s.f"}),
    ("bigquery", "select d.f(a) as x, net.host(b) as y, safe.substr(c, 1) as z, farm_fingerprint(a) as w from t", {"d.f"}),
    ("databricks", "select f(a) as x, try_divide(a, b) as y, aggregate(c, 0, (x, y) -> x + y) as z from t", {"f"}),
    ("redshift", "select f_mine(a) as x, json_extract_path_text(b, 'c') as y, strtol(a, 16) as z from t", {"f_mine"}),
]


@pytest.mark.parametrize(("dialect", "sql", "expected"), UDFS)
def test_functions_that_may_be_a_users_are_named(dialect, sql, expected):
    reads = relations_read(sql, dialect)

    assert reads.udfs == expected
    assert reads.opaque == ()


def test_a_relation_is_named_as_it_is_spelled_with_its_quotes():
    assert relations_read('select * from Db."S".T', "duckdb").tables == {TableName("Db", "S", "T", (False, True, False))}


def test_a_text_with_escaped_quotes_is_still_read():
    assert names(relations_read("select 'it\\'s' as x from raw.t", "bigquery")) == {"raw.t"}
