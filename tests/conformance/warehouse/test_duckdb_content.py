"""DuckDB: the content token moves if and only if the rows or the columns differ."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from afresh.warehouse.probe import Limits, Signal
from conformance.warehouse.driver import look, over_duckdb, target, token

SOURCE = target("memory", "main", "t")


@pytest.fixture
def db():
    with duckdb.connect() as connection:
        connection.execute("create table t (a integer, b varchar, d double)")
        connection.execute("insert into t values (1, 'x', 1.5), (2, null, 'nan'), (2, null, 'nan'), (null, '', null)")
        yield connection


def seen(connection):
    return token(over_duckdb(connection), "duckdb", SOURCE)


@pytest.mark.parametrize(
    "write",
    [
        "insert into t values (9, 'y', 0)",
        "insert into t select * from t where a = 1",
        "update t set b = 'z' where a = 1",
        "update t set b = '' where a = 2",
        "delete from t where a = 1",
        "delete from t where a = 2 and rowid = (select min(rowid) from t where a = 2)",
        "begin; delete from t where a = 1; insert into t values (3, 'x', 1.5); commit",
        "update t set d = '-0.0'::double where a = 1",
        "truncate t",
        "create or replace table t as select a, b, d + 1 as d from t",
        "create table n as select * from t limit 1; drop table t; alter table n rename to t",
        "alter table t add column c integer",
        "alter table t add column c integer default 7",
        "alter table t drop column d",
        "alter table t rename column a to aa",
        "alter table t alter a type bigint",
        "create or replace table t as select b, a, d from t",
    ],
)
def test_a_write_that_changes_rows_or_columns_moves_the_token(db, write):
    before = seen(db)
    for statement in write.split("; "):
        db.execute(statement)
    assert seen(db) != before


@pytest.mark.parametrize(
    "write",
    [
        "begin; insert into t values (9, 'y', 0); rollback",
        "create or replace table t as select * from t order by a desc, b, d",
        "create table n as select * from t; drop table t; alter table n rename to t",
        "begin; delete from t where a = 1; insert into t values (1, 'x', 1.5); commit",
        "update t set a = a",
        "create table other as select * from t",
        "create index i on t (a)",
        "comment on table t is 'hello'",
        "analyze t",
        "checkpoint",
    ],
)
def test_what_leaves_rows_and_columns_as_they_were_leaves_the_token(db, write):
    before = seen(db)
    for statement in write.split("; "):
        db.execute(statement)
    assert seen(db) == before


DISTINGUISHED = [
    ("double", "0.0", "'-0.0'::double"),
    ("float", "0.0", "'-0.0'::float"),
    ("interval", "interval '1 month'", "interval '30 days'"),
    ("interval", "interval '1 day'", "interval '24 hours'"),
    ("integer[]", "[]", "null"),
    ("integer[][]", "[[1], [2]]", "[[1, 2], []]"),
    ("integer[][]", "[[]]", "[]"),
    ("varchar[]", "['a, b']", "['a', 'b']"),
    ("varchar[]", "['NULL']", "[null]"),
    ("double[]", "[0.0]", "['-0.0'::double]"),
    ("struct(x integer, y integer)", "{'x': null, 'y': 1}", "{'x': 1, 'y': null}"),
    ("struct(x integer)", "{'x': null}", "null"),
    ("map(varchar, integer)", "map {'a': 1}", "map {'a': 2}"),
    ("union(x integer, y integer)", "union_value(x := 1)::union(x integer, y integer)", "union_value(y := 1)::union(x integer, y integer)"),
    ("variant", "1::variant", "'1'::variant"),
    ("enum('a', 'b')", "'a'", "'b'"),
    ("blob", "'\\x00'::blob", "''::blob"),
    ("bit", "'0'::bit", "'00'::bit"),
    ("varchar collate nocase", "'a'", "'A'"),
    ("json", "'{}'", "'{ }'"),
    ("hugeint", "170141183460469231731687303715884105727", "-1"),
    ("decimal(5, 2)", "1.10", "1.11"),
    ("timestamptz", "'2026-01-01 00:00:00+00'", "'2026-01-01 00:00:00+01'"),
    ("timetz", "'12:00:00+00'", "'13:00:00+01'"),
    ("bignum", "'123456789012345678901234567890'", "'123456789012345678901234567891'"),
    ("integer[3]", "[1, 2, 3]", "[1, 2, null]"),
    ("uuid", "'00000000-0000-0000-0000-000000000000'", "null"),
]


@pytest.mark.parametrize(("kind", "one", "other"), DISTINGUISHED)
def test_values_that_duckdb_may_take_for_equal_are_told_apart(kind, one, other):
    with duckdb.connect() as connection:
        connection.execute(f"create table t (i integer, v {kind})")
        connection.execute(f"insert into t values (1, {one})")
        before = seen(connection)
        connection.execute(f"create or replace table t (i integer, v {kind})")
        connection.execute(f"insert into t values (1, {other})")
        assert seen(connection) != before


def test_a_value_that_moves_between_rows_or_columns_is_seen(db):
    db.execute("create or replace table t as select 1 as a, 2 as b union all select 3, 4")
    first = seen(db)
    db.execute("create or replace table t as select 1 as a, 4 as b union all select 3, 2")
    second = seen(db)
    db.execute("create or replace table t as select 2 as a, 1 as b union all select 4, 3")
    assert len({first, second, seen(db)}) == 3


def test_an_empty_table_has_a_token_and_its_columns_count(db):
    db.execute("create or replace table t (a integer)")
    before = seen(db)
    db.execute("create or replace table t (a bigint)")
    assert seen(db) != before


def test_names_need_no_care(db):
    name = "we\"ird 'name'.x"
    db.execute('create schema "S x"')
    db.execute('create table "S x"."' + name.replace('"', '""') + '" ("t" integer, "sel""ect" varchar)')
    assert token(over_duckdb(db), "duckdb", target("memory", "S x", name))


def test_a_name_in_another_case_is_the_same_table(db):
    assert token(over_duckdb(db), "duckdb", target("MEMORY", "Main", "T")) == seen(db)


def test_a_table_above_the_limit_is_unknown_with_advice(db):
    answer = look(over_duckdb(db), "duckdb", SOURCE, limits=Limits(max_hash_rows=1))
    assert "loaded_at_field" in str(answer.version)
    assert answer.exists
    assert answer.signature.columns[0] == ("a", "INTEGER")


def test_a_missing_table_says_so(db):
    answer = look(over_duckdb(db), "duckdb", target("memory", "main", "nowhere"))
    assert answer.exists is False
    assert answer.signal is Signal.NONE


def test_hashing_says_what_it_cost(db):
    assert look(over_duckdb(db), "duckdb", SOURCE).hashed_rows == 4


value = st.one_of(st.none(), st.integers(-2, 2))
text = st.one_of(st.none(), st.sampled_from(["", "a", "b"]))
row = st.tuples(value, text)
write = st.one_of(
    st.tuples(st.just("insert"), row),
    st.tuples(st.just("delete"), value),
    st.tuples(st.just("update"), st.tuples(value, text)),
    st.tuples(st.just("truncate"), st.none()),
    st.tuples(st.just("rollback"), row),
)


def literal(one):
    return "null" if one is None else repr(one)


def do(connection, action, data):
    match action:
        case "insert":
            connection.execute(f"insert into t values ({literal(data[0])}, {literal(data[1])})")
        case "delete":
            connection.execute(f"delete from t where a is not distinct from {literal(data)}")
        case "update":
            connection.execute(f"update t set b = {literal(data[1])} where a is not distinct from {literal(data[0])}")
        case "truncate":
            connection.execute("truncate t")
        case "rollback":
            connection.execute("begin")
            connection.execute(f"insert into t values ({literal(data[0])}, {literal(data[1])})")
            connection.execute("rollback")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(write, min_size=1, max_size=12))
def test_tokens_are_equal_exactly_when_the_bags_of_rows_are(writes):
    with duckdb.connect() as connection:
        connection.execute("create table t (a integer, b varchar)")
        by_token, by_bag = {}, {}
        for action, data in writes:
            do(connection, action, data)
            bag = frozenset(Counter(connection.execute("select a, b from t").fetchall()).items())
            now = seen(connection)
            assert by_token.setdefault(now, bag) == bag
            assert by_bag.setdefault(bag, now) == now
