"""What a DuckDB view, or an ``external_location``, reads: read from its SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from afresh.core.version import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE_FUNCTIONS = frozenset(
    {
        "parquet_scan",
        "read_blob",
        "read_csv",
        "read_csv_auto",
        "read_json",
        "read_json_auto",
        "read_json_objects",
        "read_json_objects_auto",
        "read_ndjson",
        "read_ndjson_auto",
        "read_ndjson_objects",
        "read_parquet",
        "read_text",
        "read_xlsx",
        "st_read",
    }
)
_CONSTANT_FUNCTIONS = frozenset(
    {"range", "generate_series", "unnest", "repeat", "repeat_row", "generate_subscripts", "json_each", "json_tree"}
)
_FILE_NAME = re.compile(r"[/\\]|\.(csv|tsv|txt|parquet|json|jsonl|ndjson|xlsx)(\.(gz|zst|zstd))?$", re.IGNORECASE)
_STRING = re.compile(r"'(?:[^']|'')*'")
_CALLED = re.compile(r'"?([A-Za-z_]\w*)"?\s*\(')
_BARE = re.compile(r"\b(current_date|current_time|current_timestamp|localtime|localtimestamp)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableName:
    """A name in a FROM clause, as written: one to three parts. ``shadowed``: a CTE of that name exists in the statement."""

    parts: tuple[str, ...]
    shadowed: bool = False

    @property
    def looks_like_a_file(self) -> bool:
        """Whether DuckDB would read a file of this name where there is no such table."""
        return len(self.parts) == 1 and _FILE_NAME.search(self.parts[0]) is not None


@dataclass(frozen=True)
class Reads:
    """Everything a definition reads. ``functions`` are the names of all functions it calls, in lower case."""

    tables: tuple[TableName, ...] = ()
    files: tuple[str, ...] = ()
    functions: frozenset[str] = field(default_factory=frozenset)


@lru_cache(maxsize=1024)
def reads_of_view(sql: str) -> Reads | Unknown:
    """What the ``CREATE VIEW`` statement that DuckDB keeps reads; Unknown where that cannot be told."""
    tree = _parsed(sql)
    if isinstance(tree, exp.Create) and tree.expression is not None:
        return _reads(tree.expression, sql)
    return Unknown("its definition cannot be read")


def reads_of_location(location: str) -> Reads | Unknown:
    """What ``from <location>`` reads: a quoted path or a table function."""
    sql = f"select * from {location}"
    tree = _parsed(sql)
    return Unknown(f"what {location} reads cannot be told") if tree is None else _reads(tree, sql)


def _parsed(sql: str) -> exp.Expr | None:
    try:
        return sqlglot.parse_one(sql, read="duckdb")
    except (SqlglotError, ValueError, RecursionError):
        return None


def _reads(tree: exp.Expr, sql: str) -> Reads | Unknown:
    if tree.find(exp.Command, exp.Describe, exp.Summarize, exp.Show) is not None:
        return Unknown("its definition cannot be read")
    names = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    tables: list[TableName] = []
    files: list[str] = []
    for table in tree.find_all(exp.Table):
        found = _function_files(table.this) if isinstance(table.this, exp.Func) else _name(table, names)
        if isinstance(found, Unknown):
            return found
        if isinstance(found, TableName):
            tables.append(found)
        else:
            files.extend(found)
    return Reads(tuple(dict.fromkeys(tables)), tuple(dict.fromkeys(files)), frozenset(_called(sql)))


def _name(table: exp.Table, ctes: set[str]) -> TableName | Unknown:
    parts = tuple(part.name for part in table.parts)
    if not parts or not all(parts):
        return Unknown("it reads from something without a name")
    return TableName(parts, shadowed=len(parts) == 1 and parts[0].lower() in ctes)


def _function_files(call: exp.Func) -> tuple[str, ...] | Unknown:
    name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()
    if name in _CONSTANT_FUNCTIONS:
        return ()
    if name not in _FILE_FUNCTIONS:
        return Unknown(f"it reads from the function {name}(), which may read anything")
    first = next(iter(call.expressions), None) if call.this is None or isinstance(call.this, str) else call.this
    paths = tuple(_literals(first))
    return paths or Unknown(f"which files {name}() reads is decided when it runs")


def _literals(argument: object) -> Iterator[str]:
    """The paths that a function's first argument lists; nothing as soon as one of them is computed."""
    if isinstance(argument, exp.Dot):  # older versions keep ``main.list_value(…)``
        argument = argument.expression
    if isinstance(argument, exp.Literal) and argument.is_string:
        yield argument.name
    elif isinstance(argument, exp.Array) or (isinstance(argument, exp.Anonymous) and argument.name.lower() == "list_value"):
        found = [list(_literals(part)) for part in argument.expressions]
        if all(found):
            yield from (path for paths in found for path in paths)


def _called(sql: str) -> Iterator[str]:
    """The names of called functions; more than there are does no harm."""
    text = _STRING.sub("''", sql)
    yield from (name.lower() for name in _CALLED.findall(text))
    yield from (name.lower() for name in _BARE.findall(text))
