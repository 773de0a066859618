"""The protocol around one node: decide, lease, decide again, intend, build, record, release.

A build intent is written before any SQL is sent, and whatever goes wrong after it taints the relation; a trace is
written only after a success that stands for the node's full result, by the holder of its lease (architecture,
invariant 5).
"""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from afresh.core import reason as why
from afresh.core.decision import Build, Skip
from afresh.core.node import TESTS, Node, NodeId
from afresh.core.trace import AttemptState
from afresh.errors import LeaseLostError, OrphanedQueryError, StateUnavailableError
from afresh.orchestration.host import BuildEnd, BuildReport
from afresh.orchestration.journal import NodeDone, SqlChange
from afresh.orchestration.outcome import Act, R, Ran, Refused, Reused, Wait
from afresh.orchestration.preparing import Preparation, Ready
from afresh.orchestration.run_session import UNDECIDED_KINDS, RunSession
from afresh.orchestration.traces import test_trace, trace_of_build

if TYPE_CHECKING:
    from afresh.core.lease import Lease
    from afresh.store import Build as Intent

_ATTEMPTS = 3
"""How often a node whose lease is lost before it was built is prepared in all."""
_PAUSE = 0.05
"""Seconds between two looks at a node that has to wait, where the host has no other place for it."""


class NodeSession:
    """Runs nodes of one run, each through the whole protocol."""

    def __init__(self, run: RunSession) -> None:
        self._run = run
        self._compiled: dict[NodeId, str] = {}
        self._preparation = Preparation(run)
        self._prepared: dict[NodeId, Ready | Reused | Refused | BaseException] = {}

    def prepare(self, node_id: NodeId) -> Wait | None:
        """Everything that comes before the build of a node. What comes out is kept for :meth:`run`, errors too.

        Returns for whom the node has to wait, if it has to; then it is prepared again later, and run after that.
        """
        node = self._run.host.node(node_id)
        if node.kind in UNDECIDED_KINDS:
            return None
        try:
            self._run.tell_state()
            found = self._prepared_anew(node)
        except Exception as error:  # noqa: BLE001 - told where the node is run, as an error of the node
            self._prepared[node_id] = error
            return None
        if isinstance(found, Wait):
            return found
        self._prepared[node_id] = found
        return None

    def _prepared_anew(self, node: Node) -> Ready | Reused | Refused | Wait:
        """A lease that is lost before anything was sent costs nothing: the node is looked at once more, and takes it again if it can."""
        for _ in range(_ATTEMPTS - 1):
            with suppress(LeaseLostError):
                return self._preparation.prepare(node)
        try:
            return self._preparation.prepare(node)
        except LeaseLostError as error:
            return Refused(why.LeaseLost(error.what), f"the lease of this relation was lost again and again before it was built ({error})")

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
            ready = self._ready(node_id)
        except StateUnavailableError as error:
            return self._without_state(node, act, error)
        except OrphanedQueryError as error:
            return self._noted(node, Refused(why.OrphanedQuery(f"run {error.run_id}", error.detail), str(error)))
        if not isinstance(ready, Ready):
            return self._noted(node, ready)
        return self._build(ready, act)

    def _ready(self, node_id: NodeId) -> Ready | Reused | Refused:
        while node_id not in self._prepared and self.prepare(node_id) is not None:
            time.sleep(_PAUSE)
        found = self._prepared.pop(node_id)
        if isinstance(found, BaseException):
            raise found
        return found

    def _noted(self, node: Node, ready: Reused | Refused) -> Reused | Refused:
        if isinstance(ready, Reused):
            self._run.note_tolerated(node.id, ready.decision)
            self._run.tally.add(NodeDone(node.id, ready.decision, "reused", 0.0))
        else:
            self._run.tally.add(NodeDone(node.id, Build((ready.reason,)), "error", 0.0))
        return ready

    # --- the build ----------------------------------------------------------------------------------------------------

    def _build(self, ready: Ready, act: Act[R]) -> Ran[R] | Refused:
        try:
            with nullcontext() if ready.lease is None else self._run.leases.building(ready.lease):
                result, report = act(lambda: ready.inputs.add_undeclared(self._run.host.compiled_reads(ready.node.id)))
            refused = self._record(ready, report)
        finally:
            if ready.lease is not None:
                self._give_back(ready.lease)
        status = "error" if refused or report.end in (BuildEnd.FAILED, BuildEnd.PARTIAL) else "success"
        self._run.tally.add(NodeDone(ready.node.id, ready.decision, status, report.seconds, self._sql_change(ready)))
        return refused or Ran(result, ready.decision)

    def _sql_change(self, ready: Ready) -> SqlChange | None:
        now = self._compiled.pop(ready.node.id, None)
        before = self._run.code.compiled(ready.last) if ready.last is not None and now is not None else None
        return SqlChange(before, now) if before is not None and now is not None and before != now else None

    def _give_back(self, lease: Lease) -> None:
        try:
            self._run.leases.release(lease)
        except StateUnavailableError as error:
            self._run.host.say("state_unavailable", f"a lease could not be given back and runs out by itself: {error}")

    def _record(self, ready: Ready, report: BuildReport) -> Refused | None:
        try:
            if ready.node.kind in TESTS:
                self._record_test(ready, report)
            elif ready.lease is not None:
                self._record_build(ready, report)
        except LeaseLostError as error:
            return self._lease_lost(ready, error)
        except StateUnavailableError as error:
            return self._state_lost(ready.node, error)
        return None

    def _record_test(self, ready: Ready, report: BuildReport) -> None:
        if self._run.host.partial_run is None and report.test is not None:
            record = self._run.host.code_record(ready.node.id)
            trace = test_trace(ready.node, ready.inputs, record, run=self._run, report=report, decision=ready.decision)
            self._run.first_picture.add(trace)
            self._run.test_results.add(trace, record)

    def _record_build(self, ready: Ready, report: BuildReport) -> None:
        assert ready.lease is not None  # noqa: S101 - what is no test and has a key was leased
        assert ready.intent is not None  # noqa: S101 - and intended
        partial = self._run.host.partial_run
        if report.end is BuildEnd.SUCCESS and partial is None:
            self._record_trace(ready, report, ready.lease, ready.intent)
            return
        state, detail = _attempt_after(report, partial)
        if state is AttemptState.FAILED and not self._run.leases.still_holds(ready.lease):
            raise LeaseLostError(f"who takes over ends its sessions in the warehouse; the build ended with: {' '.join(detail.split())}")
        self._run.store.close_build(ready.intent.build_id, state, detail)

    def _record_trace(self, ready: Ready, report: BuildReport, lease: Lease, intent: Intent) -> None:
        record = self._run.host.code_record(ready.node.id)
        trace = trace_of_build(ready.node, ready.inputs, record, run=self._run, report=report, decision=ready.decision, intent=intent)
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

    def _lease_lost(self, ready: Ready, error: LeaseLostError) -> Refused:
        assert ready.node.key is not None  # noqa: S101 - it was leased
        run_id = self._run.settings.run_id
        try:
            self._run.store.taint(ready.node.key, detail=str(error), run_id=run_id, state=AttemptState.LOST_LEASE)
            if ready.intent is not None:  # heard of: nobody has to end what is left of this build
                self._run.store.close_build(ready.intent.build_id, None)
        except StateUnavailableError:
            self._run.built_without_state(ready.node)
        text = "the lease of this relation was lost while it was being built (was this process stopped?); it is built again by the next run"
        return Refused(why.LeaseLost(error.what), f"{text} ({error.what})")

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


def _nothing() -> None:
    """Nothing to do before the SQL is sent."""
