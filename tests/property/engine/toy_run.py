"""One command on the toy project: as plain dbt runs it, and as Afresh leads it, the way its seat in dbt's task does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from afresh.core.decision import Decision, Reuse
from afresh.core.lease import Holder
from afresh.core.node import NodeId
from afresh.core.observation import Missing
from afresh.core.trace import TestOutcome, TestStatus
from afresh.errors import StateUnavailableError
from afresh.orchestration.host import BuildEnd, BuildReport
from afresh.orchestration.ids import new_id
from afresh.orchestration.journal import NodeDone
from afresh.orchestration.node_session import NodeSession
from afresh.orchestration.outcome import Ran, Refused, Reused
from afresh.orchestration.planning import make_plan
from afresh.orchestration.run_ending import close_run
from afresh.orchestration.run_report import RunReport
from afresh.orchestration.run_session import RunSession
from afresh.orchestration.run_settings import RunSettings
from afresh.orchestration.taint_journal import Journal
from afresh.store import RunRecord, StateStore
from property.engine.toy_host import Invocation, ToyHost
from property.engine.toy_project import Model, Project, check_status, materialize
from property.engine.toy_warehouse import BrokenError, Warehouse

TTL = timedelta(seconds=30)

REUSED, SUCCESS, WARN, FAIL, ERROR, SKIPPED, TRANSIENT = "reused", "success", "warn", "fail", "error", "skipped", "transient"
CUT_BEFORE, CUT_AFTER = "cut before its write", "cut after its write"
WELL = (REUSED, SUCCESS, WARN)
"""How a node ends in a run that ends well."""


class KilledError(BaseException):
    """The process is gone: nothing of it runs any more."""


class Connection:
    """A process's connection to the shared state: closing it leaves the state, and a dead process cannot use it."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self.is_dead = False

    def __getattr__(self, name: str) -> Any:
        if self.is_dead:
            raise KilledError
        return getattr(self._store, name)

    def close(self) -> None:
        """The state outlives its users."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one node: ``kill`` or ``interrupt`` (at a ``point``: ``between`` nodes, ``sent``, ``written``), ``transient``."""

    name: str
    kind: str
    point: str = "between"


@dataclass
class Outcome:
    """What a run did, node by node, in the order in which it was decided."""

    status: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    finished: bool = False
    mentioned: dict[str, str] = field(default_factory=dict)

    @property
    def ended_well(self) -> bool:
        return self.finished and all(status in WELL for status in self.status.values())

    def built(self) -> frozenset[str]:
        """Everything that was run, tests too."""
        return frozenset(name for name, status in self.status.items() if status not in (REUSED, SKIPPED))


# --- plain dbt --------------------------------------------------------------------------------------------------------


def run_one(project: Project, warehouse: Warehouse, name: str, invocation: Invocation) -> str:
    """dbt's run of one node and its status."""
    check = project.check(name)
    if check is not None:
        found = check_status(warehouse, project, check)
        return SUCCESS if found == "pass" else found
    model = project.model(name)
    assert model is not None
    return _run_model(project, warehouse, model, invocation)


def _run_model(project: Project, warehouse: Warehouse, model: Model, invocation: Invocation) -> str:
    if model.fails == "compile":
        return ERROR
    if model.is_ephemeral:
        return SUCCESS
    try:
        materialize(warehouse, project, model, invocation.flags)
    except BrokenError:
        return ERROR
    return SUCCESS


def run_plain(project: Project, warehouse: Warehouse, invocation: Invocation, like: Outcome | None = None) -> dict[str, str]:
    """``dbt build`` without us. With ``like``: in the order and cut off at the point of that run, and with its passing troubles."""
    status: dict[str, str] = {}
    order = project.order() if like is None else like.status
    for name in order:
        if name not in invocation.selected:
            continue
        trouble = "" if like is None else like.status[name]
        if _skips(project, name, status):
            status[name] = SKIPPED
        elif trouble in (CUT_BEFORE, TRANSIENT):
            status[name] = trouble
        else:
            status[name] = run_one(project, warehouse, name, invocation)
    return status


def _skips(project: Project, name: str, status: Mapping[str, str]) -> bool:
    return any(status.get(above) in (FAIL, ERROR, SKIPPED, TRANSIENT) for above in project.before(name))


# --- led by Afresh ----------------------------------------------------------------------------------------------------


def _nothing_around(point: str, name: str) -> None:
    """Nothing else goes on."""


@dataclass
class ToyRun:
    """A state-aware command. ``around`` is called between nodes, and inside a build before and after its write.

    ``journal`` is there where the run goes on without a state that cannot be reached.
    """

    host: ToyHost
    store: StateStore
    around: Callable[[str, str], None] = _nothing_around
    fault: Fault | None = None
    outcome: Outcome = field(default_factory=Outcome)
    patience: timedelta = timedelta(0)
    journal: Journal | None = None
    goes_on: bool = False
    connection: Connection | None = None

    def __post_init__(self) -> None:
        self.connection = self.connection or Connection(self.store)
        self.run_id = new_id()
        self.session = RunSession(store=self.connection, host=self.host, settings=self._settings(), journal=self.journal)
        self.nodes = NodeSession(self.session)

    def _settings(self) -> RunSettings:
        scheduled_at = self.store.now()
        if not self.host.only_looks:
            record = RunRecord(self.run_id, "build", self.host.project.name, "toy")
            scheduled_at = self.store.begin_run(record).scheduled_at
        return RunSettings(
            run_id=self.run_id,
            scheduled_at=scheduled_at,
            holder=Holder(self.run_id, "here", 1),
            lease_ttl=TTL,
            queue_timeout=self.patience,
            build_without_state=self.goes_on,
            target="toy",
        )

    def plan(self) -> RunReport:
        """What ``afresh plan`` says now."""
        try:
            self.session.open()
            return make_plan(self.session, self.host.writers_of_sources())
        finally:
            close_run(self.session, ended_well=True)

    def go(self) -> Outcome:
        """The whole run. A fault that cuts it off is swallowed here: the outcome says how far it came."""
        try:
            self._go()
            self.outcome.finished = True
        except KeyboardInterrupt:
            pass
        except KilledError:
            self.session.leases._stop.set()  # threads that a real kill takes along
            self.session.heartbeat.stop()
        finally:
            if not self.connection.is_dead:
                close_run(self.session, ended_well=self.outcome.finished)
        self.outcome.mentioned = self.host.said
        return self.outcome

    def _go(self) -> None:
        self.session.lock_files()
        self.host.reread()
        self.around("opening", "")
        bulk: dict[NodeId, Reuse] = {}
        try:
            self.session.open()
            self.around("opened", "")
            bulk = self.session.reusable_in_bulk(self._ancestors())
        except StateUnavailableError as error:
            self.session.go_on_without_state(error)
        for node_id, decision in bulk.items():
            self.session.tally.add(NodeDone(node_id, decision, "reused", 0.0))
            self._note(node_id, REUSED, decision)
        for node_id in self.host.selected:
            if node_id not in bulk:
                self._node(node_id)
            self.around("between", self.host.name_of(node_id))
        self.session.settle()

    def _ancestors(self) -> dict[NodeId, set[NodeId]]:
        """What comes before each node in dbt's queue, and the writers of its sources."""
        selected = {self.host.name_of(node_id): node_id for node_id in self.host.selected}
        found = {
            node_id: {selected[above] for above in self.host.project.before(name) if above in selected}
            for name, node_id in selected.items()
        }
        for node_id, writers in self.host.writers_of_sources().items():
            found[node_id] |= writers
        return found

    # --- one node -----------------------------------------------------------------------------------------------------

    def _node(self, node_id: NodeId) -> None:
        name = self.host.name_of(node_id)
        self._strike(name, "between")
        if _skips(self.host.project, name, self.outcome.status):
            self.nodes.skip(node_id, "", lambda _before: (SKIPPED, BuildReport(BuildEnd.SKIPPED, may_have_written=False)))
            self.outcome.status[name] = SKIPPED
            return
        done = self.nodes.run(node_id, lambda before: self._act(name, before))
        match done:
            case Reused(decision=decision):
                self._note(node_id, REUSED, decision)
            case Ran(result=status, decision=decision):
                self._note(node_id, status, decision)
            case Refused():
                self.outcome.status[name] = ERROR
                self.host.said[f"refused:{name}"] = f"{done.reason.code}: {done.text}"

    def _note(self, node_id: NodeId, status: str, decision: Decision | None) -> None:
        name = self.host.name_of(node_id)
        self.outcome.status[name] = status
        if decision is not None:
            self.outcome.decisions[name] = decision

    def _act(self, name: str, before: Callable[[], None]) -> tuple[str, BuildReport]:
        model = self.host.project.model(name)
        if model is not None and (model.is_ephemeral or model.fails == "compile"):
            status = run_one(self.host.project, self.host.warehouse, name, self.host.invocation)
            return status, BuildReport(BuildEnd.FAILED if status == ERROR else BuildEnd.SUCCESS, may_have_written=False)
        before()
        self.around("sent", name)
        self.outcome.status[name] = CUT_BEFORE
        self._strike(name, "sent")
        status = self._execute(name, model)
        self.around("written", name)
        return status, self._report(status, is_test=model is None)

    def _execute(self, name: str, model: Model | None) -> str:
        if self.fault is not None and (self.fault.name, self.fault.kind) == (name, TRANSIENT):
            return TRANSIENT
        if model is not None and self._is_blind_to(model):
            return ERROR
        status = run_one(self.host.project, self.host.warehouse, name, self.host.invocation)
        if model is not None:
            self.host.wrote(model.relation)
        self.outcome.status[name] = CUT_AFTER
        self._strike(name, "written")
        return status

    def _is_blind_to(self, model: Model) -> bool:
        """dbt creates what is missing from its cache of relations; an engine then says ``relation already exists``."""
        cached = self.host.existence(self.host.id_of(model.name))
        return isinstance(cached, Missing) and model.relation in self.host.warehouse.relations

    def _strike(self, name: str, point: str) -> None:
        if self.fault is None or (self.fault.name, self.fault.point) != (name, point):
            return
        if self.fault.kind == "interrupt":
            raise KeyboardInterrupt
        if self.fault.kind == "kill":
            self.connection.is_dead = True
            raise KilledError

    def _report(self, status: str, *, is_test: bool) -> BuildReport:
        failed = status in (FAIL, ERROR, TRANSIENT)
        report = BuildReport(BuildEnd.FAILED if failed else BuildEnd.SUCCESS, may_have_written=True)
        return replace(report, test=TestOutcome(_TEST_STATUS[status])) if is_test else report


_TEST_STATUS = {
    SUCCESS: TestStatus.PASS,
    WARN: TestStatus.WARN,
    FAIL: TestStatus.FAIL,
    ERROR: TestStatus.ERROR,
    TRANSIENT: TestStatus.ERROR,
}
