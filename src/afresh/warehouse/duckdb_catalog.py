"""DuckDB's own tables about its tables: what to ask, and the answer as values."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from afresh.core.trace import Signature
from afresh.warehouse.asks import AskSql
from afresh.warehouse.cells import dotted, literal, marked_columns, unmarked_rows
from afresh.warehouse.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from afresh.warehouse.asks import Rows

_FOLDING = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(name: str) -> str:
    """DuckDB takes names for equal that differ in the case of ASCII letters only."""
    return name.translate(_FOLDING)


def folded_name(name: Name) -> Name:
    """All three parts, folded."""
    return Name(folded(name.database), folded(name.schema), folded(name.identifier))


@dataclass(frozen=True, slots=True)
class Database:
    """One attached database. ``path`` is empty for one in memory; ``type`` is ``duckdb``, ``postgres``, ``ducklake`` and others."""

    name: str
    path: str
    type: str

    @property
    def is_file(self) -> bool:
        """Whether the state of this one file (and the log beside it) is the state of the database."""
        return self.type == "duckdb" and bool(self.path) and self.path != ":memory:" and ":" not in self.path[2:]

    @property
    def files(self) -> tuple[str, str]:
        """The file, and the write-ahead log beside it."""
        return (self.path, f"{self.path}.wal")


@dataclass(frozen=True, slots=True)
class CatalogRelation:
    """A table or view. ``name`` is spelled as it was created; ``sql`` is a view's definition."""

    name: Name
    kind: str
    estimated_rows: int | None
    sql: str
    columns: tuple[tuple[str, str], ...]

    @property
    def signature(self) -> Signature:
        """Columns and types, in order."""
        return Signature(self.columns)


@dataclass(frozen=True)
class Catalog:
    """What has been read of DuckDB's catalog so far."""

    databases: Mapping[str, Database] = field(default_factory=dict)
    relations: Mapping[Name, CatalogRelation] = field(default_factory=dict)
    macros: frozenset[str] = frozenset()
    volatile: frozenset[str] = frozenset()


DATABASES = AskSql(
    f"select {marked_columns('database_name', 'path', 'type')} from duckdb_databases() "
    "where not internal or database_name = 'temp' order by 1",
    None,
    "attached databases",
)


def read_databases(answer: Rows) -> dict[str, Database]:
    """The attached databases by folded name."""
    rows = [(name or "", path or "", kind or "") for name, path, kind in unmarked_rows(answer)]
    return {folded(name): Database(name, path, kind) for name, path, kind in rows}


def ask_relations(identifiers: Iterable[str]) -> AskSql:
    """Every table and view of one of these folded names, in whatever schema and database.

    The answer has a row for each relation and one for each column; they are put together here, since a join or an aggregation
    of them makes DuckDB take 4 MB more for the rest of the run.
    """
    names = ", ".join(literal(name) for name in sorted(identifiers))
    fold = f"translate({{}}, {literal(string.ascii_uppercase)}, {literal(string.ascii_lowercase)}) in ({names})"
    place = ("database_name", "schema_name")
    parts = (
        (("'table'", *place, "table_name", "estimated_size", "''"), f"duckdb_tables() where {fold.format('table_name')}"),
        (("'view'", *place, "view_name", "null", "sql"), f"duckdb_views() where not internal and {fold.format('view_name')}"),
        (("column_index", *place, "table_name", "column_name", "data_type"), f"duckdb_columns() where {fold.format('table_name')}"),
    )
    return AskSql(" union all ".join(f"select {marked_columns(*cells)} from {source}" for cells, source in parts), None, "tables and views")


def ask_columns(name: Name) -> AskSql:
    """The columns alone of one table or view; an error if there is none. Much faster than to look through the catalog."""
    where = literal(dotted((name.database, name.schema, name.identifier)))
    return AskSql(f"select {marked_columns('name', 'type')} from pragma_table_info({where}) order by cid", None, f"columns of {where}")


def read_columns(answer: Rows) -> Signature:
    """Columns and types, in order."""
    return Signature(tuple((name or "", kind or "") for name, kind in unmarked_rows(answer)))


def read_relations(answer: Rows) -> dict[Name, CatalogRelation]:
    """Tables and views by folded name."""
    columns: dict[Name, list[tuple[int, str, str]]] = {}
    relations: list[tuple[Name, str, str | None, str]] = []
    for row in unmarked_rows(answer):
        what, database, schema, name, first, second = ((cell or "") for cell in row)
        of = Name(database, schema, name)
        if what in ("table", "view"):
            relations.append((of, what, first or None, second))
        else:
            columns.setdefault(of, []).append((int(what), first, second))
    return {
        folded_name(name): CatalogRelation(
            name, kind, None if rows is None else int(rows), sql, tuple(column[1:] for column in sorted(columns.get(name, ())))
        )
        for name, kind, rows, sql in sorted(relations)
    }


def ask_functions(names: Iterable[str]) -> AskSql:
    """Which of these functions are macros of users, and which answer differently from call to call."""
    wanted = ", ".join(literal(name) for name in sorted(names)) or "''"
    columns = marked_columns("lower(function_name)", "internal", "stability")
    sql = (
        f"select distinct {columns} from duckdb_functions() where lower(function_name) in ({wanted}) "
        "and (not internal or stability in ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')) order by 1, 2, 3"
    )
    return AskSql(sql, None, "functions used by views")


def read_functions(answer: Rows) -> tuple[frozenset[str], frozenset[str]]:
    """The users' macros, and the volatile built-in functions."""
    rows = [(name or "", internal) for name, internal, _ in unmarked_rows(answer)]
    macros = frozenset(name for name, internal in rows if internal == "false")
    return macros, frozenset(name for name, internal in rows if internal != "false")
