"""What a rendering for a fingerprint may send: only what certainly reads."""

import pytest

from afresh.fingerprint.guard import is_read_only

READS = [
    ("duckdb", "select 1"),
    ("duckdb", "select 1;"),
    ("duckdb", "/* {'app': 'dbt'} */ select max(a) from t"),
    ("duckdb", "-- c\nselect distinct a from t order by 1"),
    ("duckdb", "with x as (select 1 as a) select * from x"),
    ("duckdb", "from t"),
    ("duckdb", "values (1)"),
    ("duckdb", "describe t"),
    ("duckdb", "describe select * from t"),
    ("duckdb", "show tables"),
    ("duckdb", "/* c */ show tables"),
    ("duckdb", "summarize t"),
    ("duckdb", "pragma table_info('t')"),
    ("duckdb", "pragma show_tables"),
    ("duckdb", "explain select 1"),
    ("duckdb", "select * from read_csv('x.csv')"),
    ("duckdb", "select count(*), min(a), lower(b), md5(c), coalesce(a, b), case when a then 1 end from t"),
    ("postgres", "select column_name from information_schema.columns where table_name ilike 'x' and not (a or b)"),
    ("postgres", "select a from t union select b from u"),
    ("postgres", "select row_number() over (partition by a order by b) from t"),
    ("postgres", "select pg_read_file('x')"),
    ("snowflake", 'show terse objects in "A"."B" limit 10000'),
    ("snowflake", "describe table db.s.t"),
    ("bigquery", "select * from `p.d.INFORMATION_SCHEMA.TABLES`"),
    ("spark", "show table extended in s like '*'"),
]


@pytest.mark.parametrize(("dialect", "sql"), READS)
def test_a_statement_that_only_reads_is_let_through(dialect, sql):
    assert is_read_only(sql, dialect)


REFUSED = [
    ("duckdb", ""),
    ("duckdb", ";"),
    ("duckdb", "select 1; drop table t"),
    ("duckdb", "select 1;; select 2"),
    ("duckdb", "drop table t"),
    ("duckdb", "insert into t select 1"),
    ("duckdb", "update t set a = 1"),
    ("duckdb", "delete from t"),
    ("duckdb", "create table t as select 1"),
    ("duckdb", "create temp table t as select 1"),
    ("duckdb", "copy t to 'x.csv'"),
    ("duckdb", "attach 'x.db'"),
    ("duckdb", "set threads = 4"),
    ("duckdb", "pragma threads = 4"),
    ("duckdb", "pragma enable_profiling"),
    ("duckdb", "pragma table_info('t'); drop table t"),
    ("duckdb", "checkpoint"),
    ("duckdb", "call f()"),
    ("duckdb", "select nextval('s')"),
    ("duckdb", "select * from query('delete from t')"),
    ("duckdb", "explain analyze select 1"),
    ("duckdb", "describe (select nextval('s'))"),
    ("duckdb", "show tables; drop table t"),
    ("duckdb", "garbage"),
    ("duckdb", "select 'open"),
    ("duckdb", "/* open select 1"),
    ("duckdb", "select 1 /* /* */ ; drop table t -- */"),
    ("postgres", "explain (analyze) select 1"),
    ("postgres", "explain analyse select 1"),
    ("postgres", "explain delete from t"),
    ("postgres", "with x as (delete from t returning *) select * from x"),
    ("postgres", "with x as (insert into t values (1) returning *) select * from x"),
    ("postgres", "with x as (update t set a = 1 returning *) select * from x"),
    ("postgres", "select * into u from t"),
    ("postgres", "select * from t for update"),
    ("postgres", "select * from t for share"),
    ("postgres", "select nextval('s')"),
    ("postgres", "select pg_catalog.setval('s', 1)"),
    ("postgres", "select pg_terminate_backend(1)"),
    ("postgres", "select pg_advisory_lock(1)"),
    ("postgres", "select pg_try_advisory_xact_lock(1)"),
    ("postgres", "select set_config('a', 'b', false)"),
    ("postgres", "select lo_import('x')"),
    ("postgres", "select dblink_exec('delete from t')"),
    ("postgres", "select * from dblink('c', 'delete from t returning 1') as x(a int)"),
    ("postgres", "select pg_sleep(10)"),
    ("postgres", "select pg_stat_reset()"),
    ("postgres", "select query_to_xml('delete from t', true, true, '')"),
    ("postgres", "select my_function(1)"),
    ("postgres", "select app.lower(1)"),
    ("postgres", "select 'a\\' ; drop table t; --'"),
    ("mysql", "select 1 /*! into outfile 'x' */"),
    ("mysql", "/*! drop table t */"),
    ("mysql", "/*!50000 drop table t */ select 1"),
    ("mysql", "select sleep(5)"),
    ("mysql", "select get_lock('a', 1)"),
    ("snowflake", "select s.nextval from dual"),
    ("snowflake", "select system$cancel_query('x')"),
    ("oracle", "select s.nextval from dual"),
    ("tsql", "select next value for s"),
    ("tsql", "exec sp_rename 'a', 'b'"),
    ("bigquery", "select * from external_query('c', 'delete from t')"),
    ("bigquery", "select d.remote_fn(1)"),
]


@pytest.mark.parametrize(("dialect", "sql"), REFUSED)
def test_what_may_write_or_cannot_be_proven_is_refused(dialect, sql):
    assert not is_read_only(sql, dialect)
