"""What the stored definition of a view reads, in any dialect that sqlglot knows.

A name is a table unless it is a CTE where it stands. Whatever cannot be told gives Unknown: a function that nobody knows may
read tables, a parameter may be anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from afresh.core.version import Unknown
from afresh.warehouse.pure_functions import PURE_FUNCTIONS
from afresh.warehouse.volatile import VOLATILE_NAMES, volatile_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPAQUE = (exp.Command, exp.Parameter, exp.Placeholder, exp.SessionParameter, exp.TableSample, exp.ReadCSV)
_OF_ANOTHER_MOMENT = (exp.HistoricalData, exp.Version, exp.Changes)
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a name in SQL."""

    text: str
    is_quoted: bool


@dataclass(frozen=True, slots=True)
class Reads:
    """The names of tables that a definition reads, and whether its answer also depends on the moment."""

    tables: tuple[tuple[Part, ...], ...] = ()
    is_volatile: bool = False


@lru_cache(maxsize=1024)
def reads_of_definition(sql: str, dialect: str) -> Reads | Unknown:
    """What a ``CREATE VIEW`` statement, or the query of one, reads."""
    try:
        tree = sqlglot.parse_one(sql, read=dialect or None)
        query = tree.expression if isinstance(tree, exp.Create) else tree
        if not isinstance(query, exp.Query):
            return Unknown("its definition cannot be read")
        if dialect == "clickhouse" and _has_tables_as_sets(query):
            return Unknown("it names a table behind IN")
        return _why_opaque(query, PURE_FUNCTIONS.get(dialect, _NONE)) or Reads(
            tuple(dict.fromkeys(_tables(query))), next(volatile_calls(query), None) is not None
        )
    except (SqlglotError, ValueError, RecursionError):
        return Unknown("its definition cannot be read")


def _why_opaque(query: exp.Expr, pure: frozenset[str]) -> Unknown | None:
    strange = query.find(*_OPAQUE)
    if strange is not None:
        return Unknown("its definition reads something other than tables")
    if query.find(*_OF_ANOTHER_MOMENT) is not None:
        return Unknown("it reads a table as it was at another moment")
    return _opaque_call(query, pure) or _opaque_table(query)


def _opaque_call(query: exp.Expr, pure: frozenset[str]) -> Unknown | None:
    for call in query.find_all(exp.Anonymous, exp.AnonymousAggFunc):
        if call.name.lower() not in VOLATILE_NAMES and call.name not in pure:
            return Unknown(f"it calls {call.name}(), which may read anything")
    for dot in query.find_all(exp.Dot):
        if isinstance(dot.expression, exp.Func):  # however well known the last part of the name is
            return Unknown(f"it calls {dot.expression.sql_name().lower()}() of a schema, which may read anything")
    for call in query.find_all(exp.Func):
        if call.sql_name().startswith("AI_"):
            return Unknown(f"it calls {call.sql_name().lower()}(), which asks a model")
    return None


def _opaque_table(query: exp.Expr) -> Unknown | None:
    for table in query.find_all(exp.Table):
        if not all(isinstance(part, exp.Identifier) and part.name for part in table.parts):
            return Unknown("it reads from something that is not a table")
        if table.catalog and not table.db:
            return Unknown("it names a table without its schema")
    if any(column.name.lower() == "nextval" for column in query.find_all(exp.Column)):
        return Unknown("it takes numbers from a sequence")
    return None


def _has_tables_as_sets(query: exp.Expr) -> bool:
    """ClickHouse also reads a table where its name stands behind ``IN``, which looks like a column."""
    sides = (side for found in query.find_all(exp.In) for side in (found.args.get("field"), *found.expressions))
    return any(isinstance(side.unnest(), exp.Column) for side in sides if side is not None)


def _tables(query: exp.Expr) -> Iterator[tuple[Part, ...]]:
    """Raises ``ValueError`` where the scope of a name is not known."""
    scoped: set[int] = set()
    for scope in traverse_scope(query):
        for table in scope.tables:
            scoped.add(id(table))
            if len(table.parts) > 1 or table.name not in scope.cte_sources:
                yield tuple(Part(part.name, bool(part.args.get("quoted"))) for part in table.parts)
    if any(id(table) not in scoped for table in query.find_all(exp.Table)):
        raise ValueError("a table outside every scope")
