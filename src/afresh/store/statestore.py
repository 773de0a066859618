"""The state as the rest of the program sees it: one object, shared by all threads, every method one transaction.

A database that goes away is waited for, as long as the store's patience lasts; every method then means the same as if nothing
had happened, even where the answer to a commit was lost. After that, and whenever the database cannot be used, it raises
:class:`~afresh.errors.StateUnavailableError`.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from afresh.core.trace import AttemptState
from afresh.store import (
    alive,
    blobs,
    builds,
    decisions,
    durations,
    events,
    forgetting,
    identity,
    leases,
    marks,
    measuring,
    memos,
    runs,
    traces,
    transfer,
)
from afresh.store.codec import row_of_event
from afresh.store.faults import fault
from afresh.store.instants import instant, length
from afresh.store.overview import Overview, overview
from afresh.store.records import Settlement
from afresh.store.wakeups import released_leases

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from afresh.core.event import Event
    from afresh.core.lease import Held, Holder, Lease
    from afresh.core.node import NodeId
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Signature, Trace
    from afresh.store.engine import Database, Transaction
    from afresh.store.exporting import Moved
    from afresh.store.forgetting import Pruned
    from afresh.store.records import (
        Build,
        DecisionRecord,
        DecisionRow,
        EventRecord,
        Intent,
        ProbeMemo,
        Run,
        RunOutcome,
        RunRecord,
        Snapshot,
        StateFacts,
        Taken,
    )
    from afresh.store.wakeups import Released


class StateStore:
    """What is remembered between runs. Made by :func:`afresh.store.open_store`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @property
    def place(self) -> str:
        """Where the state lives, for people: a path, or a url without its password."""
        return self._db.place

    def when_away(self, tell: Callable[[str], None]) -> None:
        """Whom to tell when the database does not answer and is waited for: once in each outage that lasts."""
        seconds = self._db.patience.span.total_seconds()

        def told(error: Exception) -> None:
            tell(f"the state database does not answer, and it is asked again for up to {seconds:g} s: {fault(error, self.place).what}")

        self._db.patience.when_away(told)

    def stop_retrying(self) -> None:
        """The run is being ended: from now on a database that does not answer is not waited for."""
        self._db.patience.end()

    def close(self) -> None:
        """Give back the connections; the store must not be used afterwards."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def now(self) -> datetime:
        """The database's time, in UTC: the only clock that judges leases and intervals."""
        return instant(self._db.read(lambda tx: tx.now))

    def facts(self) -> StateFacts:
        """How large it is, which schema it has, what it holds."""
        return self._db.read(lambda tx: measuring.facts(tx, self._db.place))

    def secrets_key(self) -> str:
        """The key under which this state hashes values that must not be read; empty where there is no state yet."""
        return self._db.read(identity.secrets_key)

    # --- runs ---------------------------------------------------------------------------------------------------------

    def begin_run(self, run: RunRecord, *, alive_for: timedelta | None = None) -> Run:
        """Write a run down as running, and as being at work for a while. Without a schedule it counts from its start."""

        def work(tx: Transaction) -> Run:
            if alive_for is not None:
                alive.say(tx, run.run_id, alive_for)
            return runs.begin(tx, run)

        return self._db.write(work)

    def say_alive(self, run_id: str, span: timedelta) -> None:
        """The run is at work, and will be for so long as far as it knows."""
        self._db.write(lambda tx: alive.say(tx, run_id, span))

    def runs_at_work(self) -> tuple[str, ...]:
        """The ids of the runs that said so not too long ago and have not ended, in the order in which they began."""
        return self._db.read(alive.at_work)

    def end_run(self, run_id: str, outcome: RunOutcome) -> None:
        """Write down how a run ended, and drop content that no trace names any more."""

        def work(tx: Transaction) -> None:
            runs.end(tx, run_id, outcome)
            alive.end(tx, run_id)
            blobs.collect(tx)

        self._db.write(work)

    def runs(self, limit: int = 20) -> tuple[Run, ...]:
        """The last runs, newest first."""
        return self._db.read(lambda tx: runs.newest(tx, limit))

    def run(self, run_id: str) -> Run | None:
        """The run of this id, if it is known."""
        return self._db.read(lambda tx: runs.one(tx, run_id))

    # --- traces -------------------------------------------------------------------------------------------------------

    def snapshot(self, keys: Iterable[TraceKey]) -> Snapshot:
        """Everything that is known of ``keys``, read at one moment in one transaction."""
        wanted = tuple(keys)
        return self._db.read(lambda tx: traces.snapshot(tx, wanted))

    def recorded(self, project: str | None = None) -> Mapping[TraceKey, NodeId]:
        """Every key that has a trace, of one project or of all, with the node that built it."""
        return self._db.read(lambda tx: traces.recorded(tx, project))

    def invalidate(self, keys: Iterable[TraceKey], by: str, why: str = "") -> None:
        """Make the keys due, on behalf of ``by``, until a build that starts from now on ends well."""
        wanted = tuple(keys)
        self._db.write_durably(lambda tx: marks.invalidate(tx, wanted, by, why))

    def forget(self, keys: Iterable[TraceKey], by: str = "", why: str = "") -> Mapping[TraceKey, Held]:
        """Drop the traces of these keys and what stands against them, if nobody holds any of them: to us, they were never built.

        Returns who holds those that are held; nothing is dropped then. Builds that were announced and never ended still stand, so
        that what they left in the warehouse is ended first. ``by`` is told with ``why`` until the next build, unless it is empty.
        """
        wanted = tuple(keys)
        return self._db.write_durably(lambda tx: forgetting.forget(tx, wanted, by, why))

    # --- leases -------------------------------------------------------------------------------------------------------

    def acquire(self, key: TraceKey, holder: Holder, ttl: timedelta) -> Lease | Held:
        """Take the lease of ``key`` if nobody's is live, else say whose is. An expired lease is taken over."""
        return self._db.write(lambda tx: leases.acquire(tx, key, holder, ttl))

    def take(self, key: TraceKey, holder: Holder, ttl: timedelta, intent: Intent) -> Taken | Held:
        """As :meth:`acquire`, and announce a build in the same transaction if nothing has happened to what ``intent`` saw.

        If something has, the lease is taken and nothing is announced: the holder looks again.
        """
        return self._db.write_durably(lambda tx: builds.take(tx, key, holder, ttl, intent))

    def renew(self, held: Iterable[Lease], ttl: timedelta) -> frozenset[TraceKey]:
        """Extend these leases to ``ttl`` from now; return the keys of those that were **lost**: expired or taken over."""
        wanted = tuple(held)
        return self._db.write(lambda tx: leases.renew(tx, wanted, ttl)) if wanted else frozenset()

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens if it was lost already."""
        self._db.write(lambda tx: leases.release(tx, lease, alone=True))

    def release_all(self, run_id: str) -> None:
        """Give back every lease of a run."""
        self._db.write(lambda tx: leases.release_all(tx, run_id))

    def held_leases(self) -> tuple[Held, ...]:
        """Every live lease, oldest first."""
        return self._db.read(leases.held)

    def holders(self, keys: Iterable[TraceKey]) -> Mapping[TraceKey, Held]:
        """The live leases of ``keys``."""
        wanted = tuple(keys)
        return self._db.read(lambda tx: leases.holders(tx, wanted))

    def released_leases(self) -> AbstractContextManager[Released]:
        """A way to wait until any lease is given back: told by the server where that is possible, else a pause."""
        return released_leases(self._db)

    # --- builds -------------------------------------------------------------------------------------------------------

    def open_build(self, lease: Lease, node: str, reasons: Sequence[str], run_id: str) -> Build:
        """Announce a build, before any SQL is sent; it outlives a power cut. ``reasons`` are codes.

        Raises:
            LeaseLostError: the lease is no longer ours.
        """
        return self._db.write_durably(lambda tx: builds.open_build(tx, lease, node, reasons, run_id))

    def record_trace(self, lease: Lease, trace: Trace, *, compiled: str | None = None, depfile: bytes | None = None) -> Trace:
        """Write the trace of an announced build that ended well, and give the lease back.

        Returns the trace with the digests of its content. Drops what stood against the relation before the build started; what
        came later stays.

        Raises:
            LeaseLostError: the lease is no longer ours; nothing is written then.
        """

        def work(tx: Transaction) -> Trace:
            recorded = builds.record_trace(tx, lease, trace, compiled=compiled, depfile=depfile)
            leases.release(tx, lease)
            return recorded

        return self._db.write(work)

    def close_build(self, build_id: str, state: AttemptState | None, detail: str = "") -> None:
        """End a build that leaves no trace. ``None``: nothing was sent to the warehouse, so it never happened."""
        self._db.write(lambda tx: builds.close_build(tx, build_id, state, detail))

    def taint(self, key: TraceKey, *, detail: str, run_id: str, state: AttemptState = AttemptState.TAINTED) -> None:
        """Say that nobody knows what the relation holds, until a build that starts from now on ends well. Needs no lease."""
        self._db.write_durably(lambda tx: builds.taint(tx, key, state=state, detail=detail, run_id=run_id))

    def record_tests(self, results: Sequence[tuple[Trace, str, bytes]]) -> None:
        """Write the traces of tests that ran, whatever came out: (trace, compiled SQL, depfile) each. Tests take no lease."""
        if results:
            self._db.write(lambda tx: builds.record_tests(tx, results))

    def refresh_depfiles(self, found: Sequence[tuple[TraceKey, str, bytes]]) -> None:
        """Keep newer records (key, build id, depfile) of what builds read: equal code, read through other macros or values."""
        if found:
            self._db.write(lambda tx: builds.refresh_depfiles(tx, found))

    def settle(
        self,
        key: TraceKey,
        build_id: str,
        *,
        outside_token: str | None,
        output_version: str | None = None,
        signature: Signature | None = None,
    ) -> bool:
        """Complete the trace after the run, if it is still of that build; says whether it was."""
        return self.settle_all([Settlement(key, build_id, outside_token, output_version, signature)]) == 1

    def settle_all(self, settlements: Sequence[Settlement]) -> int:
        """As :meth:`settle` for many, in one transaction; returns how many traces were still of their builds."""
        return self._db.write(lambda tx: traces.settle(tx, settlements))

    # --- history ------------------------------------------------------------------------------------------------------

    def record_decisions(self, run_id: str, rows: Sequence[DecisionRow]) -> None:
        """Write down the verdicts of a run that was begun. The same verdict again adds the run to the row there is."""
        self._db.write(lambda tx: decisions.record(tx, run_id, rows))

    def last_decisions(
        self,
        nodes: Collection[str] | None = None,
        run_id: str | None = None,
        limit: int = 1,
        *,
        target: tuple[str, str] | None = None,
    ) -> tuple[DecisionRecord, ...]:
        """The last verdicts, newest first: at most ``limit`` per node and key.

        ``run_id``: those of this run only. ``target``: a project and its target, where they last counted there.
        """
        return self._db.read(lambda tx: decisions.last(tx, nodes, run_id=run_id, limit=limit, target=target))

    def durations(self, keys: Iterable[TraceKey]) -> Mapping[TraceKey, float]:
        """The median of the last execution times of each key, in seconds; keys that were never built are absent."""
        wanted = tuple(keys)
        return self._db.read(lambda tx: durations.medians(tx, wanted))

    def prune(self, older_than: timedelta) -> Pruned:
        """Drop runs, verdicts, events and probe memos older than this, and :meth:`forget` the keys to which no run came for so long.

        Leases and runs at work stay. Tells how much that was.
        """
        return self._db.write(lambda tx: forgetting.prune(tx, tx.now - length(older_than)))

    def prunable(self, older_than: timedelta) -> Pruned:
        """What :meth:`prune` would drop."""
        return self._db.read(lambda tx: forgetting.look(tx, tx.now - length(older_than)))

    # --- content, memory, events --------------------------------------------------------------------------------------

    def put_blob(self, content: bytes | str) -> str:
        """Keep a text or bytes under the digest that is returned, as long as a trace names it (and an hour besides)."""
        return self._db.write(lambda tx: blobs.put(tx, content))

    def get_blobs(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of ``digests``; what is not there is absent."""
        wanted = tuple(digests)
        return self._db.read(lambda tx: blobs.get(tx, wanted))

    def probe_memos(self, keys: Iterable[str]) -> Mapping[str, ProbeMemo]:
        """What probes remembered under ``keys``; what is not there is absent."""
        wanted = tuple(keys)
        return self._db.read(lambda tx: memos.read(tx, wanted))

    def remember_probes(self, found: Mapping[str, ProbeMemo]) -> None:
        """Keep these memos in the place of older ones."""
        if found:
            self._db.write(lambda tx: memos.remember(tx, found))

    def record_event(self, run_id: str, kind: str, payload: str) -> None:
        """Write down that something happened; only the last ten thousand events are kept."""
        self._db.write(lambda tx: events.record(tx, run_id, kind, payload))

    def tell(self, run_id: str, event: Event) -> None:
        """As :meth:`record_event`, of something that is known here."""
        self.record_event(run_id, *row_of_event(event))

    def overview(self, recent: int = 5) -> Overview:
        """What goes on and how things stand at one moment; ``recent``: how many of the last runs are told of."""
        return self._db.read(lambda tx: overview(tx, recent))

    def events(self, after: int = 0, *, run_id: str | None = None, limit: int = 1000) -> tuple[EventRecord, ...]:
        """The events after the one of this number, oldest first, of one run or of all."""
        return self._db.read(lambda tx: events.since(tx, after, run_id, limit))

    # --- as a whole ---------------------------------------------------------------------------------------------------

    def export(self, out: IO[bytes], *, shown: str, afresh: str, packed: bool = False, allow_running: bool = False) -> Moved:
        """Write everything into an open file, as it is at one moment.

        Raises:
            UsageError: a run is at work, and that is not allowed.
        """
        return transfer.export_to(self._db, out, shown=shown, afresh=afresh, packed=packed, allow_running=allow_running)

    def import_(self, file: Path, *, shown: str, replace: bool = False, invalidate: bool = False) -> Moved:
        """Take in a whole state from a file, or nothing.

        ``replace``: even if there is a state already; what that one knew better is built again. ``invalidate``: everything in
        the file is due once.

        Raises:
            UsageError: the file cannot be read to its end, there is a state already, or a run is at work.
        """
        return transfer.import_from(self._db, file, shown=shown, replace=replace, invalidate=invalidate)
