from __future__ import annotations

import pytest

from afresh.core.version import Unknown
from afresh.warehouse.view_sql import Reads, reads_of_definition


def read(sql, dialect="snowflake"):
    found = reads_of_definition(sql, dialect)
    assert isinstance(found, Reads), found
    return {".".join(part.text for part in parts) for parts in found.tables}


@pytest.mark.parametrize(
    ("dialect", "sql", "tables"),
    [
        ("snowflake", "create or replace secure view v copy grants as select * from a.b.c", {"a.b.c"}),
        ("snowflake", "select * from t, lateral flatten(input => t.x)", {"t"}),
        ("snowflake", "select * from (select * from a union all select * from b) where x in (select y from c)", {"a", "b", "c"}),
        ("bigquery", "select * from `p-1.d.t` join p.d.u using (id)", {"p-1.d.t", "p.d.u"}),
        ("databricks", "select * from c.s.t lateral view explode(x) e as y", {"c.s.t"}),
        ("clickhouse", "select toDate(at), uniqExact(b) from db.t final group by 1", {"db.t"}),
        ("trino", "select * from a.b.c cross join unnest(xs) as u(x)", {"a.b.c"}),
    ],
)
def test_tables_are_found_wherever_they_stand(dialect, sql, tables):
    assert read(sql, dialect) == tables


def test_a_cte_hides_a_table_of_its_name_only_where_it_is_known():
    assert read("with x as (select * from s.x) select * from x") == {"s.x"}
    assert read("with orders as (select * from orders) select * from orders") == {"orders"}
    assert read("with x as (select 1 as a) select * from x where exists (select 1 from x)") == set()
    assert read("select * from (with x as (select 1 as a) select * from x) join x using (a)") == {"x"}


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("snowflake", "select my_function(a) from t"),
        ("snowflake", "select my.own.lower(a) from t"),
        ("snowflake", "select own.to_date(a) from t"),
        ("snowflake", "select my.own.now() from t"),
        ("clickhouse", "select own.toDate(a) from db.t"),
        ("snowflake", "select * from table(f(1))"),
        ("snowflake", "select * from @stage"),
        ("snowflake", "select * from t sample (10)"),
        ("snowflake", "select $x from t"),
        ("bigquery", "select d.f(a) from p.d.t"),
        ("clickhouse", "select dictGet('d', 'x', id) from db.t"),
        ("clickhouse", "select joinGet('j', 'x', id) from db.t"),
        ("clickhouse", "select * from url('https://example.com/x.csv')"),
        ("clickhouse", "select toMine(a) from db.t"),
        ("clickhouse", "select TODATE(a) from db.t"),
        ("clickhouse", "select sumIf(a, b) from db.t"),
        ("clickhouse", "select a from db.t where x in db.u"),
        ("clickhouse", "select a from db.t where x in u"),
        ("clickhouse", "select a from db.t where x not in (db.u)"),
        ("clickhouse", "select a from db.t where (x, y) global in db.u"),
        ("snowflake", "select * from s.t at(offset => -60)"),
        ("snowflake", "select * from s.t changes(information => default) at(offset => -60)"),
        ("bigquery", "select * from p.d.t for system_time as of timestamp_sub(current_timestamp(), interval 1 hour)"),
        ("databricks", "select * from c.s.t timestamp as of current_date() - 1"),
        ("trino", "select * from a.b.c for version as of 3"),
        ("snowflake", "select * from db..t"),
        ("snowflake", "select ids.nextval from s.t"),
        ("snowflake", "select ai_classify(a, ['x']) from s.t"),
        ("trino", "select * from table(system.query(query => 'select 1'))"),
        ("snowflake", "drop table t"),
        ("snowflake", "select from where"),
        ("snowflake", ""),
    ],
)
def test_what_may_read_anything_is_unknown(dialect, sql):
    assert isinstance(reads_of_definition(sql, dialect), Unknown)


@pytest.mark.parametrize(
    ("dialect", "sql", "is_volatile"),
    [
        ("snowflake", "select * from t where d > dateadd(day, -1, current_timestamp())", True),
        ("snowflake", "select current_date from t", True),
        ("snowflake", "select d from t where d > '2026-01-01'", False),
        ("clickhouse", "select * from db.t where d = today()", True),
        ("clickhouse", "select * from db.t where a in (1, 2) and b in (select c from db.u)", False),
        ("snowflake", "select * from t where a in (b, c)", False),
        ("databricks", "select randn() from c.s.t", True),
        ("databricks", "select shuffle(a) from c.s.t", True),
        ("clickhouse", "select * from db.t where at > now()", True),
        ("bigquery", "select * from p.d.t where d = current_date()", True),
        ("databricks", "select uuid() from c.s.t", True),
        ("trino", "select * from a.b.c where at > now() - interval '1' day", True),
        ("redshift", "select * from s.t where at > getdate()", True),
    ],
)
def test_what_depends_on_the_moment_is_noticed(dialect, sql, is_volatile):
    found = reads_of_definition(sql, dialect)
    assert isinstance(found, Reads)
    assert found.is_volatile is is_volatile
