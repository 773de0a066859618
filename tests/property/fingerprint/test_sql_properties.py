"""Equality of SQL against its only answer key: what an engine does with the texts."""

import re

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from afresh.fingerprint.sql import Equality, same_sql, token_digest
from property.fingerprint.sql_texts import COLUMNS, KEYWORDS, LITERALS, odd_texts, queries, reshaped, respelled, touched

DIALECTS = ("duckdb", "postgres", "snowflake", "bigquery", "spark", "databricks", "redshift", "trino", "clickhouse", "tsql", "mysql", None)


@pytest.fixture(scope="module")
def database():
    connection = duckdb.connect()
    connection.execute("create table t as select * from (values (0, 1, 2), (1, null, 3), (null, 2, 7), (7, 7, 7), (-1, 0, 1)) v(a, b, c)")
    connection.execute("create table u as select * from (values (2, 2, 0), (null, null, null), (1, 0, 7)) v(a, b, c)")
    yield connection
    connection.close()


def answer(connection, sql):
    """The rows and column names of a query, or that it fails."""
    try:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return names, sorted(map(repr, cursor.fetchall()))
    except duckdb.Error:
        return "error"


@given(data=st.data(), dialect=st.sampled_from(DIALECTS))
def test_comments_white_space_and_keyword_case_never_change_the_digest(data, dialect):
    words = data.draw(queries())
    plain = " ".join(words)

    assert token_digest(data.draw(respelled(words)), dialect) == token_digest(plain, dialect)


@given(data=st.data(), dialect=st.sampled_from(DIALECTS))
def test_another_literal_always_changes_the_digest(data, dialect):
    first, second = data.draw(st.lists(st.sampled_from(LITERALS), min_size=2, max_size=2, unique=True))
    words = data.draw(queries())
    a, b = (" ".join([*words[:-1], "where", literal, "=", literal]) for literal in (first, second))

    assert token_digest(a, dialect) != token_digest(b, dialect)
    assert same_sql(a, b, dialect) is Equality.DIFFERENT


@given(text=st.text(alphabet="ab'\"-/* \n\\$`#[]", max_size=14), other=st.text(alphabet="ab'\"-/* \n\\$`#[]", max_size=14))
def test_any_two_string_contents_have_two_digests(text, other):
    a, b = ("select '" + content.replace("'", "''") + "' as x from t" for content in (text, other))

    assert (token_digest(a, "duckdb") == token_digest(b, "duckdb")) is (text == other)
    assert (same_sql(a, b, "duckdb") is Equality.DIFFERENT) is (text != other)


@given(data=st.data(), dialect=st.sampled_from(DIALECTS))
def test_another_name_always_changes_the_digest(data, dialect):
    words = data.draw(queries())
    names = [index for index, word in enumerate(words) if re.fullmatch(r"[A-Za-z]\w*", word) and word.lower() not in KEYWORDS]
    position = data.draw(st.sampled_from(names))
    renamed = [*words[:position], words[position] + "_new", *words[position + 1 :]]

    assert token_digest(" ".join(words), dialect) != token_digest(" ".join(renamed), dialect)
    assert same_sql(" ".join(words), " ".join(renamed), dialect) is Equality.DIFFERENT


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_called_equal_gives_equal_answers_on_duckdb(data, database):
    words = data.draw(queries())
    a, b = " ".join(words), " ".join(data.draw(reshaped(words)))

    if same_sql(a, b, "duckdb") is not Equality.DIFFERENT:
        assert answer(database, a) == answer(database, b), (a, b)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_texts_of_odd_pieces_called_equal_give_equal_answers_on_duckdb(data, database):
    a = data.draw(odd_texts())
    b = data.draw(touched(a))

    if same_sql(a, b, "duckdb") is not Equality.DIFFERENT:
        assert answer(database, a) == answer(database, b), (a, b)


@pytest.fixture
def server(postgres):
    with postgres.connect() as connection:
        connection.execute("create temp table t as select * from (values (0, 1), (1, null)) v(a, b)")
        yield connection


def postgres_answer(connection, sql):
    """As :func:`answer`, of PostgreSQL."""
    try:
        cursor = connection.execute(sql.encode())
        return [column.name for column in cursor.description], sorted(map(repr, cursor.fetchall()))
    except psycopg.Error:
        return "error"


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_texts_of_odd_pieces_called_equal_give_equal_answers_on_postgres(data, server):
    a = data.draw(odd_texts())
    b = data.draw(touched(a))

    if same_sql(a, b, "postgres") is not Equality.DIFFERENT:
        assert postgres_answer(server, a) == postgres_answer(server, b), (a, b)


@given(data=st.data())
def test_equality_does_not_depend_on_the_order_of_its_arguments(data):
    words = data.draw(queries())
    a, b = " ".join(words), " ".join(data.draw(reshaped(words)))

    assert (same_sql(a, b, "duckdb") is Equality.DIFFERENT) is (same_sql(b, a, "duckdb") is Equality.DIFFERENT)


@given(text=st.text(max_size=40), dialect=st.sampled_from(DIALECTS))
def test_no_text_raises(text, dialect):
    assert same_sql(text, text, dialect) is Equality.IDENTICAL
    assert token_digest(text, dialect)


def test_the_columns_of_the_tables_are_those_of_the_queries(database):
    assert answer(database, f"select {', '.join(COLUMNS)} from t") != "error"
