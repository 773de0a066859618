"""The content of a DuckDB table as one token: the same for the same rows in any order, another for others.

DuckDB's ``hash()`` gives one value to some things that differ (measured on 2.0: an empty and a NULL list, a NULL struct
and one of NULLs, ``0.0`` and ``-0.0``, a month and thirty days). Columns of such types are hashed by their text. The
hash of a row is hashed once more, because the rows' hashes are added: columns are joined by exclusive or, under which
exchanging a value between two rows leaves the sum as it was about once in 10⁸ cases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.warehouse.asks import AskSql
from afresh.warehouse.cells import dotted, marked_columns, quoted, unmarked_rows
from afresh.warehouse.tokens import digest, write_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from afresh.warehouse.asks import Rows
    from afresh.warehouse.duckdb_catalog import CatalogRelation

ALGORITHM = "duckdb1"

_BY_VALUE = frozenset(
    {
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
        "VARCHAR",
        "BLOB",
        "BIT",
        "UUID",
        "DATE",
        "TIME",
        "TIME_NS",
        "TIMESTAMP",
        "TIMESTAMP_S",
        "TIMESTAMP_MS",
        "TIMESTAMP_NS",
        "JSON",
        "GEOMETRY",
    }
) | {"TIME WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"}
_BY_VALUE_AND_SIGN = frozenset({"FLOAT", "DOUBLE"})


TOGETHER = 16
"""How many tables one statement reads: most tables take less time than a statement."""


def ask_contents(tables: Sequence[CatalogRelation]) -> AskSql:
    """Read all rows of some tables; the answer has a row for each, in order."""
    names = [dotted((table.name.database, table.name.schema, table.name.identifier)) for table in tables]
    counted = [_counted(table, name, at) for at, (table, name) in enumerate(zip(tables, names, strict=True))]
    sql = f"select {marked_columns('counted', 'total')} from ({' union all '.join(counted)}) order by place"
    return AskSql(sql, None, f"content of {', '.join(names)}")


def _counted(table: CatalogRelation, name: str, at: int) -> str:
    columns = ", ".join(part for column, kind in table.columns for part in _hashed(quoted(column), kind))
    return f"select {at} as place, count(*) as counted, coalesce(sum(cast(hash(hash({columns})) as hugeint)), 0) as total from {name}"


def _hashed(column: str, kind: str) -> Iterator[str]:
    if kind in _BY_VALUE or (kind.startswith("DECIMAL(") and kind.endswith(")")):
        yield column
    elif kind in _BY_VALUE_AND_SIGN:
        yield from (column, f"signbit({column})")
    elif kind == "INTERVAL" or (kind.startswith("ENUM(") and kind.endswith(")")):
        yield f"cast({column} as varchar)"
    else:
        yield from (column, f"cast(to_json({column}) as varchar)")


def contents_parts(tables: Sequence[CatalogRelation], answer: Rows) -> Iterator[tuple[dict[str, str], int]]:
    """For each table, the parts of the token, and the number of rows."""
    for table, (rows, total) in zip(tables, unmarked_rows(answer), strict=True):
        yield {"columns": digest(*table.columns), "rows": rows or "", "hash": f"{int(total or 0):x}"}, int(rows or 0)


def content_token(parts: dict[str, str]) -> str:
    """The token's text."""
    return write_token(ALGORITHM, parts)
