"""Traces: one row per relation or test, written whole, read many at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import String, bindparam, cast, delete, literal, select, text, tuple_, union_all, update

from afresh.core.node import NodeId
from afresh.core.relation import TraceKey
from afresh.core.trace import AttemptProblem, AttemptState, Trace
from afresh.store import leases, marks
from afresh.store.codec import UnreadableTraceError, row_of_trace, trace_of_row
from afresh.store.engine import chunks
from afresh.store.instants import instant
from afresh.store.records import Head, Settlement, Snapshot
from afresh.store.schema import LEASES, MARKS, TRACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.engine import RowMapping

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
_LOCK = _OF_KEYS.order_by(TRACES.c.key).with_for_update()  # in order, so that two runs never wait for each other in a circle
_REPLACE_BODY = update(TRACES).where(TRACES.c.key == bindparam("of_key")).values(body=bindparam("new_body"))
_NEW_DEPFILE = (
    update(TRACES)
    .where(TRACES.c.key == bindparam("of_key"), TRACES.c.build_id == bindparam("of_build"))
    .values(depfile_digest=bindparam("digest"))
)


# Everything that was written about some keys, in short; the lease of the key that is about to be built is the asker's own.
_HEADS = union_all(
    select(literal("trace"), TRACES.c.key, TRACES.c.build_id).where(TRACES.c.key.in_(bindparam("keys", expanding=True))),
    select(literal("mark"), MARKS.c.key, cast(MARKS.c.id, String)).where(marks.IS_STANDING),
    select(literal("lease"), LEASES.c.key, LEASES.c.run_id).where(leases.IS_LIVE_OF_KEYS, LEASES.c.key != bindparam("own")),
)


def write(tx: Transaction, *traces: Trace) -> None:
    """Put each trace in the place of whatever stood under its key; the last one of a key counts."""
    tx.conn.execute(_PUT, [row_of_trace(trace) for trace in traces])


def are_known(tx: Transaction, traces: Sequence[Trace]) -> bool:
    """Whether any of these builds is recorded: they are written together."""
    known = select(TRACES.c.key).where(tuple_(TRACES.c.key, TRACES.c.build_id).in_(bindparam("builds", expanding=True))).limit(1)
    builds = [(trace.key, trace.build_id) for trace in traces]
    return any(tx.conn.execute(known, {"builds": some}).first() is not None for some in chunks(builds, values=2))


def is_as_seen(tx: Transaction, own: TraceKey, seen: Mapping[TraceKey, Head]) -> bool:
    """Whether nothing was written about these keys since they were seen, but for the lease of ``own``."""
    builds: dict[str, str] = {}
    numbers: dict[str, set[int]] = {}
    holders: dict[str, str] = {}
    for some in chunks(list(seen), values=3):
        for row in tx.conn.execute(_HEADS, {"keys": some, "now": tx.now, "own": own}):
            what, key, value = map(str, row)
            if what == "trace":
                builds[key] = value
            elif what == "mark":
                numbers.setdefault(key, set()).add(int(value))
            else:
                holders[key] = value
    return all(head == Head(builds.get(key), frozenset(numbers.get(key, ())), holders.get(key)) for key, head in seen.items())


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
    building = frozenset(standing.building)
    return Snapshot(instant(now), traces, standing.attempts, held, standing.invalidations, building, standing.numbers, standing.cut_off)


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
    wanted = {(settlement.key, settlement.build_id): settlement for settlement in settlements}
    bodies = []
    for some in chunks(sorted({key for key, _ in wanted})):
        for row in tx.conn.execute(_LOCK, {"keys": some}).mappings():
            settlement = wanted.get((row["key"], row["build_id"]))
            settled = None if settlement is None else _settled(row, settlement)
            if settled is not None:
                bodies.append({"of_key": settled.key, "new_body": row_of_trace(settled)["body"]})
    if bodies:
        tx.conn.execute(_REPLACE_BODY, bodies)
    return len(bodies)


def _settled(row: RowMapping, settlement: Settlement) -> Trace | None:
    try:
        trace = trace_of_row(row)
    except UnreadableTraceError:
        return None
    return replace(
        trace,
        outside_token=settlement.outside_token,
        output_version=trace.output_version if settlement.output_version is None else settlement.output_version,
        signature=trace.signature if settlement.signature is None else settlement.signature,
    )


def replace_depfile(tx: Transaction, key: TraceKey, build_id: str, digest: str) -> None:
    """Let the trace of a build point to another record of what it read."""
    tx.conn.execute(_NEW_DEPFILE, {"of_key": key, "of_build": build_id, "digest": digest})


def forget(tx: Transaction, keys: Sequence[TraceKey]) -> None:
    """Drop the traces of these keys."""
    for some in chunks(keys):
        tx.conn.execute(delete(TRACES).where(TRACES.c.key.in_(some)))
