"""Gathering everything that is seen now about one node, for the decision to judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.config.node_settings import COMPLETE
from afresh.core.node import TESTS, Kind, Node, NodeId, ResourceType
from afresh.core.observation import FailedTest, Moved, NoRelation, Observation, ObservedInput, StaleView
from afresh.core.relation import relation_of_key
from afresh.core.trace import TestStatus, Trace
from afresh.core.version import Known, same_data
from afresh.orchestration.code_types import CodeComparison
from afresh.orchestration.versions import DataVersions, Input
from afresh.warehouse.engine import ViewBinding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from afresh.core.observation import Existence
    from afresh.core.relation import TraceKey
    from afresh.core.trace import RecordedInput
    from afresh.core.version import DataVersion
    from afresh.orchestration.cycles import Cycles
    from afresh.orchestration.host import Host
    from afresh.orchestration.picture import Picture
    from afresh.warehouse.probe import Target

_NOT_WAITED_FOR = (ResourceType.SEED, ResourceType.FUNCTION)
_ONLY_FAILED_TESTS = ("failed_test",)


@dataclass(frozen=True)
class Eyes:
    """What an observer looks through: the host, one picture of the state, and versions derived from it."""

    host: Host
    picture: Picture
    versions: DataVersions
    cycles: Cycles
    scheduled_at: datetime
    code: Callable[[NodeId, Trace], CodeComparison]
    """Compares a node's code with its trace; the run remembers the answers."""
    tolerated: AbstractSet[NodeId] = frozenset()
    """Nodes that this run left behind their inputs because a policy allows it."""
    ask: Callable[[Sequence[Target]], None] = lambda _targets: None
    """Asks the warehouse about relations that nobody asked about yet."""
    at: datetime | None = None
    """The moment at which a plan is asked to decide, where that is not now."""

    @property
    def now(self) -> datetime:
        """The moment of the decision, on the state database's clock."""
        return self.at or self.picture.now


def observe(node_id: NodeId, eyes: Eyes) -> tuple[Observation, Trace | None]:
    """All facts about a node now, and its last trace."""
    node = eyes.host.node(node_id)
    trace = eyes.picture.trace(node.key) if node.key else None
    bare = Observation(
        node=node,
        now=eyes.now,
        scheduled_at=eyes.scheduled_at,
        mode=eyes.host.mode(node_id),
        existence=_existence(node, eyes),
        attempt=eyes.picture.attempt(node.key) if node.key else None,
        invalidation=eyes.picture.invalidation(node.key) if node.key else None,
        not_reusable=eyes.host.static_not_reusable(node_id),
    )
    return (bare, None) if trace is None else (_against(trace, bare, eyes), trace)


def _existence(node: Node, eyes: Eyes) -> Existence:
    has_relation = node.relation is not None and node.kind is not Kind.FUNCTION
    return eyes.host.existence(node.id) if has_relation else NoRelation()


def _against(trace: Trace, bare: Observation, eyes: Eyes) -> Observation:
    node = bare.node
    code = eyes.code(node.id, trace)
    closing = eyes.cycles.closing(node.id, eyes.picture)
    inputs = _without_own_work(node, inputs_of(node, trace, eyes), closing, eyes)
    observed = tuple(_observed(entry, trace, eyes, closing.keys(), is_view=node.kind is Kind.VIEW) for entry in inputs)
    is_test = node.kind in TESTS
    return replace(
        bare,
        not_reusable=bare.not_reusable or code.not_reusable,
        code_changes=code.changes,
        outside=eyes.versions.outside(trace) if node.relation is not None and not is_test else None,
        failed_tests=tuple(_failed_tests(node, trace, eyes)),
        stale_view=_stale_view(inputs, observed, eyes) if node.kind is Kind.VIEW else None,
        inputs=observed,
        volatile=None if is_test else _volatile(node.id, trace, eyes),
        volatile_test=_volatile_test(trace) if is_test else None,
        window=_window(node.id, trace, eyes),
    )


def _without_own_work(node: Node, inputs: tuple[Input, ...], closing: Mapping[TraceKey, NodeId], eyes: Eyes) -> tuple[Input, ...]:
    """Without inputs that are made of this very node, each said once: each build of it would be the reason for the next one."""
    label = eyes.host.label(node.id)
    if node.key in closing or any(eyes.host.node(parent).key == node.key for parent in node.parents if node.key is not None):
        eyes.host.say(f"own:{node.id}", f"{label} reads the relation that it writes itself; what is in there is no new data to it")
    called = {entry.key: entry.label for entry in inputs}
    for key, writer in closing.items():
        if key != node.key:
            read, by = called.get(key) or _named_by(key), eyes.host.label(writer)
            text = f"{label} reads {read}, which {by} makes out of it; what is written there is no reason to build {label} again"
            eyes.host.say(f"cycle:{node.id}:{key}", text)
    return tuple(entry for entry in inputs if entry.key is None or entry.key not in closing)


def _named_by(key: TraceKey) -> str:
    relation = relation_of_key(key)
    return key if relation is None else relation.name


def inputs_of(node: Node, trace: Trace | None, eyes: Eyes) -> tuple[Input, ...]:
    """What a node reads: by the graph, and what only its SQL names, as its last build found it."""
    if node.kind is Kind.UNIT_TEST:
        return ()
    extra = () if trace is None else _beyond_graph(node, trace, eyes)
    return eyes.versions.direct_inputs(node, (*_named(node, eyes), *extra))


def _named(node: Node, eyes: Eyes) -> Iterator[Input]:
    """Relations that the node's ``state.inputs`` names."""
    named = eyes.host.settings(node.id).inputs
    for name in named if isinstance(named, tuple) else ():
        target = eyes.host.target_named(name)
        if target is None:
            yield Input(f"named:{name}", None, None, name)
        else:
            eyes.ask((target,))
            yield Input(f"relation:{target.relation.key}", None, target.relation.key, name)


def _beyond_graph(node: Node, trace: Trace, eyes: Eyes) -> tuple[Input, ...]:
    settings = eyes.host.settings(node.id)
    if settings.inputs == COMPLETE:
        return ()
    undeclared = (entry for entry in trace.inputs if not eyes.host.has_node(entry.node) and not _is_node_id(entry.node))
    answered = settings.inputs is not None
    return tuple(eyes.versions.input_of_record(entry) for entry in undeclared if not (answered and entry.key is None))


def _is_node_id(name: str) -> bool:
    head = name.split(".", 1)[0]
    return any(head == kind.value for kind in ResourceType)


def _observed(entry: Input, trace: Trace, eyes: Eyes, without: AbstractSet[TraceKey], *, is_view: bool) -> ObservedInput:
    version = eyes.versions.of(entry, not_before=trace.started_at, without=without)
    recorded = next((found for found in trace.inputs if found.node == entry.name), None)
    return ObservedInput(
        node=entry.name,
        key=entry.key,
        version=version,
        label=entry.label,
        waited_for=_waited_for(entry, eyes),
        tolerated=is_tolerated(entry, eyes),
        undetermined=eyes.versions.undetermined(entry),
        reshaped=(eyes.host.only_looks or is_view) and _is_reshaped(entry, recorded, version, eyes),
    )


def _waited_for(entry: Input, eyes: Eyes) -> bool:
    if entry.node is None:
        return True
    is_static = eyes.host.settings(entry.node).static
    return not is_static and eyes.host.node(entry.node).resource_type not in _NOT_WAITED_FOR


def is_tolerated(entry: Input, eyes: Eyes) -> bool:
    """Whether this run knows an input, or what an ephemeral input is made of, to be behind by permission."""
    if entry.node is None:
        return False
    if entry.node in eyes.tolerated:
        return True
    node = eyes.host.node(entry.node)
    return node.kind is Kind.EPHEMERAL and any(is_tolerated(below, eyes) for below in eyes.versions.direct_inputs(node))


def _failed_tests(node: Node, trace: Trace, eyes: Eyes) -> Iterator[FailedTest]:
    """Owned tests that failed on exactly this build, unless the build was itself made for a failed test alone.

    A build consumes the flag: rebuilding the same inputs with the same code a third time cannot help.
    """
    if trace.reasons == _ONLY_FAILED_TESTS:
        return
    for test_id in eyes.host.tests_owned_by(node.id):
        key = eyes.host.node(test_id).key
        found = eyes.picture.trace(key) if key else None
        if found is not None and _failed_on(found, node, trace):
            yield FailedTest(test_id, found.finished_at, found.test.failures if found.test else None)


def _failed_on(test: Trace, node: Node, built: Trace) -> bool:
    """Whether a test failed on exactly this build: it read its version, or ran after it."""
    if test.test is None or test.test.status not in (TestStatus.FAIL, TestStatus.ERROR):
        return False
    read = next((entry for entry in test.inputs if entry.node == node.id), None)
    if read is None:
        return False
    after = test.run_id == built.run_id or test.started_at >= built.finished_at
    return after or read.version == Known(built.output_version)


def _stale_view(inputs: Sequence[Input], observed: Sequence[ObservedInput], eyes: Eyes) -> StaleView | None:
    """A view that cannot be read any more, or that may tell other columns than it would if it were made now."""
    for entry, seen in zip(inputs, observed, strict=True):
        missing = eyes.versions.missing(entry)
        if missing is not None:
            return StaleView(entry.label, f"{missing} is not in the warehouse")
        if seen.reshaped:
            return StaleView(entry.label, f"columns or types of {entry.label} changed")
    return None


def _is_reshaped(entry: Input, recorded: RecordedInput | None, version: DataVersion, eyes: Eyes) -> bool:
    """Where nobody knows the columns, whatever was written again may have others, if the engine minds."""
    before, now = "" if recorded is None else recorded.signature, eyes.versions.signature(entry)
    if before and now:
        return before != now
    minds = eyes.host.engine.view_binding is ViewBinding.BY_OID and not eyes.host.engine.sees_outside_writes
    return minds and recorded is not None and not same_data(recorded.version, version)


def _volatile(node_id: NodeId, trace: Trace, eyes: Eyes) -> Moved | None:
    setting = eyes.host.settings(node_id).evaluate_volatile_sql
    if trace.volatile_value is None or setting == "false":
        return None
    if setting == "true":
        return Moved("volatile SQL", trace.volatile_value, eyes.now.isoformat())
    return Moved("the current date", trace.volatile_value, eyes.host.current_date())


def _volatile_test(trace: Trace) -> str | None:
    return None if trace.volatile_value is None else f"it uses {trace.volatile_value}, so its answer may change by itself"


def _window(node_id: NodeId, trace: Trace, eyes: Eyes) -> Moved | None:
    now = eyes.host.window(node_id)
    return None if now is None and trace.window is None else Moved("the microbatch window", trace.window, now)
