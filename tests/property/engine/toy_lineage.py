"""What may have to be built, kept by a book of its own: an answer key for thrift that knows nothing of traces and versions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from property.engine.toy_host import Invocation
from property.engine.toy_project import Project
from property.engine.toy_run import CUT_AFTER, CUT_BEFORE, ERROR, FAIL, REUSED, SKIPPED, SUCCESS, TRANSIENT, WELL, Outcome
from property.engine.toy_warehouse import DATE, Warehouse


def label_of(project: Project, name: str) -> str:
    """Relations are known by their name to everybody; tests and ephemeral models are their project's own."""
    model = project.model(name)
    if model is not None:
        return f"{project.name}.{name}" if model.is_ephemeral else model.relation
    return f"{project.name}.{name}" if project.check(name) else dict(project.sources)[name]


def _edges(projects: Iterable[Project], warehouse: Warehouse) -> Iterator[tuple[str, str]]:
    """Who reads whom: by the projects as they are now, and by the definitions of the views that stand in the warehouse."""
    for project in projects:
        for model in project.models:
            own = label_of(project, model.name)
            yield from ((label_of(project, read), own) for read in model.reads)
            yield from ((name, own) for name in model.hard_coded)
            yield from ((DATE, own) for _ in range(model.dated))
        for check in project.checks:
            yield from ((label_of(project, name), label_of(project, check.name)) for name in check.on)
    for name, found in warehouse.relations.items():
        if found.formula is not None:
            yield from ((below, name) for below in found.formula.names())


def below(labels: Iterable[str], projects: Iterable[Project], warehouse: Warehouse) -> frozenset[str]:
    """The labels and all that depends on them."""
    readers: dict[str, set[str]] = {}
    for upper, lower in _edges(projects, warehouse):
        readers.setdefault(upper, set()).add(lower)
    seen: set[str] = set()
    waiting = list(labels)
    while waiting:
        label = waiting.pop()
        if label not in seen:
            seen.add(label)
            waiting.extend(readers.get(label, ()))
    return frozenset(seen)


class Lineage:
    """``dirty``: what may differ from what its last build saw. ``doubtful``: relations whose content nobody vouches for."""

    def __init__(self) -> None:
        self.dirty: set[str] = set()
        self.doubtful: set[str] = set()
        self._passed: set[str] = set()
        self._known: set[str] = set()
        self._writer: dict[str, str] = {}

    def changed(self, labels: Iterable[str], projects: Collection[Project], warehouse: Warehouse, *, doubtful: bool = False) -> None:
        """These changed, and with them all that reads them."""
        roots = tuple(labels)
        self.dirty |= below(roots, projects, warehouse)
        if doubtful:
            self.doubtful.update(roots)

    def may_build(self, project: Project, invocation: Invocation, projects: Collection[Project], warehouse: Warehouse) -> frozenset[str]:
        """What a run may build: what changed, what depends on a change in this selection, and what never ended well before."""
        selected = {label_of(project, name) for name in invocation.selected}
        if invocation.forced or invocation.flags.empty or invocation.flags.full_refresh:
            return frozenset(selected)
        first = selected - self._known
        tests = {
            label
            for check in project.checks
            if (label := label_of(project, check.name)) not in self._passed or project.is_dated(check.name)
        }
        theirs = {label for label in selected if self.is_of_another(project, label)}
        due = {label for label in (self.dirty | first | theirs) & selected if label not in _ephemerals(project)}
        return frozenset(self.dirty) | below(due | first, projects, warehouse) | tests

    def is_of_another(self, project: Project, label: str) -> bool:
        """Whether another project made the last complete build of a relation."""
        return self._writer.get(label, project.name) != project.name

    def account(
        self, project: Project, invocation: Invocation, outcome: Outcome, projects: Collection[Project], warehouse: Warehouse
    ) -> None:
        """What a run leaves behind."""
        for name, status in outcome.status.items():
            label = label_of(project, name)
            if invocation.flags.empty and project.check(name):
                continue  # a test without rows says nothing, so nothing is remembered of it
            if status not in (REUSED, SKIPPED) and project.model(name):
                self.changed([label], projects, warehouse)
            if status in WELL:
                self._ended_well(project, name, status, invocation)
            elif status != SKIPPED:
                self._ended_badly(project, name, status, projects, warehouse)
        if not outcome.finished:  # the results of tests are written a little later, so a run that is killed may lose them
            self._passed -= {label_of(project, check.name) for check in project.checks}
        self.dirty |= self.doubtful

    def _ended_well(self, project: Project, name: str, status: str, invocation: Invocation) -> None:
        label = label_of(project, name)
        if project.check(name) is not None:
            (self._passed.add if status in (REUSED, SUCCESS) else self._passed.discard)(label)
        if invocation.flags.empty and project.model(name) is not None:
            self.doubtful.add(label)
            return
        self._known.add(label)
        if status != REUSED:
            self._writer[label] = project.name
        self.dirty.discard(label)
        self.doubtful.discard(label)

    def _ended_badly(self, project: Project, name: str, status: str, projects: Collection[Project], warehouse: Warehouse) -> None:
        label, check = label_of(project, name), project.check(name)
        if check is not None:
            self._passed.discard(label)
            owners = [label_of(project, owner) for owner in check.on] if status in (FAIL, ERROR, TRANSIENT) else []
            self.changed([label, *owners], projects, warehouse)
        else:
            self.changed([label], projects, warehouse, doubtful=status in (ERROR, TRANSIENT, CUT_BEFORE, CUT_AFTER))


def _ephemerals(project: Project) -> frozenset[str]:
    return frozenset(label_of(project, model.name) for model in project.models if model.is_ephemeral)
