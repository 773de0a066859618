"""Whether what a node reads is still what an earlier run read (for :mod:`afresh.orchestration.adopting`).

That the warehouse dates the last change of an input before the run is taken as proof, and told. What is dated after it has
changed. Of anything else nobody can tell, and the user's word decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.node import Kind, NodeId
from afresh.core.version import Unknown
from afresh.orchestration.closure import is_derived
from afresh.orchestration.versions import UNDECLARED
from afresh.render.words import run_text
from afresh.warehouse.last_change import last_loaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from afresh.core.trace import RecordedInput, Trace
    from afresh.orchestration.observing import Eyes
    from afresh.orchestration.past import BuiltThen, PastRun
    from afresh.orchestration.readings import Readings
    from afresh.orchestration.versions import Input


class InputJudge:
    """Judges the inputs of one node, and remembers on what it relied."""

    def __init__(self, eyes: Eyes, readings: Readings, past: PastRun, *, assume_unchanged: bool) -> None:
        self._eyes = eyes
        self._readings = readings
        self._past = past
        self._assume_unchanged = assume_unchanged
        self._dated: dict[str, None] = {}
        self._assumed: dict[str, None] = {}

    @property
    def dated(self) -> tuple[str, ...]:
        """Inputs that the warehouse dates before the run, and the date."""
        return tuple(self._dated)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Inputs that are taken as unchanged on the user's word."""
        return tuple(self._assumed)

    def judge(self, recorded: Sequence[RecordedInput], then: BuiltThen) -> str | None:
        """Why these inputs may not be what was read then, if they may not."""
        for one in recorded:
            entry = self._eyes.versions.input_of_record(one)
            if isinstance(one.version, Unknown):
                what = entry.label if entry.name.startswith(UNDECLARED) else f"which data {entry.label} holds"
                return f"{what} cannot be told: {one.version.why}"
            for below in self._through(entry, set()):
                problem = self._judge_one(below, then)
                if problem is not None:
                    return problem
        return None

    def _through(self, entry: Input, seen: set[str]) -> Iterator[Input]:
        """An input, and what it is made of: new data flows through views and ephemeral models."""
        if entry.name in seen:
            return
        seen.add(entry.name)
        node = None if entry.node is None else self._eyes.host.node(entry.node)
        trace = None if entry.key is None else self._eyes.picture.trace(entry.key)
        below: tuple[Input, ...] = ()
        if node is not None and node.kind is Kind.EPHEMERAL:
            below = self._eyes.versions.direct_inputs(node)
        else:
            yield entry
            if trace is not None and is_derived(trace):
                below = tuple(map(self._eyes.versions.input_of_record, trace.inputs))
        for one in below:
            yield from self._through(one, seen)

    def _judge_one(self, entry: Input, then: BuiltThen) -> str | None:
        trace = None if entry.key is None else self._eyes.picture.trace(entry.key)
        if trace is not None:
            return self._judge_trace(entry, trace, then)
        if entry.node is not None and entry.node in self._eyes.host.selected:
            return f"{entry.label}, which it reads, is not adopted"
        return self._judge_dates(entry, then)

    def _judge_trace(self, entry: Input, trace: Trace, then: BuiltThen) -> str | None:
        """What a job of this store built, or what was adopted: of the same run, it is what this node read."""
        if not trace.adopted:
            if trace.finished_at >= then.started_at:
                return f"run {run_text(trace.run_id)} has built {entry.label} since"
            return self._on_word(entry)
        built = self._past.built(NodeId(trace.node))
        if trace.scheduled_at != self._past.started_at or isinstance(built, str):
            return f"{entry.label}, which it reads, was adopted as another run built it"
        return None if built.finished_at <= then.started_at else f"that run built {entry.label} after it"

    def _judge_dates(self, entry: Input, then: BuiltThen) -> str | None:
        reading = None if entry.key is None else self._readings.get(entry.key)
        dated = None if reading is None else last_loaded(reading.answer)
        if dated is not None and dated.earliest >= then.started_at:
            return f"{entry.label} got data since: the last was loaded at {dated.said}"
        if dated is None or dated.latest >= then.started_at:
            return self._on_word(entry)
        self._dated[f"{entry.label}: the last data was loaded at {dated.said}"] = None
        return None

    def _on_word(self, entry: Input) -> str | None:
        if not self._assume_unchanged:
            return f"nobody can tell whether {entry.label} changed since"
        self._assumed[entry.label] = None
        return None
