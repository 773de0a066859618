"""Actors that stop, sleep, crash and come back at any moment, on the real store, against a model in memory.

Never two holders in one term; never a trace by a holder that lost its lease; no trace hides a problem that is newer
than the start of the build that wrote it.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.conformance.store.examples import TTL, FakeClock, key_of, trace_of

from afresh.core.lease import Held, Holder, Lease
from afresh.core.relation import TraceKey
from afresh.core.trace import AttemptState
from afresh.errors import LeaseLostError
from afresh.store import Build, Head, Intent, Taken, open_store

ACTORS = ("ada", "bob")
KEYS = (key_of("orders"), key_of("customers"))
actors, keys = st.sampled_from(ACTORS), st.sampled_from(KEYS)


@dataclass
class Term:
    """A lease as the model knows it."""

    actor: str
    number: int
    expires_at: datetime


@dataclass
class Work:
    """A build that an actor believes to be doing."""

    lease: Lease
    build: Build
    began: int


@dataclass
class Relation:
    """What the model knows of one key."""

    term: Term | None = None
    terms: int = 0
    trace: str | None = None
    problem_at: int | None = None
    """When, in steps, something last happened that a trace of an older build must not hide."""
    invalidated_at: int | None = None
    announced: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Builds without an end, by id: their term and the step in which they began."""


class Leases(RuleBasedStateMachine):
    """Any interleaving of what actors do."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = FakeClock()
        self.store = open_store("sqlite:///state.db", base=self.folder, clock=self.clock)
        self.model = {key: Relation() for key in KEYS}
        self.leases: dict[tuple[str, TraceKey], Lease] = {}
        self.works: dict[tuple[str, TraceKey], Work] = {}
        self.granted: set[tuple[TraceKey, int]] = set()
        self.seen: dict[tuple[str, TraceKey], tuple[Head, object]] = {}
        self.step = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    # --- the model ----------------------------------------------------------------------------------------------------

    def tick(self) -> int:
        self.step += 1
        return self.step

    def live(self, key: TraceKey) -> Term | None:
        term = self.model[key].term
        return term if term is not None and term.expires_at > self.clock.time else None

    def owns(self, lease: Lease) -> bool:
        term = self.live(lease.key)
        return term is not None and term.number == lease.term

    def stands(self, key: TraceKey) -> object:
        """What is written of a relation; a build that was announced and ended with nothing leaves it as it was."""
        known = self.model[key]
        return known.trace, known.problem_at, known.invalidated_at, frozenset(known.announced)

    # --- what actors do -----------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.001, 20.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    @rule(actor=actors, key=keys)
    def acquire(self, actor: str, key: TraceKey) -> None:
        before, known = self.live(key), self.model[key]
        answer = self.store.acquire(key, Holder(f"run-{actor}", actor, 1), TTL)
        if before is not None:
            assert isinstance(answer, Held)
            assert (answer.holder.host, answer.expires_at) == (before.actor, before.expires_at)
            return
        assert isinstance(answer, Lease)
        assert answer.term == known.terms + 1
        assert (key, answer.term) not in self.granted
        self.granted.add((key, answer.term))
        known.terms, known.term = answer.term, Term(actor, answer.term, self.clock.time + TTL)
        self.leases[actor, key] = answer

    @rule(actor=actors)
    def renew(self, actor: str) -> None:
        ours = [lease for (holder, _), lease in self.leases.items() if holder == actor]
        lost = self.store.renew(ours, TTL)
        assert lost == {lease.key for lease in ours if not self.owns(lease)}
        for lease in ours:
            term = self.live(lease.key)
            if term is not None and term.number == lease.term:
                term.expires_at = self.clock.time + TTL

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(sorted(self.leases)))
        lease = self.leases.pop(held)
        term = self.model[lease.key].term
        self.store.release(lease)
        if term is not None and term.number == lease.term:
            self.model[lease.key].term = None

    @rule(actor=actors)
    def stop_in_an_orderly_way(self, actor: str) -> None:
        self.store.release_all(f"run-{actor}")
        for known in self.model.values():
            if known.term is not None and known.term.actor == actor:
                known.term = None

    @rule(actor=actors)
    def crash(self, actor: str) -> None:
        """Everything that the actor knew is gone; what it announced is not."""
        for known in (self.leases, self.works):
            for held in [held for held in known if held[0] == actor]:
                del known[held]

    @rule(actor=actors, key=keys)
    def begin(self, actor: str, key: TraceKey) -> None:
        self.acquire(actor, key)
        if (actor, key) in self.leases:
            self.announce(actor, key)

    @rule(actor=actors, key=keys)
    def sleep_while_another_takes_over(self, actor: str, key: TraceKey) -> None:
        """The way into most trouble, which chance alone would seldom find."""
        self.time_passes(30.0)
        self.begin(actor, key)

    @rule(actor=actors, key=keys)
    def look(self, actor: str, key: TraceKey) -> None:
        """Remember what there is, to take the lease of it later on."""
        snapshot = self.store.snapshot([key])
        self.seen[actor, key] = snapshot.head(key), self.stands(key)

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        """The lease and the announcement at once, if all is as it was seen."""
        actor, key = data.draw(st.sampled_from(sorted(self.seen)))
        head, stood = self.seen.pop((actor, key))
        before, known = self.live(key), self.model[key]
        answer = self.store.take(key, Holder(f"run-{actor}", actor, 1), TTL, Intent("n", (), {key: head}))
        if before is not None:
            assert isinstance(answer, Held)
            return
        assert isinstance(answer, Taken)
        assert answer.lease.term == known.terms + 1
        self.granted.add((key, answer.lease.term))
        known.terms, known.term = answer.lease.term, Term(actor, answer.lease.term, self.clock.time + TTL)
        self.leases[actor, key] = answer.lease
        assert answer.build is None or (stood == self.stands(key) and head.holder is None)
        if answer.build is not None:
            began = self.tick()
            known.announced[answer.build.build_id] = (answer.lease.term, began)
            self.works[actor, key] = Work(answer.lease, answer.build, began)

    def announce(self, actor: str, key: TraceKey) -> None:
        lease = self.leases[actor, key]
        if not self.owns(lease):
            self.refuses(lambda: self.store.open_build(lease, "n", (), f"run-{actor}"))
            return
        build = self.store.open_build(lease, "n", (), f"run-{actor}")
        began = self.tick()
        self.model[key].announced[build.build_id] = (lease.term, began)
        self.works[actor, key] = Work(lease, build, began)

    @precondition(lambda self: self.works)
    @rule(data=st.data())
    def end_well(self, data: st.DataObject) -> None:
        actor, key = data.draw(st.sampled_from(sorted(self.works)))
        work = self.works.pop((actor, key))
        trace = trace_of(key, work.build.build_id)
        if not self.owns(work.lease):
            self.refuses(lambda: self.store.record_trace(work.lease, trace))
            return
        self.store.record_trace(work.lease, trace)
        known = self.model[key]
        known.term = None
        self.leases.pop((actor, key), None)
        known.trace = work.build.build_id
        known.announced = {build: seen for build, seen in known.announced.items() if seen[1] > work.began}
        if known.problem_at is not None and known.problem_at < work.began:
            known.problem_at = None
        if known.invalidated_at is not None and known.invalidated_at < work.began:
            known.invalidated_at = None

    @precondition(lambda self: self.works)
    @rule(data=st.data(), state=st.sampled_from([None, *AttemptState]))
    def end_badly(self, data: st.DataObject, state: AttemptState | None) -> None:
        actor, key = data.draw(st.sampled_from(sorted(self.works)))
        work = self.works.pop((actor, key))
        self.store.close_build(work.build.build_id, state, "it failed")
        self.model[key].announced.pop(work.build.build_id, None)
        if state is not None:
            self.model[key].problem_at = self.tick()

    @rule(actor=actors, key=keys, state=st.sampled_from([AttemptState.TAINTED, AttemptState.LOST_LEASE]))
    def taint(self, actor: str, key: TraceKey, state: AttemptState) -> None:
        self.store.taint(key, detail="", run_id=f"run-{actor}", state=state)
        self.model[key].problem_at = self.tick()

    @rule(key=keys)
    def invalidate(self, key: TraceKey) -> None:
        self.store.invalidate([key], "somebody")
        self.model[key].invalidated_at = self.tick()

    @rule(key=keys)
    def forget(self, key: TraceKey) -> None:
        known = self.model[key]
        is_held = self.live(key) is not None
        assert set(self.store.forget([key])) == ({key} if is_held else set())
        if not is_held:
            known.trace = known.problem_at = known.invalidated_at = None

    def refuses(self, write: object) -> None:
        try:
            write()  # type: ignore[operator]
        except LeaseLostError:
            return
        raise AssertionError("a holder that lost its lease could write")

    # --- what must hold at every moment -------------------------------------------------------------------------------

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        seen = self.store.snapshot(KEYS)
        for key, known in self.model.items():
            live = self.live(key)
            holder = seen.held.get(key)
            assert (holder and holder.holder.host) == (live and live.actor)
            trace = seen.traces.get(key)
            assert (trace and trace.build_id) == known.trace
            interrupted = any(live is None or term != live.number for term, _ in known.announced.values())
            assert (key in seen.attempts) == (known.problem_at is not None or interrupted)
            assert (key in seen.invalidations) == (known.invalidated_at is not None)
        assert {held.key for held in self.store.held_leases()} == {key for key in KEYS if self.live(key)}


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
