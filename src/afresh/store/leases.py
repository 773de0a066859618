"""Leases: who may build a relation, until when, under which term (semantics §5).

Also good for any other key that one run at a time may hold, such as a DuckDB file. The database's clock judges; a row
is never deleted, so that the term of a key grows for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, select, text, tuple_, update

from afresh.core.lease import Held, Holder, Lease
from afresh.core.relation import TraceKey
from afresh.errors import InternalError, LeaseLostError
from afresh.store.engine import chunks
from afresh.store.instants import instant, length
from afresh.store.schema import LEASES
from afresh.store.wakeups import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from sqlalchemy.engine import RowMapping

    from afresh.store.engine import Transaction


# Grants the lease with the next term where there is none yet, or where the last one was released or has expired.
_GRANT_SQL = """
    INSERT INTO afresh_leases (key, term, run_id, host, pid, node, job, since, expires_at)
    VALUES (:key, 1, :run_id, :host, :pid, :node, :job, :now, :until)
    ON CONFLICT (key) DO UPDATE SET
        term = afresh_leases.term + 1, run_id = excluded.run_id, host = excluded.host, pid = excluded.pid, node = excluded.node,
        job = excluded.job, since = excluded.since, expires_at = excluded.expires_at
    WHERE afresh_leases.expires_at IS NULL OR afresh_leases.expires_at <= :now
    """
_GRANT = text(_GRANT_SQL)
# One round trip less; SQLite has none, and older ones cannot.
_GRANT_AND_ANSWER = text(f"{_GRANT_SQL} RETURNING *")
_BY_KEY = select(LEASES).where(LEASES.c.key == bindparam("of_key"))
# The row stays locked until the transaction ends, so that nobody can take the lease over before it has committed.
_LOCK = _BY_KEY.with_for_update()
_LIVE = select(LEASES).where(LEASES.c.expires_at > bindparam("now")).order_by(LEASES.c.since, LEASES.c.key)
IS_LIVE_OF_KEYS = and_(LEASES.c.key.in_(bindparam("keys", expanding=True)), LEASES.c.expires_at > bindparam("now"))
"""The leases of ``keys`` that are live."""
_LIVE_OF_KEYS = select(LEASES).where(IS_LIVE_OF_KEYS).order_by(LEASES.c.since, LEASES.c.key)
_LIVE_OF_OURS = (
    tuple_(LEASES.c.key, LEASES.c.term).in_(bindparam("ours", expanding=True)),
    LEASES.c.expires_at > bindparam("now"),
)
_RENEW = update(LEASES).where(*_LIVE_OF_OURS).values(expires_at=bindparam("until"))
_STILL_OURS = select(LEASES.c.key).where(*_LIVE_OF_OURS)
_RELEASE = update(LEASES).where(LEASES.c.key == bindparam("of_key"), LEASES.c.term == bindparam("of_term")).values(expires_at=None)
# PostgreSQL tells those who wait when the transaction commits, in the same round trip.
_RELEASE_AND_TELL_SQL = f"""
    WITH released AS (UPDATE afresh_leases SET expires_at = NULL WHERE key = :of_key AND term = :of_term RETURNING key)
    SELECT pg_notify('{CHANNEL}', ''){{besides}} FROM released
    """
_RELEASE_AND_TELL = text(_RELEASE_AND_TELL_SQL.format(besides=""))
_RELEASE_AND_TELL_SOON = text(_RELEASE_AND_TELL_SQL.format(besides=", set_config('synchronous_commit', 'off', true)"))
_TELL = text(f"SELECT pg_notify('{CHANNEL}', '')")
_RELEASE_ALL = update(LEASES).where(LEASES.c.run_id == bindparam("of_run"), LEASES.c.expires_at.is_not(None)).values(expires_at=None)


def acquire(tx: Transaction, key: TraceKey, holder: Holder, ttl: timedelta) -> Lease | Held:
    """Take the lease of ``key`` if nobody's is live, else say whose is."""
    granted = _grant(tx, {"key": key, "now": tx.now, "until": tx.now + length(ttl), **_columns(holder)})
    row = granted or tx.conn.execute(_BY_KEY, {"of_key": key}).mappings().one()
    is_ours = tx.in_doubt and (row["run_id"], row["node"]) == (holder.run_id, holder.node) and row["expires_at"] is not None
    if granted or is_ours:
        return Lease(key, row["term"], holder, instant(row["expires_at"]))
    return held_of_row(row)


def _grant(tx: Transaction, wanted: dict[str, Any]) -> RowMapping | None:
    """The lease's row, if it was granted."""
    if not tx.is_sqlite:
        return tx.conn.execute(_GRANT_AND_ANSWER, wanted).mappings().one_or_none()
    if not tx.conn.execute(_GRANT, wanted).rowcount:
        return None
    return tx.conn.execute(_BY_KEY, {"of_key": wanted["key"]}).mappings().one()


def renew(tx: Transaction, leases: Sequence[Lease], ttl: timedelta) -> frozenset[TraceKey]:
    """Extend all of these leases that are still live and in their term; return the keys of those that are not."""
    lost: set[TraceKey] = set()
    for some in chunks(leases, values=2):
        lost |= _renew_some(tx, some, ttl)
    return frozenset(lost)


def _renew_some(tx: Transaction, leases: Sequence[Lease], ttl: timedelta) -> set[TraceKey]:
    ours = {"ours": [(lease.key, lease.term) for lease in leases], "now": tx.now}
    renewed = tx.conn.execute(_RENEW, {**ours, "until": tx.now + length(ttl)})
    if renewed.rowcount == len(leases):
        return set()
    kept = {row.key for row in tx.conn.execute(_STILL_OURS, ours)}
    return {lease.key for lease in leases if lease.key not in kept}


def release(tx: Transaction, lease: Lease, *, alone: bool = False) -> None:
    """Give the lease back; nothing happens if it is no longer ours.

    ``alone``: the transaction does nothing else. Then nobody waits for the disk: what a power cut takes back runs out by itself.
    """
    told = _RELEASE_AND_TELL_SOON if alone else _RELEASE_AND_TELL
    tx.conn.execute(_RELEASE if tx.is_sqlite else told, {"of_key": lease.key, "of_term": lease.term})


def release_all(tx: Transaction, run_id: str) -> None:
    """Give back every lease of a run."""
    tx.conn.execute(_RELEASE_ALL, {"of_run": run_id})
    if not tx.is_sqlite:
        tx.conn.execute(_TELL)


def held(tx: Transaction) -> tuple[Held, ...]:
    """Every live lease, oldest first."""
    return tuple(held_of_row(row) for row in tx.conn.execute(_LIVE, {"now": tx.now}).mappings())


def holders(tx: Transaction, keys: Sequence[TraceKey]) -> dict[TraceKey, Held]:
    """The live leases of ``keys``."""
    rows = (row for some in chunks(keys) for row in live_rows(tx, some))
    return {TraceKey(row["key"]): held_of_row(row) for row in rows}


def live_rows(tx: Transaction, keys: Sequence[str]) -> list[RowMapping]:
    """The rows of the leases of ``keys`` that are live."""
    return list(tx.conn.execute(_LIVE_OF_KEYS, {"keys": keys, "now": tx.now}).mappings())


def lock(tx: Transaction, key: TraceKey) -> RowMapping | None:
    """The row of a lease, which stays as it is until the transaction ends."""
    return tx.conn.execute(_LOCK, {"of_key": key}).mappings().one_or_none()


def prove(tx: Transaction, lease: Lease) -> None:
    """Make sure that the term is current and live, and keep it so until the transaction ends.

    Raises:
        LeaseLostError: it is not.
    """
    row = lock(tx, lease.key)
    if row is None or row["term"] < lease.term:
        raise InternalError("there was never such a lease", where=lease.key, hint="Please report this.")
    if row["term"] != lease.term:
        raise LeaseLostError(f"the lease was taken over by run {row['run_id']} on {row['host']}", where=lease.key)
    if row["expires_at"] is None or row["expires_at"] <= tx.now:
        raise LeaseLostError("the lease was not renewed in time", where=lease.key)


def _columns(holder: Holder) -> dict[str, Any]:
    return {"run_id": holder.run_id, "host": holder.host, "pid": holder.pid, "node": holder.node, "job": holder.job}


def held_of_row(row: RowMapping) -> Held:
    """The holder that a row of ``afresh_leases`` names."""
    holder = Holder(row["run_id"], row["host"], row["pid"], row["node"], row["job"])
    return Held(TraceKey(row["key"]), holder, instant(row["since"]), instant(row["expires_at"]))
