"""The databases that test projects build in: a DuckDB file, or a database on a PostgreSQL server (see ``postgres``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Row = tuple[Any, ...]


class Warehouse(Protocol):
    """What a test asks of a project's database, apart from dbt."""

    def profile(self) -> Mapping[str, object]:
        """The entries of a dbt target that lead here."""

    def execute(self, *statements: str) -> None:
        """Run each statement and commit."""

    def query(self, sql: str) -> list[Row]:
        """The rows that the query answers, in the order it gives."""


@dataclass(frozen=True)
class DuckDBFile:
    """An embedded database; nobody else may have the file open while a method runs."""

    path: Path

    def profile(self) -> Mapping[str, object]:
        """The entries of a dbt target that lead here."""
        return {"type": "duckdb", "path": str(self.path), "schema": "main"}

    def execute(self, *statements: str) -> None:
        """Run each statement and commit."""
        import duckdb

        with duckdb.connect(self.path) as connection:
            for statement in statements:
                connection.execute(statement)

    def query(self, sql: str) -> list[Row]:
        """The rows that the query answers, in the order it gives; the file is not touched."""
        import duckdb

        with duckdb.connect(self.path, read_only=True) as connection:
            return connection.execute(sql).fetchall()
