"""The life of one build in the state: announced before any SQL is sent, then a trace, a problem, or nothing.

Architecture, invariant 5: a trace is written only by the holder of the lease, in the transaction that checks the term.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ulid import ULID

from afresh.core.lease import Held
from afresh.core.relation import TraceKey
from afresh.errors import InternalError
from afresh.store import blobs, durations, leases, marks, traces
from afresh.store.instants import instant, micros
from afresh.store.records import Build, Taken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from afresh.core.lease import Holder, Lease
    from afresh.core.trace import AttemptState, Trace
    from afresh.store.engine import Transaction
    from afresh.store.records import Intent


def open_build(tx: Transaction, lease: Lease, node: str, reasons: Sequence[str], run_id: str) -> Build:
    """Announce a build. Raises :class:`LeaseLostError` if the term is no longer the current, live one."""
    leases.prove(tx, lease)
    known = _announced_before(tx, lease, node, run_id)
    if known is not None:
        return known
    build_id = str(ULID())
    # Taken for a problem only if the build never reports back; then this is what there is to say about it.
    detail = f"build of {node}" + (f" ({', '.join(reasons)})" if reasons else "")
    marks.add(tx, lease.key, marks.OPEN, build_id=build_id, term=lease.term, node=node, run_id=run_id, detail=detail)
    return Build(build_id, lease.key, lease.term, node, run_id, instant(tx.now))


def _announced_before(tx: Transaction, lease: Lease, node: str, run_id: str) -> Build | None:
    known = marks.announced(tx, lease.key, lease.term, run_id, node) if tx.in_doubt else None
    return None if known is None else Build(known["build_id"], lease.key, lease.term, node, run_id, instant(known["at"]))


def take(tx: Transaction, key: TraceKey, holder: Holder, ttl: timedelta, intent: Intent) -> Taken | Held:
    """Take the lease of ``key``; announce the build at once if all is as it was seen, so that the verdict stands."""
    answer = leases.acquire(tx, key, holder, ttl)
    if isinstance(answer, Held):
        return answer
    known = _announced_before(tx, answer, intent.node, holder.run_id)
    if known is not None:
        return Taken(answer, known)
    if not traces.is_as_seen(tx, key, intent.seen):
        return Taken(answer, None)
    return Taken(answer, open_build(tx, answer, intent.node, intent.reasons, holder.run_id))


def record_trace(tx: Transaction, lease: Lease, trace: Trace, *, compiled: str | None, depfile: bytes | None) -> Trace:
    """Write the trace of a build that ended well. Raises :class:`LeaseLostError`, and then nothing is written.

    The build counts as finished now: whoever looked at the warehouse earlier, by the database's clock, may not have seen its result.
    """
    if trace.key != lease.key:
        raise InternalError(f"a trace of {trace.key} cannot be written under the lease of {lease.key}")
    if _is_recorded(tx, lease, trace.build_id):
        kept = traces.snapshot(tx, [lease.key]).traces.get(lease.key)
        return (
            kept if kept is not None and kept.build_id == trace.build_id else _with_content(tx, trace, compiled=compiled, depfile=depfile)
        )
    leases.prove(tx, lease)
    intent = marks.intent(tx, trace.build_id)
    if intent is None or (intent["key"], intent["term"]) != (lease.key, lease.term):
        raise InternalError(f"build {trace.build_id} was not announced under this lease", where=lease.key, hint="Please report this.")
    finished = replace(trace, finished_at=max(trace.started_at, instant(tx.now)))
    recorded = _with_content(tx, finished, compiled=compiled, depfile=depfile)
    traces.write(tx, recorded)
    marks.outlive(tx, lease.key, intent["id"])
    durations.remember(tx, {lease.key: trace.execution_seconds})
    return recorded


def _is_recorded(tx: Transaction, lease: Lease, build_id: str) -> bool:
    """Whether a trace was written when this was sent before: only the end of a build removes its intent.

    The lease is locked first, so that whatever is still being committed is waited for.
    """
    return tx.in_doubt and leases.lock(tx, lease.key) is not None and marks.intent(tx, build_id) is None


def record_tests(tx: Transaction, results: Sequence[tuple[Trace, str, bytes]]) -> None:
    """Write the traces of tests that ran, each with its content. Tests take no lease: the last one to end is what counts."""
    if tx.in_doubt and traces.are_known(tx, [trace for trace, _, _ in results]):
        return
    contents: list[bytes | str] = []
    for _, compiled, depfile in results:
        contents += [compiled, depfile]
    digests = iter(blobs.put_all(tx, contents))
    recorded = [replace(trace, compiled_digest=next(digests), depfile_digest=next(digests)) for trace, _, _ in results]
    traces.write(tx, *recorded)
    marks.drop_until(tx, {trace.key: micros(trace.started_at) for trace in recorded})
    durations.remember(tx, {trace.key: trace.execution_seconds for trace in recorded})


def close_build(tx: Transaction, build_id: str, state: AttemptState | None, detail: str) -> None:
    """End a build that leaves no trace: with a problem, or, if nothing was sent to the warehouse, with nothing."""
    intent = marks.intent(tx, build_id)
    if intent is None:
        return
    if marks.drop(tx, intent["id"]) and state is not None:
        # A new mark with a new number: it is newer than any build that began while this one was still at work.
        marks.add(tx, TraceKey(intent["key"]), state.value, build_id=build_id, node=intent["node"], run_id=intent["run_id"], detail=detail)


def taint(tx: Transaction, key: TraceKey, *, state: AttemptState, detail: str, run_id: str) -> None:
    """Say that nobody knows what the relation holds. Needs no lease."""
    if not (tx.in_doubt and marks.is_known(tx, key, state.value, run_id, detail)):
        marks.add(tx, key, state.value, run_id=run_id, detail=detail)


def refresh_depfiles(tx: Transaction, found: Sequence[tuple[TraceKey, str, bytes]]) -> None:
    """Replace the records of what these builds read, where the traces are still of these builds."""
    for key, build_id, depfile in found:
        traces.replace_depfile(tx, key, build_id, blobs.put(tx, depfile))


def _with_content(tx: Transaction, trace: Trace, *, compiled: str | None, depfile: bytes | None) -> Trace:
    digests = iter(blobs.put_all(tx, [content for content in (compiled, depfile) if content is not None]))
    return replace(
        trace,
        compiled_digest=trace.compiled_digest if compiled is None else next(digests),
        depfile_digest=trace.depfile_digest if depfile is None else next(digests),
    )
