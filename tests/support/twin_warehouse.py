"""What two DuckDB files hold, and in which relations they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_RELATIONS = "select schema_name, table_name, 'table' from duckdb_tables() union all select schema_name, view_name, 'view' from duckdb_views() where not internal"
_TIMES = ("dbt_valid_from", "dbt_updated_at", "dbt_scd_id")
"""Columns of a snapshot that hold, or are made of, the time of the run."""


@dataclass(frozen=True)
class Content:
    """What a reader of one relation gets: its columns with their types, and a bag of rows."""

    kind: str
    columns: tuple[tuple[str, str], ...] = ()
    rows: Counter[str] = field(default_factory=Counter)
    unreadable: bool = False


Contents = Mapping[str, Content]


def contents(file: Path) -> Contents:
    """Everything in a database file by ``schema.name``; the file is not touched."""
    import duckdb

    with duckdb.connect(file, read_only=True) as connection:
        relations = connection.execute(_RELATIONS).fetchall()
        return {f"{schema}.{name}": _content(connection, f'"{schema}"."{name}"', kind) for schema, name, kind in relations}


def _content(connection: Any, relation: str, kind: str) -> Content:
    import duckdb

    try:
        types = [(str(row[0]), str(row[1])) for row in connection.execute(f"describe {relation}").fetchall()]
        shown = [_shown(name) for name, _ in types if name not in _TIMES]
        rows = connection.execute(f"select {', '.join(shown)} from {relation}").fetchall()
    except duckdb.Error:
        return Content(kind, unreadable=True)
    return Content(kind, tuple(types), Counter(map(repr, rows)))


def _shown(name: str) -> str:
    return "dbt_valid_to is null" if name == "dbt_valid_to" else f'"{name}"'


def differences(ours: Contents, twin: Contents) -> Iterator[str]:
    """One sentence for each relation in which ``ours`` is not what the twin holds."""
    for name in sorted({*ours, *twin}):
        here, there = ours.get(name), twin.get(name)
        if here is None or there is None:
            yield f"{name} is missing {'here' if here is None else 'in the twin'}"
        elif here != there:
            yield f"{name} differs: {_difference(here, there)}"


def _difference(here: Content, there: Content) -> str:
    if here.unreadable or there.unreadable:
        return f"it can be read {'in the twin' if here.unreadable else 'here'} only"
    if here.kind != there.kind:
        return f"it is a {here.kind} here and a {there.kind} in the twin"
    if here.columns != there.columns:
        return f"its columns are {here.columns} here and {there.columns} in the twin"
    return f"only here {sorted((here.rows - there.rows).elements())}, only in the twin {sorted((there.rows - here.rows).elements())}"


def fresh_copy(file: Path, to: Path, *, schema: str) -> None:
    """A new database file with nothing but the tables of ``schema``."""
    import duckdb

    with duckdb.connect(to) as connection:
        connection.execute(f"attach '{file}' as old (read_only); create schema if not exists {schema}")
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'old' and schema_name = ?", [schema]
        ).fetchall()
        for (table,) in tables:
            connection.execute(f'create table {schema}."{table}" as select * from old.{schema}."{table}"')
