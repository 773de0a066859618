"""One run: what it knows of the state and the warehouse, and the decisions it has made.

Opened when dbt knows what is selected and its relation cache is filled; closed after the on-run-end hooks. The protocol
of a single node is in :mod:`afresh.orchestration.node_session`.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from afresh.core.decide import decide
from afresh.core.decision import Confidence, Decision, Reuse
from afresh.core.event import WaitBegan, WaitEnded
from afresh.core.node import Kind, Node, NodeId
from afresh.core.reason import BuiltByOtherNode
from afresh.core.relation import TraceKey
from afresh.core.version import Unknown
from afresh.errors import AfreshError, StateUnavailableError
from afresh.orchestration.closure import probe_targets, reach, recorded_keys, state_keys
from afresh.orchestration.code_memory import CodeMemory
from afresh.orchestration.cycles import Cycles
from afresh.orchestration.feeds import LateFeed, late_feed
from afresh.orchestration.fencing import Fencing
from afresh.orchestration.heartbeat import Heartbeat
from afresh.orchestration.journal import Tally
from afresh.orchestration.leases import LeaseKeeper
from afresh.orchestration.observing import Eyes, observe
from afresh.orchestration.picture import Picture
from afresh.orchestration.readings import Readings, unknown_code, unknown_text
from afresh.orchestration.run_hooks import RunHooks
from afresh.orchestration.taint_journal import cannot_be_noted
from afresh.orchestration.test_results import TestResults
from afresh.orchestration.versions import DataVersions, Planned
from afresh.orchestration.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from afresh.core.event import Event
    from afresh.core.lease import Held
    from afresh.core.observation import Observation
    from afresh.core.trace import Trace
    from afresh.orchestration.host import Host
    from afresh.orchestration.run_settings import RunSettings
    from afresh.orchestration.taint_journal import Journal
    from afresh.store import StateStore

UNDECIDED_KINDS = (Kind.EPHEMERAL, Kind.PASSIVE)
"""Nodes that dbt runs as ever: they keep no data that could be reused."""


class RunSession:
    """The shared state of one run; its methods may be called from any of dbt's threads."""

    def __init__(self, *, store: StateStore, host: Host, settings: RunSettings, journal: Journal) -> None:
        self.store = store
        self.host = host
        self.settings = settings
        self.journal = journal
        self.readings = Readings(host, store)
        self.code = CodeMemory(host, store)
        self.cycles = Cycles(host)
        self.watch = Watch(host, store, settings.run_id)
        self.hooks = RunHooks(host, store, self.watch)
        self.heartbeat = Heartbeat(store, settings.run_id)
        self.leases = LeaseKeeper(store, settings.holder, settings.lease_ttl)
        self.fencing = Fencing(host, settings.run_id, pause=self.leases.pause, limit=settings.queue_timeout)
        self.tally = Tally()
        self.test_results = TestResults(store)
        store.when_away(lambda text: host.say("state_away", text))
        self.late: list[LateFeed] = []
        self._first: Picture | None = None
        self._tolerated: set[NodeId] = set()
        self._lag_bounds: dict[NodeId, int] = {}
        self._saved: tuple[int, float | None] | None = None
        self._relations_read_at: datetime | None = None
        self._reading_schemas = threading.Lock()
        self._schemas_read_at: dict[tuple[str, str], datetime] = {}
        self._noted = self._told = 0
        self._telling = threading.Lock()
        self._lock = threading.Lock()

    # --- looking ------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Read the state and ask the warehouse for everything that the selected nodes depend on, in bulk."""
        with self.deciding():
            picture = self._picture_of(self.host.selected)
            self.watch.arrive()
            self.readings.read(probe_targets(self.host, self.host.selected, picture))
            self._tell_of_sources()
            self.watch.look(picture.traces())
            keys = (key for node in self.host.selected if (key := self.host.node(node).key) is not None)
            self.code.preload(trace for key in keys if (trace := picture.trace(key)) is not None)
            self._see_other_jobs(self.host.selected, picture)
            self._first = picture

    def _tell_of_sources(self) -> None:
        for node_id in reach(self.host, self.host.selected):
            node = self.host.node(node_id)
            reading = self.readings.get(node.key) if node.kind is Kind.SOURCE and node.key is not None else None
            if node.key is None or reading is None:
                continue
            if isinstance(reading.version, Unknown):
                self.host.say(unknown_code(node.key), unknown_text(self.host.label(node_id), reading.version))
            late = None if reading.answer.age is None else late_feed(self.host, node_id, reading.answer.age)
            if late is not None:
                self.late.append(late)
                self.host.say(f"late:{node_id}", late.text, is_error=late.is_error)

    @property
    def too_late(self) -> int:
        """How many sources are past their ``error_after``: enough for the run to fail, whatever its nodes do."""
        return sum(late.is_error for late in self.late)

    def keys_of(self, node_id: NodeId, picture: Picture) -> set[TraceKey]:
        """Everything in the state that bears on a decision about a node, as far as a picture tells."""
        keys = state_keys(self.host, (node_id,))
        return keys | recorded_keys(picture, keys)

    def _picture_of(self, nodes: Iterable[NodeId]) -> Picture:
        keys = state_keys(self.host, nodes)
        if self._first is not None:
            keys |= recorded_keys(self._first, keys)
        picture = Picture(self.store, keys)
        picture.foresee(recorded_keys(picture, keys))
        return picture

    def eyes(self, picture: Picture, planned: Planned | None = None) -> Eyes:
        """What to look through at one picture of the state."""
        return Eyes(
            host=self.host,
            picture=picture,
            versions=DataVersions(host=self.host, readings=self.readings, watch=self.watch, picture=picture, planned=planned),
            cycles=self.cycles,
            scheduled_at=self.settings.scheduled_at,
            code=self.code.compare,
            tolerated=self._tolerated,
            ask=lambda targets: self.readings.read(self.readings.missing(targets)),
            at=self.settings.what_if.at,
        )

    @property
    def first_picture(self) -> Picture:
        """The state as it was when the run began."""
        if self._first is None:
            self.open()
        assert self._first is not None  # noqa: S101 - open() sets it
        return self._first

    def deciding(self) -> _Stopwatch:
        """Time that is spent on deciding."""
        return _Stopwatch(self.tally)

    # --- deciding -----------------------------------------------------------------------------------------------------

    def decide_at_first_sight(self, node_id: NodeId) -> tuple[Decision, Eyes]:
        """The decision from the state as it was when the run began, and from what this run has written since.

        Good enough to see that a node has to be built: what others did meanwhile can only be found under its lease. It never
        stands for a reuse, and the versions that it sees are at worst older than what a build then reads, which builds once more.
        """
        with self.deciding():
            eyes = self.eyes(self.first_picture)
            return self._decide(node_id, eyes), eyes

    def decide_now(self, node_id: NodeId) -> tuple[Decision, Eyes]:
        """The decision on a node from the state and the warehouse as they are at this moment."""
        with self.deciding():
            eyes = self.eyes(self._picture_of((node_id,)))
            self._see_other_jobs((node_id,), eyes.picture)
            return self._decide(node_id, eyes), eyes

    def _see_other_jobs(self, nodes: Iterable[NodeId], picture: Picture) -> None:
        """Another run that wrote a node, or something under it, after dbt's cache of relations was filled makes that cache stale.

        What is under it counts, because replacing a table can drop the views over it. Who is writing just now may have done so.
        """
        busy = any(held.holder.run_id != self.settings.run_id for held in picture.holders())
        written_at = max((trace.finished_at for trace in picture.traces() if trace.run_id != self.settings.run_id), default=None)
        schemas = {(found.database, found.schema): node_id for node_id in nodes if (found := self.host.node(node_id).relation) is not None}
        for schema, node_id in schemas.items():
            with self._reading_schemas:  # whoever comes second must not go on before the cache is up to date
                read_at = self._schemas_read_at.get(schema, self._relations_read_at)
                if busy or read_at is None or (written_at is not None and written_at >= read_at):
                    self.host.reread_relations(node_id)
                    self._schemas_read_at[schema] = picture.now

    def _decide(self, node_id: NodeId, eyes: Eyes) -> Decision:
        seen, trace = observe(node_id, eyes)
        decision = decide(seen, trace, self.host.settings(node_id).policy)
        for cause in decision.reasons:
            if isinstance(cause, BuiltByOtherNode):
                text = f"{self.host.label(node_id)} and {cause.other} write the same relation, so each makes the other due"
                self.host.say(f"two_writers:{node_id}", text)
        return decision

    def observe_first(self, node_id: NodeId, planned: Planned | None = None) -> tuple[Observation, Trace | None]:
        """A node as it was when the run began, or as a plan foresees it."""
        return observe(node_id, self.eyes(self.first_picture, planned))

    def reusable_in_bulk(self, ancestors: Mapping[NodeId, Iterable[NodeId]]) -> dict[NodeId, Reuse]:
        """The selected nodes that need no thread: reused in one snapshot in which all their selected ancestors are too.

        ``ancestors`` maps each selected node to the selected nodes that must come before it.
        """
        with self.deciding():
            eyes = self.eyes(self.first_picture)
            passed: dict[NodeId, Reuse | None] = {}
            for node_id in self.host.selected:
                if all(above in passed for above in ancestors.get(node_id, ())):
                    self._try_bulk(node_id, eyes, passed)
            return {node_id: decision for node_id, decision in passed.items() if decision is not None}

    def _try_bulk(self, node_id: NodeId, eyes: Eyes, passed: dict[NodeId, Reuse | None]) -> None:
        node = self.host.node(node_id)
        if node.kind is Kind.EPHEMERAL:
            passed[node_id] = None
            return
        if node.kind is Kind.PASSIVE or (node.key is not None and eyes.picture.held(node.key) is not None):
            return
        decision = self._decide(node_id, eyes)
        if isinstance(decision, Reuse):
            passed[node_id] = decision
            self.note_tolerated(node_id, decision)

    def note_tolerated(self, node_id: NodeId, decision: Decision) -> None:
        """Remember that a node is behind by permission, for what is below it."""
        if isinstance(decision, Reuse) and decision.confidence is Confidence.TOLERATED:
            with self._lock:
                self._tolerated.add(node_id)

    # --- around the nodes ---------------------------------------------------------------------------------------------

    def lock_files(self) -> None:
        """Take the right to write database files that only one process may write, sorted by path, before anything else."""
        if not self.host.only_looks:
            self.heartbeat.start()
        files = {} if self.host.only_looks else self.host.files_to_lock()
        try:
            for path, shown in sorted(files.items()):
                on_wait = partial(self._say_file_is_used, shown)
                since = time.monotonic()
                granted = self.leases.acquire(TraceKey(f"file:{path}"), shown, timeout=self.settings.queue_timeout, on_wait=on_wait)
                if granted.waited:
                    self._tell(WaitEnded(shown, time.monotonic() - since))
        except StateUnavailableError as error:
            self.go_on_without_state(error)
        with suppress(StateUnavailableError):  # the first look at the state will tell
            self._relations_read_at = self.store.now()

    def _say_file_is_used(self, shown: str, held: Held) -> None:
        who = f"run {held.holder.run_id} (pid {held.holder.pid} on {held.holder.host})"
        self.host.say(f"file:{shown}:{held.holder.run_id}", f"waiting for {shown}: {who} is using it")
        self._tell(WaitBegan(shown, held.holder.run_id, held.holder.host, held.holder.pid, held.holder.job))

    def written_by_others(self, node: Node) -> Held | None:
        """A live build of another run in something that a node reads; a database file that is ours alone has none."""
        if self.watch.settles_at_end:
            return None
        keys = state_keys(self.host, (node.id,))
        held = {key: held for key, held in self.store.holders(keys).items() if held.holder.run_id != self.settings.run_id}
        building = self.store.snapshot(held).building if held else ()
        return next((held[key] for key in sorted(held) if key in building), None)

    def waiting(self, node_id: NodeId, held: Held) -> None:
        """Tell that a node waits for another run."""
        holder = held.holder
        self.host.say_waiting(node_id, f"built by run {holder.run_id} on {holder.host}")
        self._tell(WaitBegan(node_id, holder.run_id, holder.host, holder.pid, holder.job))

    def has_waited(self, node_id: NodeId, seconds: float) -> None:
        """Tell that the wait of a node is over, whatever comes now."""
        self.tally.add_wait(node_id, seconds)
        self._tell(WaitEnded(node_id, seconds))

    def _tell(self, event: Event) -> None:
        with suppress(StateUnavailableError):  # an event is for those who look; nothing depends on it
            self.store.tell(self.settings.run_id, event)

    def after_wait_for(self, node_id: NodeId) -> None:
        """After a wait everything is asked anew, and dbt's cache of the schema is read again."""
        self.readings.ask_again()
        self.host.reread_relations(node_id)

    def settle(self) -> None:
        """After the on-run-end hooks: record how this run leaves what it built."""
        with self._settling():
            if self.watch.settle():
                self.readings.remember_again()

    def hooks_begin(self) -> None:
        """Before the first on-run-start or on-run-end hook."""
        with self._settling():
            self.watch.arrive()
            self.hooks.before(state_keys(self.host, self.host.selected) if self._first is None else self._first.keys)

    def hooks_ended(self, statements: Sequence[str]) -> None:
        """After the last of these hooks; ``statements`` is the SQL that they sent."""
        with self._settling():
            self.hooks.after(statements)

    @contextmanager
    def _settling(self) -> Iterator[None]:
        try:
            yield
        except AfreshError as error:
            if self._first is None:
                return  # the first look at the state, which is still to come, will tell
            self.host.say("settle", f"how this run leaves the warehouse could not be recorded, so more is built next time: {error}")

    # --- what the summary tells ---------------------------------------------------------------------------------------

    def saved_seconds(self) -> float | None:
        """What the reused nodes took when they were built, by the median of their last builds; ``None`` without history."""
        done = len(self.tally.done)
        if self._saved is None or self._saved[0] != done:  # what was told once is told again without the state, which may be closed
            self._saved = (done, self._ask_for_saved_seconds())
        return self._saved[1]

    def _ask_for_saved_seconds(self) -> float | None:
        keys = [key for done in self.tally.done if done.status == "reused" and (key := self.host.node(done.node).key) is not None]
        try:
            durations = self.store.durations(keys)
        except StateUnavailableError:
            return None
        return sum(durations.values()) if durations or not keys else None

    def lag_bound(self, node_id: NodeId) -> int:
        """How far a node may be behind its sources: the longest sum of intervals on a path to it, in seconds."""
        if node_id not in self._lag_bounds:
            self._lag_bounds[node_id] = 0  # what reads itself adds nothing
            above = max((self.lag_bound(parent) for parent in self.host.node(node_id).parents), default=0)
            own = int(self.host.settings(node_id).policy.interval.total_seconds()) if self._may_lag(node_id) else 0
            self._lag_bounds[node_id] = own + above
        return self._lag_bounds[node_id]

    def _may_lag(self, node_id: NodeId) -> bool:
        return self.host.node(node_id).kind in (Kind.TABLE, Kind.AUTO_REFRESHED)

    # --- without state ------------------------------------------------------------------------------------------------

    def go_on_without_state(self, error: AfreshError) -> None:
        """The first look at the state failed: say so; each node then does what ``on_state_error`` says.

        Raises the error where the run must not go on.
        """
        if not self.settings.build_without_state or not isinstance(error, StateUnavailableError):
            raise error
        self.host.say("state_unavailable", f"the state cannot be reached, so this run goes on as plain dbt: {error}")

    def built_without_state(self, node: Node) -> None:
        """Remember on this machine that a relation was written and the state does not know it."""
        if node.key is None:
            return
        try:
            self.journal.add(node.key, self.settings.run_id)
        except OSError as error:
            self.host.say("journal", cannot_be_noted(error))
        self._noted += 1  # when it is there: whoever tells the state now may have come too early

    def tell_state(self) -> None:
        """Before the state is trusted again, it has to know what this run built while it was away.

        Raises :class:`StateUnavailableError` if it is still away.
        """
        if self._told != self._noted:
            with self._telling:
                noted = self._noted
                if self._told != noted:
                    self.journal.hand_over(self.store)
                    self._told = noted


class _Stopwatch:
    """Adds the time between entering and leaving to the run's time of deciding."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._since = 0.0

    def __enter__(self) -> None:
        self._since = time.perf_counter()

    def __exit__(self, *_exc: object) -> None:
        self._tally.add_deciding(time.perf_counter() - self._since)
