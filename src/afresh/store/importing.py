"""Reading a whole state in: all of it in one transaction, or nothing.

What a state that is replaced knew better is kept by :mod:`afresh.store.replacing`.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Float, LargeBinary, Table, Text, delete, func, insert, select, text
from sqlalchemy.types import TypeDecorator

from afresh.errors import UsageError
from afresh.store import alive, identity, leases, marks
from afresh.store.dump import DumpTable
from afresh.store.exporting import AT_ONCE, MOVED, NUMBERED, Moved, highest_number, sequence_of
from afresh.store.replacing import Replaced
from afresh.store.schema import ALIVE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Column
    from sqlalchemy.engine import Connection

    from afresh.store.dump import DumpReader
    from afresh.store.engine import Transaction

_BY = "afresh state import"
_INVALIDATE = text(
    "INSERT INTO afresh_marks (key, state, at, by, detail) SELECT key, :state, :now, :by, :detail FROM afresh_traces ORDER BY key"
)


def import_(tx: Transaction, reader: DumpReader, *, place: str, replace: bool, invalidate: bool) -> Moved:
    """Put what the file holds in the place of an empty state, or of any with ``replace``; its tables are those of this release."""
    _keep_others_out(tx)
    refuse_while_at_work(tx, place, "Wait until they have ended, or stop them; an import would take their state away.")
    held = {name: count for name in MOVED if (count := tx.conn.execute(select(func.count()).select_from(MOVED[name])).scalar_one())}
    if held and not replace:
        raise UsageError(
            f"there is a state already ({Moved(held).runs:,} runs, {Moved(held).traces:,} traces)",
            where=place,
            hint="`--replace` puts the imported one in its place.",
        )
    replaced = Replaced(tx) if held else None
    for table in (*MOVED.values(), ALIVE):
        tx.conn.execute(delete(table))
    fill(tx.conn, reader, MOVED)
    count_on(tx, reader.head.numbers)
    identity.take_over(tx, reader.head.secrets_key)
    if replaced is not None:
        replaced.take_over()
    if invalidate:
        tx.conn.execute(_INVALIDATE, {"state": marks.INVALIDATED, "now": tx.now, "by": _BY, "detail": ""})
    return Moved(reader.head.rows)


def refuse_while_at_work(tx: Transaction, place: str, hint: str) -> None:
    """Raise :class:`UsageError` if a run is at work here or holds a lease."""
    runs = dict.fromkeys([*alive.at_work(tx), *(held.holder.run_id for held in leases.held(tx))])
    if runs:
        what = f"run {next(iter(runs))} is at work" if len(runs) == 1 else f"{len(runs)} runs are at work ({', '.join(runs)})"
        raise UsageError(what, where=place, hint=hint)


def fill(conn: Connection, reader: DumpReader, tables: Mapping[str, Table]) -> None:
    """Write the rows of a file into empty tables."""
    place = reader.place
    table: Table | None = None
    columns: list[Column[Any]] = []
    waiting: list[dict[str, Any]] = []
    for found in reader.contents():
        if isinstance(found, DumpTable):
            _write(conn, table, waiting)
            table, waiting = tables.get(found.name), []
            if table is None or set(found.columns) != {column.name for column in table.columns}:
                raise UsageError(f"the file is damaged: its table `{found.name}` is not known in schema {reader.head.schema}", where=place)
            columns = [table.columns[name] for name in found.columns]
            continue
        waiting.append(_values(columns, found, place))
        if len(waiting) == AT_ONCE:
            _write(conn, table, waiting)
            waiting = []
    _write(conn, table, waiting)


def _write(conn: Connection, table: Table | None, rows: Sequence[dict[str, Any]]) -> None:
    if table is not None and rows:
        conn.execute(insert(table), rows)


def _values(columns: Sequence[Column[Any]], row: Sequence[Any], place: str) -> dict[str, Any]:
    try:
        return {column.name: _value(column, value) for column, value in zip(columns, row, strict=True)}
    except (ValueError, TypeError, binascii.Error):
        raise UsageError("the file is damaged: a row of it does not fit its table", where=place) from None


def _value(column: Column[Any], value: Any) -> Any:  # noqa: ANN401 - a value of any column
    if value is None:
        if not column.nullable:
            raise TypeError
        return None
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value, validate=True)
    expected = str if isinstance(kind, Text) else bool if isinstance(kind, Boolean) else (float, int) if isinstance(kind, Float) else int
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise TypeError
    return value


def _keep_others_out(tx: Transaction) -> None:
    """Nobody else writes until this is done; in SQLite that is so anyway."""
    if not tx.is_sqlite:
        tx.conn.execute(text(f"LOCK TABLE {', '.join([*MOVED, ALIVE.name])} IN EXCLUSIVE MODE"))


def count_on(tx: Transaction, numbers: Mapping[str, int]) -> None:
    """Numbers that were given once are not given again, be their rows still there or not."""
    for name in NUMBERED:
        last = max(numbers.get(name, 0), highest_number(tx, name))
        if not tx.is_sqlite:
            tx.conn.execute(text(f"ALTER SEQUENCE {sequence_of(tx, name)} RESTART WITH {last + 1}"))
            continue
        tx.conn.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
        if last:
            tx.conn.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), {"name": name, "last": last})
