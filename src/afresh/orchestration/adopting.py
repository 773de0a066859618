"""Declaring relations current that an earlier run of plain dbt built (semantics §1, "A trace holds").

A node is adopted only if it would be reused at once: that run built its relation, its code is what it was then, and nothing
that it reads changed since that run read it. Where the warehouse cannot date the last change of an input, the user has to
say so. What is left to trust is told: nobody can see whether somebody else wrote the relation itself after that run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.core import reason as why
from afresh.core.decide import causes_of_attempt, decide
from afresh.core.decision import Confidence, Reuse
from afresh.core.lease import Held
from afresh.core.node import TESTS, Kind, NodeId
from afresh.core.observation import Missing, Present
from afresh.core.trace import Trace
from afresh.orchestration.adopted_inputs import InputJudge
from afresh.orchestration.host import CodeOnRecord
from afresh.orchestration.ids import new_id
from afresh.orchestration.inputs import InputsRead
from afresh.orchestration.journal import NodeDone
from afresh.orchestration.observing import observe
from afresh.orchestration.order import in_order, writers_of_reads
from afresh.orchestration.run_report import decision_row
from afresh.orchestration.run_session import UNDECIDED_KINDS
from afresh.render.sentences import sentence
from afresh.render.words import run_text
from afresh.store import Intent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from afresh.core.lease import Lease
    from afresh.core.node import Node
    from afresh.core.reason import Reason
    from afresh.orchestration.code_types import CodeRecord
    from afresh.orchestration.observing import Eyes
    from afresh.orchestration.past import BuiltThen, PastRun
    from afresh.orchestration.run_session import RunSession

_CODES = (why.Adopted.code,)
_NOT_SEEN = (Kind.FUNCTION, Kind.AUTO_REFRESHED)


@dataclass(frozen=True)
class Adopted:
    """A node that is declared current.

    ``dated``: inputs whose last change lies before that run; ``assumed``: those on the user's word; ``unseen``: variables whose
    values in that run nobody knows.
    """

    node: NodeId
    label: str
    relation: str
    dated: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotAdopted:
    """A node that is left as it is, and why."""

    node: NodeId
    label: str
    why: str


@dataclass(frozen=True)
class Adoption:
    """What came out. ``tests`` were selected too: they are never adopted."""

    run_id: str
    began: datetime
    ended: datetime
    nodes: tuple[Adopted | NotAdopted, ...]
    tests: int = 0


@dataclass(frozen=True)
class Wish:
    """Who wants it, why, and whether inputs that nobody can date are to be taken as unchanged."""

    by: str
    why: str = ""
    assume_unchanged: bool = False


@dataclass(frozen=True)
class _Candidate:
    node: Node
    trace: Trace
    record: CodeRecord
    dated: tuple[str, ...]
    assumed: tuple[str, ...]


def adopt(session: RunSession, past: PastRun, wish: Wish) -> Adoption:
    """Declare the selected nodes current, parents first; where nothing may be touched, tell what would come out."""
    adopter = _Adopter(session, past, wish)
    order = in_order(session.host, writers_of_reads(session.host, session.first_picture))
    nodes = [session.host.node(node_id) for node_id in order]
    found = tuple(adopter.adopt(node) for node in nodes if node.kind not in (*UNDECIDED_KINDS, *TESTS))
    adopter.close()
    tests = sum(1 for node in nodes if node.kind in TESTS)
    return Adoption(session.settings.run_id, past.started_at, past.finished_at, found, tests)


class _Adopter:
    def __init__(self, session: RunSession, past: PastRun, wish: Wish) -> None:
        self._session = session
        self._host = session.host
        self._past = past
        self._wish = wish
        self._done: list[NodeDone] = []

    def adopt(self, node: Node) -> Adopted | NotAdopted:
        """One node, whose parents were looked at before."""
        label = self._host.label(node.id)
        found = self._candidate(node)
        if not isinstance(found, str):
            problem = self._declare(found)
            if problem is None:
                relation = "" if node.relation is None else node.relation.name
                return Adopted(node.id, label, relation, found.dated, found.assumed, self._past.unseen_variables(node.id))
            found = problem
        return NotAdopted(node.id, label, found)

    def close(self) -> None:
        """Write down what was done, and how the relations were left."""
        if self._host.only_looks:
            return
        self._session.settle()
        rows = [decision_row(self._session, done) for done in self._done]
        self._session.store.record_decisions(self._session.settings.run_id, rows)

    # --- looking ------------------------------------------------------------------------------------------------------

    def _candidate(self, node: Node) -> _Candidate | str:
        if node.key is None or node.kind in _NOT_SEEN:
            return "Afresh cannot see what became of it in the warehouse"
        then = self._past.built(node.id)
        if isinstance(then, str):
            return then
        against = next(self._against(node, then), None)
        if against is not None:
            return against
        record = self._past.code(node.id)
        return record if isinstance(record, str) else self._with_inputs(node, then, record)

    def _against(self, node: Node, then: BuiltThen) -> Iterator[str]:
        """What speaks against it before its code and its inputs are looked at."""
        existence, wanted = self._host.existence(node.id), "view" if node.kind is Kind.VIEW else "table"
        if isinstance(existence, Missing):
            yield "it has no relation in the warehouse"
        if isinstance(existence, Present) and existence.type in {"view", "table"} - {wanted}:
            yield f"it is a {existence.type} in the warehouse"
        if self._host.window(node.id) is not None:
            yield "it is built in batches, and nobody can tell up to which one"
        yield from self._against_in_state(node, then)

    def _against_in_state(self, node: Node, then: BuiltThen) -> Iterator[str]:
        assert node.key is not None  # noqa: S101 - asked for before
        picture = self._session.first_picture
        held, attempt, invalidation, trace = (
            picture.held(node.key),
            picture.attempt(node.key),
            picture.invalidation(node.key),
            picture.trace(node.key),
        )
        if held is not None:
            yield _held(held)
        if attempt is not None:
            yield from (sentence(cause) for cause in causes_of_attempt(attempt))
        if invalidation is not None:
            yield sentence(why.Invalidated(invalidation.by, invalidation.at, invalidation.why))
        if trace is not None and trace.adopted and trace.scheduled_at > self._past.started_at:
            yield "it was adopted as a later run built it"
        if trace is not None and not trace.adopted and trace.finished_at >= then.started_at:
            yield f"run {run_text(trace.run_id)} has built it since"

    def _with_inputs(self, node: Node, then: BuiltThen, record: CodeRecord) -> _Candidate | str:
        setting = self._host.settings(node.id).evaluate_volatile_sql
        moving = sorted(call.name for call in record.volatile if call.counts or setting == "true")
        if moving and setting != "false":
            return f"it uses {', '.join(moving)}, and nobody knows which value that had"
        eyes = self._session.eyes(self._session.first_picture)
        inputs = InputsRead.before(node, eyes, self._session.readings)
        inputs.add_undeclared(record.reads)
        judge = InputJudge(eyes, self._session.readings, self._past, assume_unchanged=self._wish.assume_unchanged)
        problem = None if node.kind is Kind.VIEW else judge.judge(inputs.recorded, then)
        if problem is not None:
            return problem
        candidate = _Candidate(node, self._trace(node, then, record, inputs), record, judge.dated, judge.assumed)
        return self._unless_due(candidate, eyes)

    def _trace(self, node: Node, then: BuiltThen, record: CodeRecord, inputs: InputsRead) -> Trace:
        assert node.key is not None  # noqa: S101 - asked for before
        existence, build_id = self._host.existence(node.id), new_id()
        return Trace(
            key=node.key,
            node=node.id,
            resource_type=node.resource_type,
            project=node.project,
            build_id=build_id,
            run_id=self._session.settings.run_id,
            code=record.code,
            inputs=inputs.recorded,
            output_version=build_id,
            started_at=then.started_at,
            finished_at=then.finished_at,
            scheduled_at=self._past.started_at,
            relation_type=existence.type if isinstance(existence, Present) else "",
            reasons=_CODES,
            execution_seconds=then.seconds,
            job=self._session.settings.job,
            adopted=True,
        )

    def _unless_due(self, found: _Candidate, eyes: Eyes) -> _Candidate | str:
        """The last word is that of the decision: with this trace, the node has to be reused as verified."""
        node_id, picture = found.node.id, eyes.picture
        on_record = CodeOnRecord(found.trace, found.record.depfile, found.record.compiled)
        picture.add(found.trace)
        try:
            trial = replace(self._session.eyes(picture), code=lambda asked, _trace: self._host.compare_code(asked, on_record))
            seen, trace = observe(node_id, trial)
            decision = decide(seen, trace, self._host.settings(node_id).policy)
        finally:
            picture.take_back(found.trace)
        if isinstance(decision, Reuse) and decision.confidence is Confidence.VERIFIED:
            return self._foreseen(found)
        return "; ".join(sentence(reason) for reason in decision.reasons)

    def _foreseen(self, found: _Candidate) -> _Candidate:
        """Where nothing is written, what is below sees it as if it had been."""
        if self._host.only_looks:
            self._session.first_picture.add(found.trace)
        return found

    # --- writing ------------------------------------------------------------------------------------------------------

    def _declare(self, found: _Candidate) -> str | None:
        """Write the trace under the node's lease; returns why it could not be."""
        if self._host.only_looks:
            return None
        run, key = self._session, found.trace.key
        seen = run.first_picture.heads(run.keys_of(found.node.id, run.first_picture))
        taken = run.leases.take(key, Intent(found.node.id, _CODES, seen))
        if isinstance(taken, Held):
            return _held(taken)
        try:
            if taken.build is None:
                return "another run came to it, or to what it reads, just now"
            build_id = taken.build.build_id
            try:
                self._write(found, replace(found.trace, build_id=build_id, output_version=build_id), taken.lease)
            except BaseException:
                run.store.close_build(build_id, None)
                raise
        finally:
            run.leases.release(taken.lease)
        return None

    def _write(self, found: _Candidate, trace: Trace, lease: Lease) -> None:
        run = self._session
        after = run.watch.declared(trace)
        if after is not None:
            trace = replace(trace, outside_token=after.outside_token, signature=after.signature)
        recorded = run.store.record_trace(lease, trace, compiled=found.record.compiled, depfile=found.record.depfile)
        run.leases.given_back(lease)
        run.first_picture.add(recorded)
        reason: Reason = why.Adopted(self._wish.by, self._wish.why, self._past.started_at)
        self._done.append(NodeDone(found.node.id, Reuse(recorded, Confidence.VERIFIED, (reason,)), "reused", 0.0))


def _held(held: Held) -> str:
    return f"run {run_text(held.holder.run_id)} on {held.holder.host} is at work on it"
