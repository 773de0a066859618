"""What our SQL is made of, read back by sqlglot in each engine's dialect."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from afresh.warehouse.dialect import STANDARD
from afresh.warehouse.registry import _ENGINES
from afresh.warehouse.server_engine import ServerEngine
from afresh.warehouse.volatile import answers_with_now

SERVERS = {name: found for name, found in _ENGINES.items() if isinstance(found, ServerEngine)}
ODD = [
    "plain",
    "it's",
    "'",
    "''",
    'say "x"',
    "a`b",
    "a\\b",
    "\\'",
    "\\",
    "x]y",
    "[x",
    "semi;colon",
    "-- no",
    "/* no */",
    "ünï",
    "{{ no }}",
    "%s",
]


@pytest.fixture(params=sorted(SERVERS))
def server(request) -> ServerEngine:
    return SERVERS[request.param]


@pytest.mark.parametrize("text", ODD)
def test_a_text_is_read_back_as_it_is(server, text):
    (found,) = sqlglot.parse_one(f"select {server.words.literal(text)}", read=server.dialect).expressions
    assert isinstance(found, (exp.Literal, exp.National))
    assert found.name == text


@pytest.mark.parametrize("text", ODD)
def test_a_name_is_read_back_as_it_is(server, text):
    named = server.words.dotted(("db", "", text))
    parts = sqlglot.parse_one(f"select * from {named}", read=server.dialect).find(exp.Table).parts
    assert ".".join(part.name for part in parts) == f"db.{text}"
    assert parts[-1].args["quoted"]


def test_the_date_of_the_session_is_one_marked_value(server):
    tree = sqlglot.parse_one(server.session_date_sql, read=server.dialect)
    assert [column.alias for column in tree.selects] == ["answer"]
    assert answers_with_now(server.session_date_sql, server.dialect)
    assert "'t:'" in server.session_date_sql


def test_marked_columns_parse(server):
    tree = sqlglot.parse_one(f"select {server.words.marked_columns('a.b', server.words.now)} from a", read=server.dialect)
    assert [column.alias for column in tree.selects] == ["c1", "c2"]


def test_standard_sql_doubles_what_would_end_a_text_or_a_name():
    assert (STANDARD.literal("it's"), STANDARD.quoted('a"b')) == ("'it''s'", '"a""b"')
