"""The protocol around one node: decide, lease, decide again, intend, build, record, release.

A build intent is written before any SQL is sent, and whatever goes wrong after it taints the relation; a trace is
written only after a success that stands for the node's full result, by the holder of its lease (architecture,
invariant 5).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from afresh.core import reason as why
from afresh.core.decision import Build, Decision, Reuse, Skip
from afresh.core.node import Kind, Node, NodeId
from afresh.core.trace import AttemptState
from afresh.errors import LeaseLostError, QueueTimeoutError, StateUnavailableError
from afresh.orchestration.host import BuildEnd, BuildReport
from afresh.orchestration.inputs import InputsRead
from afresh.orchestration.journal import NodeDone, SqlChange
from afresh.orchestration.outcome import Act, R, Ran, Refused, Reused
from afresh.orchestration.run_session import UNDECIDED_KINDS, RunSession
from afresh.orchestration.traces import test_trace, trace_of_build
from afresh.store import Intent as Intended

if TYPE_CHECKING:
    from collections.abc import Callable

    from afresh.core.lease import Held, Lease
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Trace
    from afresh.orchestration.observing import Eyes
    from afresh.store import Build as Intent

_TESTS = (Kind.DATA_TEST, Kind.UNIT_TEST)
_NO_REASONS: Build = Build(())


@dataclass(frozen=True)
class _Ready:
    """A node that is about to be built: what was decided, what it reads, and the right to write it."""

    node: Node
    decision: Build
    inputs: InputsRead
    lease: Lease | None = None
    intent: Intent | None = None
    last: Trace | None = None
    began: float = field(default_factory=time.monotonic)

    def elapsed(self) -> timedelta:
        """How long ago the build was announced."""
        return timedelta(seconds=time.monotonic() - self.began)


class NodeSession:
    """Runs nodes of one run, each through the whole protocol."""

    def __init__(self, run: RunSession) -> None:
        self._run = run
        self._compiled: dict[NodeId, str] = {}

    def skip(self, node_id: NodeId, parent: str, act: Act[R]) -> Ran[R]:
        """A node below a failure: dbt's rule, and dbt's own result."""
        result, _ = act(_nothing)
        decision = Skip((why.UpstreamFailed(parent),))
        self._run.tally.add(NodeDone(node_id, decision, "skipped", 0.0))
        return Ran(result, decision)

    def run(self, node_id: NodeId, act: Act[R]) -> Reused | Ran[R] | Refused:
        """Decide a node at the moment when dbt is about to run it, and build it if need be."""
        node = self._run.host.node(node_id)
        if node.kind in UNDECIDED_KINDS:
            return Ran(act(_nothing)[0], None)
        try:
            ready = self._prepare(node)
        except StateUnavailableError as error:
            return self._without_state(node, act, error)
        if not isinstance(ready, _Ready):
            return self._noted(node, ready)
        return self._build(ready, act)

    # --- before the build ---------------------------------------------------------------------------------------------

    def _prepare(self, node: Node) -> _Ready | Reused | Refused:
        decision, eyes = self._run.decide_at_first_sight(node.id)
        if isinstance(decision, Reuse):
            decision, eyes = self._run.decide_now(node.id)
        if isinstance(decision, Reuse) and not self._is_held(node, eyes):
            return Reused(decision)
        if node.kind in _TESTS or node.key is None:
            return _Ready(node, _as_build(decision), self._read_inputs(node, eyes))
        return self._at_once(node, node.key, decision, eyes) or self._prepare_under_lease(node)

    def _at_once(self, node: Node, key: TraceKey, decision: Decision, eyes: Eyes) -> _Ready | Reused | None:
        """A node that is due as far as it was seen: if nobody wrote anything since, it is due under its lease too."""
        if not isinstance(decision, Build):
            return None
        codes = tuple(reason.code for reason in decision.reasons)
        seen = eyes.picture.heads(self._run.keys_of(node.id, eyes.picture))
        taken = self._run.leases.take(key, Intended(node.id, codes, seen))
        if taken is None:
            return None
        try:
            if taken.build is None:
                return self._decide_under(taken.lease, node, waited=False)
            return self._readied(node, decision, eyes, taken.lease, lambda: taken.build)
        except BaseException:
            if taken.build is not None:
                self._run.store.close_build(taken.build.build_id, None)
            self._run.leases.release(taken.lease)
            raise

    def _readied(self, node: Node, decision: Build, eyes: Eyes, lease: Lease, announce: Callable[[], Intent | None]) -> _Ready:
        last = eyes.picture.trace(lease.key)
        inputs = self._read_inputs(node, eyes)
        self._run.watch.about_to_build(node, last)
        return _Ready(node, decision, inputs, lease, announce(), last)

    def _is_held(self, node: Node, eyes: Eyes) -> bool:
        return node.key is not None and eyes.picture.held(node.key) is not None

    def _prepare_under_lease(self, node: Node) -> _Ready | Reused | Refused:
        assert node.key is not None  # noqa: S101 - the caller asked
        try:
            grant = self._run.leases.acquire(
                node.key, node.id, timeout=self._run.settings.queue_timeout, on_wait=lambda held: self._say_waiting(node, held)
            )
        except QueueTimeoutError as error:
            return Refused(why.QueueTimeout(f"run {error.holder}", timedelta(seconds=error.waited)), str(error))
        try:
            return self._decide_under(grant.lease, node, waited=grant.waited)
        except BaseException:
            self._run.leases.release(grant.lease)
            raise

    def _decide_under(self, lease: Lease, node: Node, *, waited: bool) -> _Ready | Reused:
        if waited:
            self._run.after_wait_for(node.id)
        decision, eyes = self._run.decide_now(node.id)
        if isinstance(decision, Reuse):
            self._run.leases.release(lease)
            return Reused(decision)
        build = _as_build(decision)
        codes = tuple(reason.code for reason in build.reasons)
        run_id = self._run.settings.run_id
        return self._readied(node, build, eyes, lease, lambda: self._run.store.open_build(lease, node.id, codes, run_id))

    def _read_inputs(self, node: Node, eyes: Eyes) -> InputsRead:
        return InputsRead.before(node, eyes, self._run.readings)

    def _say_waiting(self, node: Node, held: Held) -> None:
        self._run.waiting(node.id, held)

    def _noted(self, node: Node, ready: Reused | Refused) -> Reused | Refused:
        if isinstance(ready, Reused):
            self._run.note_tolerated(node.id, ready.decision)
            self._run.tally.add(NodeDone(node.id, ready.decision, "reused", 0.0))
        else:
            self._run.tally.add(NodeDone(node.id, Build((ready.reason,)), "error", 0.0))
        return ready

    # --- the build ----------------------------------------------------------------------------------------------------

    def _build(self, ready: _Ready, act: Act[R]) -> Ran[R] | Refused:
        try:
            result, report = act(lambda: ready.inputs.add_undeclared(self._run.host.compiled_reads(ready.node.id)))
            refused = self._record(ready, report)
        finally:
            if ready.lease is not None:
                self._give_back(ready.lease)
        status = "error" if refused or report.end in (BuildEnd.FAILED, BuildEnd.PARTIAL) else "success"
        self._run.tally.add(NodeDone(ready.node.id, ready.decision, status, report.seconds, self._sql_change(ready)))
        return refused or Ran(result, ready.decision)

    def _sql_change(self, ready: _Ready) -> SqlChange | None:
        now = self._compiled.pop(ready.node.id, None)
        before = self._run.code.compiled(ready.last) if ready.last is not None and now is not None else None
        return SqlChange(before, now) if before is not None and now is not None and before != now else None

    def _give_back(self, lease: Lease) -> None:
        try:
            self._run.leases.release(lease)
        except StateUnavailableError as error:
            self._run.host.say("state_unavailable", f"a lease could not be given back and runs out by itself: {error}")

    def _record(self, ready: _Ready, report: BuildReport) -> Refused | None:
        try:
            if ready.node.kind in _TESTS:
                self._record_test(ready, report)
            elif ready.lease is not None:
                self._record_build(ready, report)
        except LeaseLostError as error:
            return self._lease_lost(ready, error)
        except StateUnavailableError as error:
            return self._state_lost(ready.node, error)
        return None

    def _record_test(self, ready: _Ready, report: BuildReport) -> None:
        if self._run.host.partial_run is None and report.test is not None:
            record = self._run.host.code_record(ready.node.id)
            trace = test_trace(ready.node, ready.inputs, record, run=self._run, report=report, decision=ready.decision)
            self._run.first_picture.add(trace)
            self._run.test_results.add(trace, record)

    def _record_build(self, ready: _Ready, report: BuildReport) -> None:
        assert ready.lease is not None  # noqa: S101 - what is no test and has a key was leased
        assert ready.intent is not None  # noqa: S101 - and intended
        partial = self._run.host.partial_run
        if report.end is BuildEnd.SUCCESS and partial is None:
            self._record_trace(ready, report, ready.lease, ready.intent)
            return
        state, detail = _attempt_after(report, partial)
        self._run.store.close_build(ready.intent.build_id, state, detail)

    def _record_trace(self, ready: _Ready, report: BuildReport, lease: Lease, intent: Intent) -> None:
        record = self._run.host.code_record(ready.node.id)
        trace = trace_of_build(
            ready.node, ready.inputs, record, run=self._run, report=report, decision=ready.decision, intent=intent, elapsed=ready.elapsed()
        )
        if ready.last is not None and all(isinstance(cause, why.MetadataChanged) for cause in ready.decision.reasons):
            trace = replace(trace, output_version=ready.last.output_version)  # the data is what it was (semantics §1)
        self._compiled[ready.node.id] = record.compiled
        after = self._run.watch.built(trace, report)
        if after is not None:
            trace = replace(trace, outside_token=after.outside_token, signature=after.signature)
        recorded = self._run.store.record_trace(lease, trace, compiled=record.compiled, depfile=record.depfile)
        self._run.leases.given_back(lease)
        self._run.first_picture.add(recorded)

    # --- what can go wrong --------------------------------------------------------------------------------------------

    def _lease_lost(self, ready: _Ready, error: LeaseLostError) -> Refused:
        assert ready.node.key is not None  # noqa: S101 - it was leased
        run_id = self._run.settings.run_id
        self._run.store.taint(ready.node.key, detail=str(error), run_id=run_id, state=AttemptState.LOST_LEASE)
        text = "the lease of this relation was lost while it was being built (was this process stopped?); it is built again by the next run"
        return Refused(why.LeaseLost(str(error)), text)

    def _state_lost(self, node: Node, error: StateUnavailableError) -> Refused | None:
        self._run.built_without_state(node)
        if self._run.settings.build_without_state:
            self._run.host.say("state_unavailable", f"the state could not be written, so nothing is remembered of this build: {error}")
            return None
        return Refused(why.StateUnavailable(str(error)), f"built, but the state could not be written: {error}")

    def _without_state(self, node: Node, act: Act[R], error: StateUnavailableError) -> Ran[R] | Refused:
        if not self._run.settings.build_without_state:
            return self._refused_without_state(node, error)
        self._run.host.say("state_unavailable", f"the state cannot be reached, so this run goes on as plain dbt: {error}")
        result, report = act(_nothing)
        if report.may_have_written:
            self._run.built_without_state(node)
        decision = Build((why.StateUnavailable(str(error)),))
        status = "success" if report.end is BuildEnd.SUCCESS else "error"
        self._run.tally.add(NodeDone(node.id, decision, status, report.seconds))
        return Ran(result, decision)

    def _refused_without_state(self, node: Node, error: StateUnavailableError) -> Refused:
        refused = Refused(why.StateUnavailable(str(error)), f"the state cannot be reached (on_state_error: fail): {error}")
        self._run.tally.add(NodeDone(node.id, Build((refused.reason,)), "error", 0.0))
        return refused


def _attempt_after(report: BuildReport, partial: str | None) -> tuple[AttemptState | None, str]:
    if report.end is BuildEnd.PARTIAL:
        return AttemptState.PARTIAL, report.message
    if report.end is BuildEnd.SUCCESS:
        return AttemptState.PARTIAL, partial or ""
    return (AttemptState.FAILED, report.message) if report.may_have_written else (None, report.message)


def _as_build(decision: Decision) -> Build:
    return decision if isinstance(decision, Build) else _NO_REASONS


def _nothing() -> None:
    """Nothing to do before the SQL is sent."""
