"""Which names in a query are its own: CTEs, in the scope where they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOWER = frozenset({"postgres", "redshift", "materialize", "risingwave"})
_UPPER = frozenset({"snowflake", "oracle"})
_EXACT = frozenset({"clickhouse", None})
_RECURSIVE_WITHOUT_KEYWORD = frozenset({"tsql", "fabric", "oracle", "snowflake", "teradata", "bigquery"})


def names_cte(table: exp.Table, dialect: str | None) -> bool:
    """Whether a table of the query is certainly one of its CTEs; in doubt it is a relation of the database."""
    if table.db or table.catalog or not isinstance(table.this, exp.Identifier):
        return False
    name = _folded(table.this, dialect)
    return any(name == other for other in _visible(table, dialect))


def _visible(table: exp.Expr, dialect: str | None) -> Iterator[str]:
    """The names of all CTEs that hold where ``table`` stands."""
    below: exp.Expr = table
    node = table.parent
    while node is not None:
        with_ = node if isinstance(node, exp.With) else _with_of(node)
        if with_ is not None and with_ is not below:
            yield from _names(with_, inside=below if isinstance(below, exp.CTE) else None, table=table, dialect=dialect)
        below, node = node, node.parent


def _with_of(node: exp.Expr) -> exp.With | None:
    found = node.args.get("with_") or node.args.get("with")
    return found if isinstance(found, exp.With) else None


def _names(with_: exp.With, *, inside: exp.CTE | None, table: exp.Expr, dialect: str | None) -> Iterator[str]:
    for cte in with_.expressions:
        if cte is inside:
            if _recurses(with_, cte, table, dialect):
                yield _name_of(cte, dialect)
            return
        yield _name_of(cte, dialect)


def _recurses(with_: exp.With, cte: exp.Expr, table: exp.Expr, dialect: str | None) -> bool:
    """Whether a CTE's own name means itself: after ``recursive``, or in a later branch of a union where the engine needs no such word.

    ``with orders as (select * from orders)`` reads the relation.
    """
    if with_.args.get("recursive"):
        return True
    if dialect not in _RECURSIVE_WITHOUT_KEYWORD or dialect == "bigquery" or not isinstance(cte.this, exp.SetOperation):
        return False
    return not _within(table, cte.this.this)


def _within(node: exp.Expr | None, ancestor: exp.Expr) -> bool:
    while node is not None and node is not ancestor:
        node = node.parent
    return node is not None


def _name_of(cte: exp.Expr, dialect: str | None) -> str:
    alias = cte.args.get("alias")
    name = alias.this if isinstance(alias, exp.TableAlias) else None
    return _folded(name, dialect) if isinstance(name, exp.Identifier) else ""


def _folded(name: exp.Identifier, dialect: str | None) -> str:
    """The name as the engine compares it."""
    text = str(name.this)
    if dialect in _EXACT or (name.args.get("quoted") and dialect in _LOWER | _UPPER):
        return text
    return text.upper() if dialect in _UPPER else text.lower()
