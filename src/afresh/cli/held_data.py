"""Which sources' data a relation holds, and of which moment: the recorded inputs of its build, and of what that build read, upwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from afresh.core.node import ResourceType
from afresh.core.version import Known
from afresh.orchestration.closure import is_derived
from afresh.render.views import HeldData
from afresh.render.words import node_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from afresh.core.relation import TraceKey
    from afresh.core.trace import RecordedInput, Trace
    from afresh.store import StateStore


_DEEPEST = 200


class Held(NamedTuple):
    """What a relation holds, and what lies between without a record of its own."""

    data: tuple[HeldData, ...]
    not_recorded: tuple[str, ...]


@dataclass
class _Holding:
    """The data of each source once, the oldest moment of it; and the gaps."""

    data: dict[str, HeldData] = field(default_factory=dict)
    gaps: dict[str, None] = field(default_factory=dict)

    def add(self, line: HeldData) -> None:
        before = self.data.get(line.node)
        if before is None or (line.read_at, line.is_exact) < (before.read_at, before.is_exact):
            self.data[line.node] = line

    def add_all(self, other: _Holding) -> None:
        for line in other.data.values():
            self.add(line)
        self.gaps |= other.gaps

    def add_as_of(self, other: _Holding, read_at: datetime) -> None:
        """The same sources, of which it is only known that nothing is newer than a moment."""
        for line in other.data.values():
            self.add(HeldData(line.node, line.label, read_at, is_exact=False))
        self.gaps |= other.gaps


class Upwards:
    """Follows recorded inputs through one state; what was found once is not looked for again."""

    def __init__(self, store: StateStore, traces: Mapping[TraceKey, Trace]) -> None:
        self._store = store
        self._traces: dict[TraceKey, Trace | None] = dict(traces)
        self._tables: dict[TraceKey, _Holding] = {}
        self._looked_above: set[TraceKey] = set()
        self._begun: set[TraceKey] = set()
        self._cut = 0

    def held_by(self, trace: Trace, *, read_at: datetime) -> Held:
        """The data that is in a table since its build read, or is seen through a view at a moment: at any depth."""
        self._read_all_above(trace)
        found = self._through_view(trace, read_at) if is_derived(trace) else self._of_table(trace)
        return Held(tuple(sorted(found.data.values(), key=lambda line: line.label)), tuple(node_text(node) for node in found.gaps))

    def _read_all_above(self, trace: Trace) -> None:
        ahead = [trace]
        while ahead:
            keys = {entry.key for one in ahead for entry in one.inputs if entry.key is not None} - self._looked_above
            self._looked_above |= keys
            more = keys - self._traces.keys()
            if more:
                known = self._store.snapshot(more).traces
                self._traces.update({key: known.get(key) for key in more})
            ahead = [above for key in keys if (above := self._traces[key]) is not None]

    def _of_table(self, trace: Trace) -> _Holding:
        """What the build of a table took in."""
        if trace.key in self._tables:
            return self._tables[trace.key]
        cut_before = self._cut
        found = self._read(trace, trace.started_at, is_direct=True)
        if self._cut == cut_before:  # what a circle was cut in is whole for nobody else
            self._tables[trace.key] = found
        return found

    def _through_view(self, trace: Trace, read_at: datetime) -> _Holding:
        return self._read(trace, read_at, is_direct=False)

    def _read(self, trace: Trace, read_at: datetime, *, is_direct: bool) -> _Holding:
        """What reading the inputs of a trace gives. ``is_direct``: whether they had the recorded versions then."""
        found = _Holding()
        if trace.key in self._begun or len(self._begun) > _DEEPEST:
            self._cut += 1
            return found
        self._begun.add(trace.key)
        for entry in trace.inputs:
            if entry.key is None:
                found.gaps[entry.node] = None
            else:
                self._add(found, entry, self._traces[entry.key], read_at, is_direct=is_direct)
        self._begun.discard(trace.key)
        return found

    def _add(self, found: _Holding, entry: RecordedInput, above: Trace | None, read_at: datetime, *, is_direct: bool) -> None:
        token = entry.version.token if is_direct and isinstance(entry.version, Known) else None
        if above is None:
            found.add(HeldData(entry.node, node_text(entry.node), read_at, token))
            return
        if is_derived(above):  # it keeps no data: its own inputs were read when it was read
            found.add_all(self._through_view(above, read_at))
            return
        is_same = entry.version == Known(above.output_version) if is_direct else above.finished_at <= read_at
        if above.resource_type is ResourceType.SEED:
            found.add(HeldData(entry.node, node_text(entry.node), above.started_at if is_same else read_at, is_exact=is_same))
        elif is_same:
            found.add_all(self._of_table(above))
        else:
            found.add_as_of(self._of_table(above), read_at)
