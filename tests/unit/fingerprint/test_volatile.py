"""Volatile SQL and volatile Jinja: what moves by itself, and whether anybody can see it move."""

import pytest

from afresh.fingerprint.volatile import CallKind, MarkerUse, Position, VolatileCall, classify_marker, volatile_calls

KINDS = [
    ("duckdb", "current_date", CallKind.DATE_GRAIN),
    ("duckdb", "today()", CallKind.DATE_GRAIN),
    ("duckdb", "now()", CallKind.TIME),
    ("duckdb", "get_current_timestamp()", CallKind.TIME),
    ("duckdb", "current_localtimestamp()", CallKind.TIME),
    ("duckdb", "random()", CallKind.RANDOM),
    ("duckdb", "uuid()", CallKind.RANDOM),
    ("duckdb", "gen_random_uuid()", CallKind.RANDOM),
    ("duckdb", "nextval('s')", CallKind.RANDOM),
    ("duckdb", "txid_current()", CallKind.SESSION),
    ("duckdb", "current_user", CallKind.SESSION),
    ("postgres", "now()", CallKind.TIME),
    ("postgres", "clock_timestamp()", CallKind.TIME),
    ("postgres", "transaction_timestamp()", CallKind.TIME),
    ("postgres", "statement_timestamp()", CallKind.TIME),
    ("postgres", "localtimestamp", CallKind.TIME),
    ("postgres", "timeofday()", CallKind.TIME),
    ("postgres", "'today'::date", CallKind.DATE_GRAIN),
    ("postgres", "age(d)", CallKind.DATE_GRAIN),
    ("postgres", "pg_backend_pid()", CallKind.SESSION),
    ("postgres", "current_setting('a')", CallKind.SESSION),
    ("postgres", "session_user", CallKind.SESSION),
    ("postgres", "uuid_generate_v4()", CallKind.RANDOM),
    ("redshift", "getdate()", CallKind.TIME),
    ("redshift", "sysdate", CallKind.TIME),
    ("snowflake", "current_timestamp", CallKind.TIME),
    ("snowflake", "current_timestamp()", CallKind.TIME),
    ("snowflake", "sysdate()", CallKind.TIME),
    ("snowflake", "uuid_string()", CallKind.RANDOM),
    ("snowflake", "seq4()", CallKind.RANDOM),
    ("snowflake", "current_role()", CallKind.SESSION),
    ("snowflake", "s.nextval", CallKind.RANDOM),
    ("bigquery", "current_date('UTC')", CallKind.DATE_GRAIN),
    ("bigquery", "current_datetime()", CallKind.TIME),
    ("bigquery", "generate_uuid()", CallKind.RANDOM),
    ("bigquery", "rand()", CallKind.RANDOM),
    ("bigquery", "session_user()", CallKind.SESSION),
    ("spark", "current_timestamp()", CallKind.TIME),
    ("spark", "now()", CallKind.TIME),
    ("spark", "unix_timestamp()", CallKind.TIME),
    ("spark", "monotonically_increasing_id()", CallKind.RANDOM),
    ("databricks", "current_user()", CallKind.SESSION),
    ("tsql", "getdate()", CallKind.TIME),
    ("tsql", "sysutcdatetime()", CallKind.TIME),
    ("tsql", "newid()", CallKind.RANDOM),
    ("tsql", "@@spid", CallKind.SESSION),
    ("oracle", "sysdate", CallKind.TIME),
    ("oracle", "systimestamp", CallKind.TIME),
    ("oracle", "sys_guid()", CallKind.RANDOM),
    ("clickhouse", "now64()", CallKind.TIME),
    ("clickhouse", "yesterday()", CallKind.DATE_GRAIN),
    ("clickhouse", "generateUUIDv4()", CallKind.RANDOM),
    ("mysql", "curdate()", CallKind.DATE_GRAIN),
    ("mysql", "utc_timestamp()", CallKind.TIME),
    ("trino", "current_time", CallKind.TIME),
    ("trino", "localtimestamp", CallKind.TIME),
]


@pytest.mark.parametrize(("dialect", "call", "kind"), KINDS)
def test_a_volatile_value_is_found_as_an_item_and_in_a_filter(dialect, call, kind):
    item = volatile_calls(f"select {call} as v, a from t", dialect)
    filtered = volatile_calls(f"select a from t where b < {call}", dialect)

    assert [(found.kind, found.position, found.output) for found in item] == [(kind, Position.SELECT_ITEM, "v")]
    assert [(found.kind, found.position) for found in filtered] == [(kind, Position.OTHER)]


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("duckdb", "select a, current_datex, 'now()' as b, \"now\" from t"),
        ("duckdb", "select a -- now()\nfrom t"),
        ("spark", "select unix_timestamp(a) as x from t"),
        ("postgres", "select age(a, b) as x from t"),
        ("snowflake", "select 'today' as x from t"),
        ("duckdb", "select date '2020-01-01' as x, epoch(a) as y from t"),
    ],
)
def test_what_only_looks_volatile_is_not(dialect, sql):
    assert volatile_calls(sql, dialect) == ()


SELECT_ITEMS = [
    "select now() as n, a from t",
    "select now() n, a from t",
    "select now(), a from t",
    "select cast(now() as date) as n from t",
    "select now()::date as n from t",
    "select (now() at time zone 'utc')::date as n from t",
    "select a from (select now() as n, a from t) x",
    "select n, a from (select now() as n, a from t) x",
    "select x.* from (select now() as n, a from t) x",
    "with x as (select now() as n, a from t) select n as m, a from x",
    "with x as (select now() as n, a from t), y as (select n as m, a from x) select m, a from y where a > 1",
    "select now() as n from t union all select now() as n from u",
    "select now() as n, count(*) as c from t group by a",
    "select now() as n, a from t order by a",
    "select now() as n, count(distinct a) as c from t",
]


@pytest.mark.parametrize("sql", SELECT_ITEMS)
def test_a_value_that_only_fills_an_output_column_is_a_select_item(sql):
    calls = volatile_calls(sql, "duckdb")

    assert calls != ()
    assert {call.position for call in calls} == {Position.SELECT_ITEM}


DECIDES = [
    "select a from t where b < now()",
    "select now() - b as x from t",
    "select date_trunc('day', now()) as x from t",
    "select coalesce(b, now()) as x from t",
    "select case when b < now() then 1 end as x from t",
    "select now() as n from t order by n",
    "select now() as n, n + b as m from t",
    "select now() as n, a from t where n > b",
    "select now() as n, count(*) as c from t group by n",
    "select now() as n, count(*) as c from t group by 1",
    "select now() as n, count(*) as c from t group by all",
    "select now() as n, a from t order by 1",
    "select distinct now() as n, a from t",
    "select now() as n from t union select now() as n from u",
    "select now() as n from t intersect select now() as n from u",
    "select now() as n from t union all select now() as n from u order by n",
    "select a from (select now() as n, a from t) x where n > a",
    "select a from (select now() as n, a from t) x order by x.n",
    "select distinct n from (select now() as n, a from t) x",
    "select distinct * from (select now() as n, a from t) x",
    "select max(n) from (select now() as n, a from t) x",
    "select row_number() over (order by n) as r from (select now() as n, a from t) x",
    "select row_number() over (order by n) as r, now() as n from t",
    "select m from (select n as m, a from (select now() as n, a from t) x) y where m > a",
    "select hash(x) as h from (select now() as n, a from t) x",
    "select hash(*columns(*)) as h from (select now() as n, a from t) x",
    "select a from (select now() as n, a from t) x join u using (n)",
    "select a from (select now() as n, a from t) x natural join u",
    "select a from (select now(), a from t) x",
    "select a from (select now(), a from t) x(n, a) where n > a",
    "with x(m, a) as (select now() as n, a from t) select a from x where m > a",
    "select a from t where b in (select now() as n)",
    "select (select now() as n) as m from t",
    "select a from (select 1 as n union all select now() as n) x(n) where n > 1",
    "select a from (select 1 as m union all select now() as n) x where m > 1",
    "select a from t limit (select now() as n)",
    "select a from t join u on t.b < now()",
    "select sum(a) over (order by now()) as x from t",
    "select struct_pack(n := now()) as x from t",
]


@pytest.mark.parametrize("sql", DECIDES)
def test_a_value_that_may_decide_anything_is_not_a_select_item(sql):
    assert Position.OTHER in {call.position for call in volatile_calls(sql, "duckdb")}


@pytest.mark.parametrize("sql", ["pivot t on now() using sum(b)", "not sql at all ( now()", "select 'open now()"])
def test_a_text_that_does_not_parse_is_searched_for_words(sql):
    assert volatile_calls(sql, "duckdb") == (VolatileCall("now", CallKind.TIME, Position.OTHER),)


def test_a_sample_is_random_unless_it_has_a_seed():
    assert [call.kind for call in volatile_calls("select a from t tablesample system (10)", "postgres")] == [CallKind.RANDOM]
    assert volatile_calls("select a from t tablesample system (10) repeatable (1)", "postgres") == ()


IGNORED = [
    "select a from t",
    "select 1 as a -- MARK1\n",
    "/* MARK1 */ select 1 as a",
    "select 'MARK1' as m, a from t",
    "select 'run MARK1 of today' as m, a from t",
    "select cast('MARK1' as timestamp) as m from t",
    "select 'MARK1'::timestamp as m from t",
    "select timestamp 'MARK1' as m from t",
    "select MARK1 as m from t",
    "with x as (select 'MARK1' as m, a from t) select a, m from x",
    "select 'MARK1' as m, 'MARK2' as n from t -- MARK3",
]


@pytest.mark.parametrize("sql", IGNORED)
def test_a_marker_in_a_comment_or_as_a_whole_item_does_not_count(sql):
    assert classify_marker(sql, r"MARK\d", "duckdb") is MarkerUse.IGNORED


COUNTS = [
    "select 'MARK1' || a as m from t",
    "select a from t where b < 'MARK1'",
    "select a from t where b < MARK1",
    "select a from t_MARK1",
    'select a from "t MARK1"',
    "select a from s.MARK1",
    "select a as MARK1 from t",
    'select a as "MARK1" from t',
    "select f('MARK1') as m from t",
    "select a from t limit MARK1",
    "select a /*+ MARK1 */ from t",
    "select 'MARK1' as m, a from t where m > a",
    "with x as (select 'MARK1' as m, a from t) select a from x where m > a",
    "select distinct 'MARK1' as m, a from t",
    "select 'MARK1' as m from t where b = 'MARK1'",
    "select case when 'MARK1' > a then 1 end as m from t",
    "select a from t join u on t.b = 'MARK1'",
    "select a from read_csv('MARK1.csv')",
    "with MARK1 as (select 1 as a) select a from MARK1",
    "select 'open MARK1",
    "not sql MARK1",
]


@pytest.mark.parametrize("sql", COUNTS)
def test_a_marker_anywhere_else_counts(sql):
    assert classify_marker(sql, r"MARK\d", "duckdb") is MarkerUse.COUNTS


def test_a_marker_in_an_executable_comment_counts():
    assert classify_marker("select a /*! MARK1 */ from t", r"MARK\d", "mysql") is MarkerUse.COUNTS


def test_a_marker_of_several_words_counts_outside_of_a_literal():
    assert classify_marker("select 2024-01-02 as m from t", r"2024-01-02", "duckdb") is MarkerUse.COUNTS
    assert classify_marker("select '2024-01-02' as m from t", r"2024-01-02", "duckdb") is MarkerUse.IGNORED


def test_a_value_in_an_executable_comment_is_found():
    assert [call.position for call in volatile_calls("select a as a from t /*! where b < now() */", "mysql")] == [Position.OTHER]
