"""How large a state is, which schema it has, and whether its server lets this user write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from afresh.store.records import StateFacts
from afresh.store.schema import HEAD, METADATA, RUNS, TRACES, VERSION

if TYPE_CHECKING:
    from afresh.store.engine import Transaction

_SQLITE_SIZE = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
_POSTGRES_SIZE = text("SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0) FROM unnest(CAST(:names AS text[])) AS name")
_POSTGRES_STANDBY = text("SELECT pg_is_in_recovery()")
_POSTGRES_MAY_WRITE = text("SELECT bool_and(has_table_privilege(to_regclass(name), 'INSERT')) FROM unnest(CAST(:names AS text[])) AS name")


def facts(tx: Transaction, place: str) -> StateFacts:
    """What there is at this moment; without a revision where there is no state yet."""
    revision = tx.conn.execute(select(VERSION.c.version_num)).scalar()
    if revision is None:
        return StateFacts(place, None, HEAD)
    names = [table.name for table in METADATA.sorted_tables]
    size = tx.conn.execute(_SQLITE_SIZE) if tx.is_sqlite else tx.conn.execute(_POSTGRES_SIZE, {"names": names})
    runs, traces = (int(tx.conn.execute(select(func.count()).select_from(table)).scalar_one()) for table in (RUNS, TRACES))
    refused = None if tx.is_sqlite else _refused(tx, names)
    return StateFacts(place, str(revision), HEAD, int(size.scalar_one()), runs, traces, refused)


def _refused(tx: Transaction, names: list[str]) -> str | None:
    if tx.conn.execute(_POSTGRES_STANDBY).scalar():
        return "the server is a standby, where nothing can be written"
    may = tx.conn.execute(_POSTGRES_MAY_WRITE, {"names": names}).scalar()
    return None if may else "this user may not insert into its tables"
