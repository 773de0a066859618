"""Which intervals are worth setting, by what runs did: how often a table was built for new data, and what was built from it."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from afresh.config.durations import parse_duration
from afresh.core import reason as why
from afresh.core.node import ResourceType
from afresh.core.relation import TraceKey, relation_of_key
from afresh.orchestration.closure import is_derived
from afresh.orchestration.intervals import Effect, Visit, best_interval, built_for_data, effect_of, unread
from afresh.render.json import reasons_from_json
from afresh.render.recommendations import Choice, Recommendation, Recommendations, Saving, Table
from afresh.render.words import node_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from afresh.core.trace import Trace
    from afresh.render.views import ReasonView
    from afresh.store import DecisionRecord, Run, StateStore

LEAST_BUILDS, LEAST_READS = 8, 3
"""Below these a history says nothing."""

CHOICES = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""The intervals that are told of a table whose readers nobody knows."""

_MANY = 100_000
_MOST_INPUTS = 3
_DATA = frozenset({why.NewData.code, why.VolatileValue.code, why.WindowMoved.code})
_DELAYS = frozenset({why.TooSoon.code, why.WaitingForInputs.code})


@dataclass
class _History:
    """What runs did with one table."""

    node: str
    visits: dict[int, Visit] = field(default_factory=dict)
    inputs: Counter[str] = field(default_factory=Counter)
    interval: timedelta = timedelta(0)
    """The interval that it has already."""
    last_run: int = 0

    def in_order(self) -> list[Visit]:
        return [self.visits[run] for run in sorted(self.visits)]


def recommend(store: StateStore) -> Recommendations:
    """Look through everything that is recorded."""
    runs = {run.number: run for run in store.runs(_MANY)}
    traces = store.snapshot(store.recorded()).traces
    keeping = {key: trace for key, trace in traces.items() if trace.test is None and not is_derived(trace)}
    histories = _histories(store, keeping, runs)
    readers, seconds = _Readers(store, traces).of(keeping), store.durations(histories)
    found = _Found()
    for key, history in histories.items():
        if keeping[key].resource_type is ResourceType.MODEL:
            reads = sorted({run for reader in readers[key] if reader in histories for run in _builds(histories[reader])})
            found.judge(_Known(history, runs[history.last_run].record.target, reads, seconds.get(key), is_read=bool(readers[key])))
    since = min((run.started_at for run in runs.values()), default=None)
    return Recommendations(
        runs=len(runs),
        since=None if since is None else since.astimezone(),
        now=store.now().astimezone(),
        worth=tuple(sorted(found.worth, key=lambda one: (-(one.saving.seconds or 0.0), one.table.name, one.table.target))),
        choices=tuple(sorted(found.choices, key=lambda one: (-(one.savings[-1].seconds or 0.0), one.table.name, one.table.target))),
        judged=found.judged,
        too_short=tuple(sorted(set(found.short))),
        least_builds=LEAST_BUILDS,
        least_reads=LEAST_READS,
    )


@dataclass(frozen=True)
class _Known:
    """All that is known of one table. ``reads`` are the runs that built something from it."""

    history: _History
    target: str
    reads: Sequence[int]
    seconds: float | None
    is_read: bool


@dataclass
class _Found:
    """What came out so far."""

    worth: list[Recommendation] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    short: list[str] = field(default_factory=list)
    judged: int = 0

    def judge(self, known: _Known) -> None:
        """Put a table where it belongs."""
        history, visits = known.history, known.history.in_order()
        inputs = tuple(history.inputs.most_common(_MOST_INPUTS))
        table = Table(history.node, node_text(history.node), known.target, built_for_data(visits), inputs)
        if table.builds < LEAST_BUILDS or (known.is_read and len(known.reads) < LEAST_READS):
            self.short.append(table.name)
        elif known.is_read:
            self.judged += 1
            best = best_interval(visits, known.reads)
            if best is not None and best.interval > history.interval:
                saving = _saving(best, known.seconds)
                self.worth.append(Recommendation(table, saving, len(known.reads), unread(visits, known.reads)))
        else:
            savings = tuple(_saving(effect_of(visits, (), interval), known.seconds) for interval in CHOICES)
            self.choices += [Choice(table, savings)] if any(saving.builds for saving in savings) else []


def _saving(effect: Effect, seconds: float | None) -> Saving:
    return Saving(effect.interval, effect.saved, None if seconds is None else round(effect.saved * seconds, 3))


def _builds(history: _History) -> Iterator[int]:
    return (run for run, visit in history.visits.items() if visit.is_built)


# --- what runs did ----------------------------------------------------------------------------------------------------


def _histories(store: StateStore, tables: Mapping[TraceKey, Trace], runs: Mapping[int, Run]) -> dict[TraceKey, _History]:
    numbers = sorted(runs)
    found: dict[TraceKey, _History] = {}
    for record in store.last_decisions(limit=_MANY):
        key = record.row.key
        if key is not None and key in tables:
            history = found.setdefault(key, _History(record.row.node))
            _add(history, record, _numbers_in(record, numbers), runs)
    return {key: history for key, history in found.items() if history.visits}


def _numbers_in(record: DecisionRecord, numbers: Sequence[int]) -> list[int]:
    """The runs of a verdict that are still recorded."""
    return [run for first, last in record.in_runs for run in numbers[bisect_left(numbers, first) : bisect_right(numbers, last)]]


def _add(history: _History, record: DecisionRecord, numbers: Iterable[int], runs: Mapping[int, Run]) -> None:
    reasons = reasons_from_json(record.row.reasons)
    codes = {reason.code for reason in reasons}
    is_built = record.row.decision == "build" and record.row.status == "success"
    is_certain = is_built and not codes <= _DATA
    for number in numbers:
        history.visits[number] = Visit(number, runs[number].scheduled_at, is_built, bool(codes & (_DATA | _DELAYS)), is_certain)
        if is_built and not is_certain:
            history.inputs.update(_inputs(reasons))
        if number > history.last_run:
            history.last_run, history.interval = number, _interval(record)


def _inputs(reasons: Iterable[ReasonView]) -> Iterator[str]:
    for reason in reasons:
        if reason.code == why.NewData.code:
            yield from (node_text(str(entry.get("label") or entry["node"])) for entry in reason.evidence.get("inputs", ()))


def _interval(record: DecisionRecord) -> timedelta:
    given = {key: value for key, value, _ in json.loads(record.row.policy or "[]")}
    return parse_duration(given.get("lag_tolerance", "0s"))


# --- who reads what ---------------------------------------------------------------------------------------------------


class _Readers:
    """Which tables are built from which. Below an ephemeral model, where nobody recorded it, any table counts that the SQL names."""

    def __init__(self, store: StateStore, traces: Mapping[TraceKey, Trace]) -> None:
        self._store = store
        self._traces = traces

    def of(self, tables: Mapping[TraceKey, Trace]) -> dict[TraceKey, set[TraceKey]]:
        """For each table, the tables that read it, through views at any depth."""
        found: dict[TraceKey, set[TraceKey]] = {key: set() for key in tables}
        for reader, trace in tables.items():
            for key in self._read_by(trace) & found.keys() - {reader}:
                found[key].add(reader)
        return found

    def _read_by(self, trace: Trace) -> set[TraceKey]:
        found: set[TraceKey] = set()
        waiting = [trace]
        while waiting:
            one = waiting.pop()
            if any(entry.key is None for entry in one.inputs):
                found |= self._named_in_sql(one)
            for key in {entry.key for entry in one.inputs if entry.key is not None} - found:
                found.add(key)
                above = self._traces.get(key)
                if above is not None and is_derived(above):
                    waiting.append(above)
        return found

    def _named_in_sql(self, trace: Trace) -> set[TraceKey]:
        """Everything that the compiled SQL may name; without it, everything."""
        content = self._store.get_blobs((trace.compiled_digest,)).get(trace.compiled_digest)
        sql = None if content is None else content.decode(errors="replace").lower()
        names = {key: relation_of_key(key) for key in self._traces}
        return {key for key, relation in names.items() if relation is not None and (sql is None or relation.identifier.lower() in sql)}
