"""A warehouse and its twin, with one history.

In the one, Afresh leads every run; in the twin plain dbt runs the same selections (semantics §8). After each run the two
laws are held against what happened.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from typing_extensions import Self

from afresh.core.decision import Build
from afresh.orchestration.run_report import RunReport
from afresh.store import open_store
from property.engine.toy_engine import Signal
from property.engine.toy_host import Invocation, ToyHost, relation
from property.engine.toy_lineage import Lineage, label_of
from property.engine.toy_project import Model, Project
from property.engine.toy_run import CUT_AFTER, ERROR, FAIL, REUSED, SUCCESS, TTL, WELL, Fault, Outcome, ToyRun, run_plain
from property.engine.toy_warehouse import BrokenError, Warehouse

RAW = {f"raw{number}": {1: number + 1, 2: number + 4} for number in range(3)}
"""Tables that something else loads."""
_MEMORY = Path("/dev/shm")  # where there is such a thing, it spares the disk; what is in the state is the same


class World:
    """Two warehouses, the projects that are run in them, the state, and the clock that the state goes by."""

    def __init__(self, projects: Iterable[Project], *, signal: Signal = Signal.VERSION, ticks: bool = True, cascades: bool = False) -> None:
        self.projects = {project.name: project for project in projects}
        self.signal = signal
        by_content = signal in (Signal.CONTENT, Signal.FILE)
        self.real, self.twin = (Warehouse(by_content=by_content, cascades=cascades) for _ in range(2))
        self._tick = timedelta(microseconds=1 if ticks else 0)
        self._now = datetime(2026, 11, 22, 6, 0, tzinfo=timezone.utc)
        self._folder = tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None)
        file = Path(self._folder.name) / "state.db"
        self.store = open_store(f"sqlite:///{file}", clock=self._clock)
        self._onlooker = sqlite3.connect(file)
        self.lineage = Lineage()
        for name, rows in RAW.items():
            self.both(lambda warehouse, name=name, rows=rows: warehouse.put_table(name, rows))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.store.close()
        self._onlooker.close()
        self._folder.cleanup()

    def _clock(self) -> datetime:
        self._now += self._tick
        return self._now

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)

    @property
    def is_blind(self) -> bool:
        """Whether the engine cannot show what others write into relations that are ours: then nobody does (semantics §8)."""
        return self.signal is Signal.BLIND

    # --- what happens between runs ------------------------------------------------------------------------------------

    def both(self, change: Callable[[Warehouse], object]) -> None:
        """Something that happens to the warehouse, and to its twin."""
        for warehouse in (self.real, self.twin):
            change(warehouse)

    def edit(self, project: Project, *names: str) -> None:
        """A commit that touches these nodes."""
        self._touched(self.projects[project.name], names)
        self.projects[project.name] = project
        self._touched(project, names)

    def _touched(self, project: Project, names: Iterable[str]) -> None:
        self.changed(label_of(project, name) for name in names if project.model(name) or project.check(name))

    def changed(self, labels: Iterable[str], *, doubtful: bool = False) -> None:
        """Something about these relations is no longer as the last build left it."""
        self.lineage.changed(labels, self.projects.values(), self.real, doubtful=doubtful)

    def invalidate(self, model: Model) -> None:
        """``afresh state invalidate``."""
        self.store.invalidate([relation(model.relation).key], "ann")
        self.changed([model.relation])

    def run_plain(self, project_name: str, invocation: Invocation) -> None:
        """Plain dbt in between, without us: an outside change of all that it writes."""
        if self.is_blind and any(self.store.recorded()):
            return
        project = self.projects[project_name]
        self.both(lambda warehouse: run_plain(project, warehouse, invocation))
        models = (model for name in invocation.selected if (model := project.model(name)) is not None)
        self.changed(label_of(project, model.name) for model in models)

    # --- a run, and what must be true of it ---------------------------------------------------------------------------

    def run(self, project_name: str, invocation: Invocation, *, fault: Fault | None = None, planned: bool = False) -> Outcome:
        """A state-aware run here and the same by plain dbt in the twin, held against the laws."""
        project = self.projects[project_name]
        self.wait(60)
        plan = self._plan(project, invocation) if planned else None
        allowed = self.lineage.may_build(project, invocation, self.projects.values(), self.real)
        outcome = ToyRun(ToyHost(project, self.real, invocation, signal=self.signal), self.store, fault=fault).go()
        twin = run_plain(project, self.twin, invocation, like=outcome)
        _hold_law_1(self, project, outcome, twin)
        _hold_law_2(project, outcome, allowed)
        _hold_two_writers(self.lineage, project, outcome)
        if plan is not None and outcome.ended_well:
            _hold_plan(plan, outcome, project)
        self.lineage.account(project, invocation, outcome, self.projects.values(), self.real)
        if self.signal is Signal.FILE and not outcome.finished:
            # How a cut off run leaves a database file is not known, so nobody vouches for what it built there.
            self.changed(label_of(project, name) for name in outcome.built() if project.model(name))
        if fault is not None:
            self.wait(int(TTL.total_seconds()) + 1)
        return outcome

    def _plan(self, project: Project, invocation: Invocation) -> RunReport:
        before = self._version()
        host = ToyHost(project, self.real, invocation, signal=self.signal, only_looks=True)
        plan = ToyRun(host, self.store).plan()
        assert self._version() == before, "a plan wrote to the state"
        return plan

    def _version(self) -> int:
        return int(self._onlooker.execute("PRAGMA data_version").fetchone()[0])


def _hold_law_1(world: World, project: Project, outcome: Outcome, twin: dict[str, str]) -> None:
    """Soundness: whatever ended well is what plain dbt would have made of it, and nothing fails or passes that would not there."""
    for name, status in outcome.status.items():
        if status != CUT_AFTER:
            assert _as_plain(status) == _as_plain(twin[name]), f"{name} is {status}, and by plain dbt {twin[name]}: {outcome}"
        model = project.model(name)
        if status in WELL and model is not None and not model.is_ephemeral:
            here, there = world.real.holds(model.relation), world.twin.holds(model.relation)
            assert here == there, f"{name} is {status} and holds {here}, by plain dbt {there}: {outcome}"


def _as_plain(status: str) -> str:
    return SUCCESS if status == REUSED else status


def _hold_law_2(project: Project, outcome: Outcome, allowed: frozenset[str]) -> None:
    """Thrift: nothing is built, and no test is run, that does not depend on a change."""
    built = {name for name in outcome.built() if not ((model := project.model(name)) and model.is_ephemeral)}
    needless = {name: outcome.decisions.get(name) for name in built if label_of(project, name) not in allowed}
    assert not needless, f"built for nothing: {needless}"


def _hold_two_writers(lineage: Lineage, project: Project, outcome: Outcome) -> None:
    """What another project built last is built again by whoever comes now, and for that reason."""
    for name, decision in outcome.decisions.items():
        if project.model(name) and lineage.is_of_another(project, label_of(project, name)):
            codes = {reason.code for reason in decision.reasons}
            assert isinstance(decision, Build), f"{name} was last built by another project, and is not built: {decision}"
            assert "built_by_other_node" in codes, f"{name} was last built by another project, and is built for {codes}"


def _hold_plan(plan: RunReport, outcome: Outcome, project: Project) -> None:
    """What a plan was sure of is what happened."""
    for row in plan.rows:
        status = outcome.status[row.name]
        if row.decision == "build":
            assert status != REUSED, f"{row.name} was planned to be built for {row.reasons}, and was reused: {outcome}"
        elif row.decision != "undetermined":
            assert status == REUSED, f"{row.name} was planned as {row.decision}, and {status}: {outcome}"


def fresh_build(world: World, project_name: str) -> Warehouse:
    """A new warehouse with the same raw tables, built from nothing by plain dbt."""
    fresh = Warehouse(by_content=True)
    fresh.day = world.real.day
    project = world.projects[project_name]
    own = {model.relation for model in project.models}
    for name, found in world.real.relations.items():
        if name not in own:
            try:
                fresh.put_table(name, world.real.read(name))
            except BrokenError:
                assert found.type == "view"
    run_plain(project, fresh, Invocation(frozenset(project.order())))
    return fresh


__all__ = ["ERROR", "FAIL", "RAW", "World", "fresh_build"]
