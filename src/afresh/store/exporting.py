"""Writing a whole state down as it is at one moment, so that another database can go on with it.

What is true of one database only is left out: which leases are live, and which runs are at work. The terms of leases and all
announced builds go along, so that a build that has not ended is an interruption in the copy.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, Text, collate, func, select, text

from afresh.store import identity
from afresh.store.dump import DumpHead, DumpWriter
from afresh.store.schema import (
    BLOBS,
    DECISIONS,
    DURATIONS,
    EVENTS,
    HEAD,
    LEASES,
    MARKS,
    PROBE_MEMOS,
    RUNS,
    TRACES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Column, Table
    from sqlalchemy.sql import ColumnElement

    from afresh.store.engine import Transaction

MOVED: Mapping[str, Table] = {
    table.name: table for table in (RUNS, TRACES, LEASES, MARKS, DURATIONS, DECISIONS, BLOBS, PROBE_MEMOS, EVENTS)
}
"""The tables of a file, in their order."""
NUMBERED: Mapping[str, str] = {RUNS.name: "number", MARKS.name: "id", DECISIONS.name: "id", EVENTS.name: "number"}
"""The tables that count their rows, and the column that holds the count."""
AT_ONCE = 200
"""How many rows are in memory."""

_COUNTER = text("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = :name")
_LEFT_OUT = {(LEASES.name, "expires_at")}


@dataclass(frozen=True, slots=True)
class Moved:
    """How much was exported or imported, by table."""

    rows: Mapping[str, int]

    @property
    def runs(self) -> int:
        """How many runs."""
        return self.rows.get(RUNS.name, 0)

    @property
    def traces(self) -> int:
        """How many relations and tests have a trace."""
        return self.rows.get(TRACES.name, 0)

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.rows.values())


def export(tx: Transaction, out: IO[bytes], *, afresh: str) -> Moved:
    """Write everything that ``tx`` sees."""
    rows = {name: int(tx.conn.execute(select(func.count()).select_from(table)).scalar_one()) for name, table in MOVED.items()}
    numbers = {name: _last_number(tx, name) for name in NUMBERED}
    writer = DumpWriter(out, DumpHead(HEAD, afresh, identity.secrets_key(tx), rows, numbers))
    for name, table in MOVED.items():
        writer.table(name, [column.name for column in table.columns])
        for values in _rows(tx, table):
            writer.row(values)
    writer.close()
    return Moved(rows)


def highest_number(tx: Transaction, table: str) -> int:
    """The highest number of a row that is there."""
    return int(tx.conn.execute(select(func.coalesce(func.max(MOVED[table].c[NUMBERED[table]]), 0))).scalar_one())


def _last_number(tx: Transaction, table: str) -> int:
    """The last number that was given to a row, be it there or not."""
    if tx.is_sqlite:
        counter = _COUNTER.bindparams(name=table)
    else:
        counter = text(f"SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM {sequence_of(tx, table)}")
    return max(highest_number(tx, table), int(tx.conn.execute(counter).scalar_one()))


def sequence_of(tx: Transaction, table: str) -> str:
    """What PostgreSQL calls the counter of a table, as it may stand in a statement."""
    wanted = {"table": table, "column": NUMBERED[table]}
    return str(tx.conn.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), wanted).scalar_one())


def _rows(tx: Transaction, table: Table) -> Iterator[list[Any]]:
    wanted = select(table).order_by(*(_in_bytes(tx, column) for column in table.primary_key.columns))
    is_left_out = [(table.name, column.name) in _LEFT_OUT for column in table.columns]
    is_binary = [isinstance(column.type, LargeBinary) for column in table.columns]
    found = tx.conn.execute(wanted, execution_options={"stream_results": True, "yield_per": AT_ONCE})
    for row in found:
        yield [_plain(value, left_out, binary) for value, left_out, binary in zip(row, is_left_out, is_binary, strict=True)]


def _in_bytes(tx: Transaction, column: Column[Any]) -> ColumnElement[Any]:
    """The order that both databases know; PostgreSQL sorts text by the rules of a language unless told otherwise."""
    return column if tx.is_sqlite or not isinstance(column.type, Text) else collate(column, "C")


def _plain(value: Any, left_out: bool, binary: bool) -> Any:  # noqa: ANN401, FBT001 - a value of any column
    if left_out or value is None:
        return None
    return base64.b64encode(value).decode() if binary else value
