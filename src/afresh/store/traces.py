"""Traces: one row per relation or test, written whole, read many at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, text, update

from afresh.core.node import NodeId
from afresh.core.relation import TraceKey
from afresh.core.trace import AttemptProblem, AttemptState, Trace
from afresh.store import leases, marks
from afresh.store.codec import UnreadableTraceError, row_of_trace, trace_of_row
from afresh.store.engine import chunks
from afresh.store.instants import instant
from afresh.store.records import Settlement, Snapshot
from afresh.store.schema import TRACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from afresh.core.lease import Held
    from afresh.store.engine import Transaction


_PUT = text(
    """
    INSERT INTO afresh_traces (key, node, resource_type, project, build_id, run_id, compiled_digest, depfile_digest, body)
    VALUES (:key, :node, :resource_type, :project, :build_id, :run_id, :compiled_digest, :depfile_digest, :body)
    ON CONFLICT (key) DO UPDATE SET
        node = excluded.node, resource_type = excluded.resource_type, project = excluded.project, build_id = excluded.build_id,
        run_id = excluded.run_id, compiled_digest = excluded.compiled_digest, depfile_digest = excluded.depfile_digest,
        body = excluded.body
    """
)
_OF_KEYS = select(TRACES).where(TRACES.c.key.in_(bindparam("keys", expanding=True)))
_LOCK = select(TRACES).where(TRACES.c.key == bindparam("of_key"), TRACES.c.build_id == bindparam("of_build")).with_for_update()
_REPLACE_BODY = update(TRACES).where(TRACES.c.key == bindparam("of_key")).values(body=bindparam("new_body"))
_NEW_DEPFILE = (
    update(TRACES)
    .where(TRACES.c.key == bindparam("of_key"), TRACES.c.build_id == bindparam("of_build"))
    .values(depfile_digest=bindparam("digest"))
)


def write(tx: Transaction, trace: Trace) -> None:
    """Put ``trace`` in the place of whatever stood under its key."""
    tx.conn.execute(_PUT, row_of_trace(trace))


def snapshot(tx: Transaction, keys: Iterable[TraceKey]) -> Snapshot:
    """Everything that is known of ``keys``, read at one moment."""
    now = tx.now
    traces: dict[TraceKey, Trace] = {}
    held: dict[TraceKey, Held] = {}
    standing = marks.Standing()
    for some in chunks(list(dict.fromkeys(keys))):
        live = leases.live_rows(tx, some)
        held.update({TraceKey(row["key"]): leases.held_of_row(row) for row in live})
        standing.read(tx, some, {TraceKey(row["key"]): row["term"] for row in live})
        _read(tx, some, traces, standing)
    return Snapshot(instant(now), traces, standing.attempts, held, standing.invalidations, frozenset(standing.building))


def _read(tx: Transaction, keys: Sequence[TraceKey], traces: dict[TraceKey, Trace], standing: marks.Standing) -> None:
    for row in tx.conn.execute(_OF_KEYS, {"keys": keys}).mappings():
        key = TraceKey(row["key"])
        try:
            traces[key] = trace_of_row(row)
        except UnreadableTraceError as error:
            # A record that cannot be read is worth nothing, and it must be said: what is not known is built.
            detail = f"its record in the state database cannot be read ({error})"
            standing.attempts.setdefault(key, AttemptProblem(AttemptState.TAINTED, row["run_id"], instant(0), detail))


def recorded(tx: Transaction, project: str | None) -> Mapping[TraceKey, NodeId]:
    """Every key that has a trace, of one project or of all, with the node that built it."""
    known = select(TRACES.c.key, TRACES.c.node).order_by(TRACES.c.node, TRACES.c.key)
    rows = tx.conn.execute(known if project is None else known.where(TRACES.c.project == project))
    return {TraceKey(row.key): NodeId(row.node) for row in rows}


def settle(tx: Transaction, settlements: Sequence[Settlement]) -> int:
    """Complete the traces that are still of the builds named; return how many were."""
    return sum(_settle_one(tx, settlement) for settlement in settlements)


def _settle_one(tx: Transaction, settlement: Settlement) -> bool:
    row = tx.conn.execute(_LOCK, {"of_key": settlement.key, "of_build": settlement.build_id}).mappings().one_or_none()
    if row is None:
        return False
    try:
        trace = trace_of_row(row)
    except UnreadableTraceError:
        return False
    settled = replace(
        trace,
        outside_token=settlement.outside_token,
        output_version=trace.output_version if settlement.output_version is None else settlement.output_version,
        signature=trace.signature if settlement.signature is None else settlement.signature,
    )
    tx.conn.execute(_REPLACE_BODY, {"of_key": settlement.key, "new_body": row_of_trace(settled)["body"]})
    return True


def replace_depfile(tx: Transaction, key: TraceKey, build_id: str, digest: str) -> None:
    """Let the trace of a build point to another record of what it read."""
    tx.conn.execute(_NEW_DEPFILE, {"of_key": key, "of_build": build_id, "digest": digest})


def forget(tx: Transaction, keys: Sequence[TraceKey]) -> None:
    """Drop the traces of these keys."""
    for some in chunks(keys):
        tx.conn.execute(delete(TRACES).where(TRACES.c.key.in_(some)))
