"""Iceberg tables: the snapshot that the main branch stands at, less those that only rewrote files.

A snapshot of the operation ``replace`` holds the same rows as the one before it (compaction); by Iceberg's own rules all others may not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.version import Unknown
from afresh.warehouse.asks import Answer, AskSql, Rows
from afresh.warehouse.catalogue import TABLE, Seen, refused
from afresh.warehouse.cells import unmarked_rows
from afresh.warehouse.probe import Signal, Strength
from afresh.warehouse.tokens import digest

if TYPE_CHECKING:
    from afresh.core.trace import Signature
    from afresh.warehouse.dialect import Dialect
    from afresh.warehouse.names import Name

_FIX = "if it is no Iceberg table, add loaded_at_field or loaded_at_query to the source"
_SNAPSHOTS = 1000
"""How many snapshots are looked at, the latest first."""


def ask_snapshots(words: Dialect, name: Name, snapshots: str, refs: str) -> AskSql:
    """The latest snapshots, and which one the main branch stands at; ``snapshots`` and ``refs`` are the metadata tables in SQL."""
    columns = words.marked_columns("s.snapshot_id", "s.parent_id", "s.operation", "r.name")
    sql = (
        f"select {columns} from {snapshots} as s "
        f"left join {refs} as r on r.snapshot_id = s.snapshot_id and r.name = {words.literal('main')} "
        f"order by s.committed_at desc limit {_SNAPSHOTS}"
    )
    return AskSql(sql, name.database or None, f"snapshots of {name.schema}.{name.identifier}")


def read_snapshots(answer: Answer, signature: Signature | None) -> Seen:
    """The version that the answer to :func:`ask_snapshots` comes to."""
    if not isinstance(answer, Rows):
        return Seen(TABLE, why=f"{refused(answer, 'its snapshots').why}: {_FIX}", signature=signature)
    snapshot = _last_that_changed_rows(answer)
    if isinstance(snapshot, Unknown):
        return Seen(TABLE, why=snapshot.why, signature=signature)
    parts = {"snapshot": snapshot} if signature is None else {"snapshot": snapshot, "columns": digest(signature.columns)}
    return Seen(TABLE, parts, signature=signature, signal=Signal.TABLE_VERSION, strength=Strength.EXACT)


def _last_that_changed_rows(answer: Rows) -> str | Unknown:
    rows = unmarked_rows(answer)
    if not rows:
        return "none"
    parents = {snapshot: (parent, operation) for snapshot, parent, operation, _ in rows}
    at = next((snapshot for snapshot, _, _, branch in rows if branch == "main"), None)
    if at is None:
        return Unknown("its current snapshot is not among the latest ones")
    while parents[at][1] == "replace" and parents[at][0] in parents:
        at = str(parents[at][0])
    return at
