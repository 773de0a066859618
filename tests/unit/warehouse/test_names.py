from __future__ import annotations

import pytest

from afresh.warehouse.names import Catalog, Identity, Name, Quoting
from afresh.warehouse.registry import engine

QUOTED = Quoting()
UNQUOTED = Quoting(database=False, schema=False, identifier=False)


def folded(adapter, identifier, quoting):
    return engine(adapter).normalise(Name("Db", "Raw", identifier), quoting)


def test_quoted_names_that_differ_in_case_never_collide_on_postgres():
    assert folded("postgres", "Orders", QUOTED) != folded("postgres", "orders", QUOTED)
    assert folded("postgres", "Orders", QUOTED) == Name("Db", "Raw", "Orders")


def test_unquoted_names_are_one_on_postgres():
    assert folded("postgres", "Orders", UNQUOTED) == folded("postgres", "ORDERS", UNQUOTED) == Name("db", "raw", "orders")
    assert folded("postgres", "ÄRA", UNQUOTED).identifier == "Ära"


@pytest.mark.parametrize(("name", "kept"), [("x" * 70, "x" * 63), ("x" * 62 + "é", "x" * 62), ("é" * 40, "é" * 31)])
def test_long_names_are_cut_where_postgres_cuts_them(name, kept):
    assert folded("postgres", name, QUOTED).identifier == kept


@pytest.mark.parametrize("quoting", [QUOTED, UNQUOTED])
def test_case_never_tells_tables_apart_on_duckdb(quoting):
    assert folded("duckdb", "Orders", quoting) == folded("duckdb", "orders", quoting)
    assert folded("duckdb", "É", quoting) != folded("duckdb", "é", quoting)


def test_an_unknown_engine_keeps_quoted_names_and_folds_the_others():
    assert folded("somewhere", "Orders", QUOTED).identifier == "Orders"
    assert folded("somewhere", "Orders", UNQUOTED) == folded("somewhere", "ORDERS", UNQUOTED)


def test_a_relation_is_found_in_the_warehouse_its_database_lives_in():
    identity = Identity("w", {"side": Catalog("other", "stem"), "gone": Catalog(None, "gone")})
    assert identity.locate(Name("main", "s", "t")).key == '["w", "main", "s", "t"]'
    assert identity.locate(Name("side", "s", "t")).key == '["other", "stem", "s", "t"]'
    assert identity.locate(Name("gone", "s", "t")) is None
    assert Identity(None).locate(Name("main", "s", "t")) is None
