"""What comes before a build: decide, take the lease, decide again, read the inputs, announce (semantics §5).

Nothing here waits for another run. Where a lease is held elsewhere the answer is :class:`Wait`, and whoever asked lets
the node come again later.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from afresh.core import reason as why
from afresh.core.decision import Build, Decision, Reuse
from afresh.core.lease import Held, Lease
from afresh.core.node import TESTS, Kind, Node, NodeId
from afresh.errors import QueueTimeoutError
from afresh.orchestration.inputs import InputsRead
from afresh.orchestration.outcome import Refused, Reused, Wait
from afresh.store import Intent as Intended

if TYPE_CHECKING:
    from collections.abc import Callable

    from afresh.core.relation import TraceKey
    from afresh.core.trace import Trace
    from afresh.orchestration.observing import Eyes
    from afresh.orchestration.run_session import RunSession
    from afresh.store import Build as Intent

_NO_REASONS: Build = Build(())


@dataclass(frozen=True)
class Ready:
    """A node that is about to be built: what was decided, what it reads, and the right to write it."""

    node: Node
    decision: Build
    inputs: InputsRead
    lease: Lease | None = None
    intent: Intent | None = None
    last: Trace | None = None


@dataclass
class _Waiting:
    since: float
    told: str = ""


class Preparation:
    """Brings the nodes of one run to the point where nothing is left but to build them."""

    def __init__(self, run: RunSession) -> None:
        self._run = run
        self._waiting: dict[NodeId, _Waiting] = {}
        self._lock = threading.Lock()

    def prepare(self, node: Node) -> Ready | Reused | Refused | Wait:
        """One look at a node that is about to run, and everything that follows from it."""
        with self._lock:
            has_waited = node.id in self._waiting
        waits_on = False
        try:
            found = self._look(node, has_waited=has_waited)
            waits_on = isinstance(found, Wait)
        finally:
            if not waits_on:
                self._end_wait(node)
        return found

    def _end_wait(self, node: Node) -> None:
        with self._lock:
            waited = self._waiting.pop(node.id, None)
        if waited is not None:
            self._run.has_waited(node.id, time.monotonic() - waited.since)

    def _look(self, node: Node, *, has_waited: bool) -> Ready | Reused | Refused | Wait:
        if has_waited:
            self._run.after_wait_for(node.id)
        else:
            decision, eyes = self._run.decide_at_first_sight(node.id)
        if has_waited or isinstance(decision, Reuse):
            decision, eyes = self._run.decide_now(node.id)
        if isinstance(decision, Reuse) and not self._is_held(node, eyes):
            return Reused(decision)
        if node.key is None:
            return Ready(node, _as_build(decision), self._read_inputs(node, eyes))
        if node.kind in TESTS:
            return self._test(node, decision, eyes)
        if isinstance(decision, Build):
            return self._at_once(node, node.key, decision, eyes)
        return self._under_lease(node, node.key)

    def _is_held(self, node: Node, eyes: Eyes) -> bool:
        return node.key is not None and eyes.picture.held(node.key) is not None

    def _test(self, node: Node, decision: Decision, eyes: Eyes) -> Ready | Refused | Wait:
        """A test takes no lease; a data test looks at nothing that another run is writing."""
        held = self._run.written_by_others(node) if node.kind is Kind.DATA_TEST else None
        if held is not None:
            return self._wait(node, held)
        return Ready(node, _as_build(decision), self._read_inputs(node, eyes))

    def _at_once(self, node: Node, key: TraceKey, decision: Build, eyes: Eyes) -> Ready | Reused | Refused | Wait:
        """A node that is due as far as it was seen: if nobody wrote anything since, it is due under its lease too."""
        seen = eyes.picture.heads(self._run.keys_of(node.id, eyes.picture))
        taken = self._run.leases.take(key, Intended(node.id, _codes(decision), seen))
        if isinstance(taken, Held):
            return self._wait(node, taken)
        try:
            if taken.build is None:
                return self._decide_under(taken.lease, node)
            return self._ready(node, decision, eyes, taken.lease, lambda: taken.build)
        except BaseException:
            if taken.build is not None:
                self._run.store.close_build(taken.build.build_id, None)
            self._run.leases.release(taken.lease)
            raise

    def _under_lease(self, node: Node, key: TraceKey) -> Ready | Reused | Refused | Wait:
        """A node that would be reused if nobody held it."""
        answer = self._run.leases.ask_for(key, node.id)
        if isinstance(answer, Held):
            return self._wait(node, answer)
        try:
            return self._decide_under(answer, node)
        except BaseException:
            self._run.leases.release(answer)
            raise

    def _decide_under(self, lease: Lease, node: Node) -> Ready | Reused:
        decision, eyes = self._run.decide_now(node.id)
        if isinstance(decision, Reuse):
            self._run.leases.release(lease)
            return Reused(decision)
        build = _as_build(decision)
        run_id = self._run.settings.run_id
        return self._ready(node, build, eyes, lease, lambda: self._run.store.open_build(lease, node.id, _codes(build), run_id))

    def _ready(self, node: Node, decision: Build, eyes: Eyes, lease: Lease, announce: Callable[[], Intent | None]) -> Ready:
        self._run.fencing.fence(node.id, eyes.picture.cut_off(lease.key))
        last = eyes.picture.trace(lease.key)
        inputs = self._read_inputs(node, eyes)
        self._run.watch.about_to_build(node, last)
        return Ready(node, decision, inputs, lease, announce(), last)

    def _read_inputs(self, node: Node, eyes: Eyes) -> InputsRead:
        return InputsRead.before(node, eyes, self._run.readings)

    def _wait(self, node: Node, held: Held) -> Refused | Wait:
        timeout = self._run.settings.queue_timeout
        with self._lock:
            waiting = self._waiting.setdefault(node.id, _Waiting(time.monotonic()))
            is_new, waiting.told = waiting.told != held.holder.run_id, held.holder.run_id
        if is_new:
            self._run.waiting(node.id, held)
        try:
            self._run.leases.check_wait(held, time.monotonic() - waiting.since, timeout)
        except QueueTimeoutError as error:
            return Refused(why.QueueTimeout(f"run {error.holder}", timedelta(seconds=error.waited)), str(error))
        return Wait(node.id, held.key, waiting.since + timeout.total_seconds())


def _as_build(decision: Decision) -> Build:
    return decision if isinstance(decision, Build) else _NO_REASONS


def _codes(decision: Build) -> tuple[str, ...]:
    return tuple(reason.code for reason in decision.reasons)
