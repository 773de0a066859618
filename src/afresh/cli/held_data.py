"""Which sources' data a relation holds, and of which moment: the recorded inputs of its build, and of what that build read, upwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from afresh.core.node import ResourceType
from afresh.core.version import Known
from afresh.orchestration.closure import is_derived
from afresh.render.views import HeldData
from afresh.render.words import node_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from afresh.core.relation import TraceKey
    from afresh.core.trace import RecordedInput, Trace
    from afresh.store import StateStore


class Held(NamedTuple):
    """What a relation holds, and what lies between without a record of its own."""

    data: tuple[HeldData, ...]
    not_recorded: tuple[str, ...]


class Upwards:
    """Follows recorded inputs through one state; what was read once is not read again."""

    def __init__(self, store: StateStore, traces: Mapping[TraceKey, Trace]) -> None:
        self._store = store
        self._traces: dict[TraceKey, Trace | None] = dict(traces)

    def held_by(self, trace: Trace, *, read_at: datetime) -> Held:
        """The data that is in a table since its build read, or is seen through a view at a moment: at any depth."""
        found, gaps = _Found(), dict[str, None]()
        waiting = [_Step(entry, read_at, is_direct=not is_derived(trace), is_exact=True) for entry in trace.inputs]
        seen = set(waiting)
        while waiting:
            self._foresee(step.entry.key for step in waiting)
            ahead: list[_Step] = []
            for step in waiting:
                above = None if step.entry.key is None else self._traces[step.entry.key]
                if step.entry.key is None:
                    gaps[step.entry.node] = None
                elif above is None:
                    found.add(step)
                elif above.key != trace.key:  # what it made itself came from what it read
                    ahead += step.through(above)
                    if not above.inputs and not is_derived(above):
                        found.add(step.through_seed(above))
            waiting = [step for step in dict.fromkeys(ahead) if step not in seen]
            seen.update(waiting)
        return Held(found.lines(), tuple(node_text(node) for node in gaps))

    def _foresee(self, keys: Iterable[TraceKey | None]) -> None:
        more = {key for key in keys if key is not None} - self._traces.keys()
        if more:
            known = self._store.snapshot(more).traces
            self._traces.update({key: known.get(key) for key in more})


class _Step(NamedTuple):
    """An input on the way upwards. ``read_at``: when it was read by a build whose data is what we ask for."""

    entry: RecordedInput
    read_at: datetime
    is_direct: bool
    """Whether the version is the one that a table of ours was built from; else a view was looked through."""
    is_exact: bool

    def through(self, above: Trace) -> list[_Step]:
        """What was read to make this input."""
        if is_derived(above):  # it keeps no data: its own inputs were read when it was read
            return [_Step(entry, self.read_at, is_direct=False, is_exact=self.is_exact) for entry in above.inputs]
        is_same = self._is_of(above)
        read_at = above.started_at if is_same else self.read_at
        return [_Step(entry, read_at, is_direct=is_same, is_exact=is_same) for entry in above.inputs]

    def through_seed(self, above: Trace) -> _Step:
        """A table that reads nothing: a seed's data is that of its build."""
        is_same = above.resource_type is ResourceType.SEED and self._is_of(above)
        return self._replace(read_at=above.started_at if is_same else self.read_at, is_direct=False)

    def _is_of(self, above: Trace) -> bool:
        """Whether what was read is what the last build of it left, as far as that is recorded."""
        read_it = self.entry.version == Known(above.output_version) if self.is_direct else above.finished_at <= self.read_at
        return self.is_exact and read_it


class _Found:
    """Each source once, with the oldest moment of which its data is held."""

    def __init__(self) -> None:
        self._lines: dict[str, HeldData] = {}

    def add(self, step: _Step) -> None:
        name, version = step.entry.node, step.entry.version
        token = version.token if step.is_direct and isinstance(version, Known) else None
        line = HeldData(name, node_text(name), step.read_at, token, step.is_exact)
        before = self._lines.get(name)
        if before is None or (line.read_at, line.is_exact) < (before.read_at, before.is_exact):
            self._lines[name] = line

    def lines(self) -> tuple[HeldData, ...]:
        return tuple(sorted(self._lines.values(), key=lambda line: line.label))
