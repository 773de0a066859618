"""What the warehouse said about change, and when it was asked.

A token is read before the snapshot of the build that will record it, and an observation older than the start of the
trace it is compared with is read again (semantics §4).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from afresh.core.relation import TraceKey
from afresh.core.version import DataVersion, Unknown
from afresh.store import ProbeMemo
from afresh.warehouse.probe import Limits, Memo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from afresh.orchestration.host import Host
    from afresh.store import StateStore
    from afresh.warehouse.asks import Answer, Probing
    from afresh.warehouse.probe import Answers, ProbeAnswer, Target

T = TypeVar("T")
_READ_AGAIN = Limits(max_hash_rows=1_000_000)
"""Larger tables are not read only to spare the next run from reading them."""


@dataclass(frozen=True)
class Reading:
    """One answer of the warehouse and the moment, on the state database's clock, before it was asked."""

    answer: ProbeAnswer
    at: datetime

    @property
    def version(self) -> DataVersion:
        """The data version that the answer stands for."""
        return self.answer.version


_NOT_ASKED = Unknown("the warehouse was not asked about it")


class Readings:
    """The answers of one run, asked in batches and shared by its threads."""

    def __init__(self, host: Host, store: StateStore) -> None:
        self._host = host
        self._store = store
        self._lock = threading.Lock()
        self._floor: datetime | None = None
        self._readings: dict[TraceKey, Reading] = {}
        self._targets: dict[TraceKey, Target] = {}

    def read(self, targets: Iterable[Target]) -> None:
        """Ask for all of these now, in as few round trips as the engine needs, and keep the answers."""
        wanted = {target.relation.key: target for target in targets}
        if not wanted:
            return
        at = self._store.now()
        answers = self._ask(wanted)
        with self._lock:
            self._targets.update(wanted)
            self._readings.update({key: Reading(answer, at) for key, answer in answers.items()})
        for key, answer in answers.items():
            self._warn(wanted[key], answer)

    def _warn(self, target: Target, answer: ProbeAnswer) -> None:
        """What an answer has to say; where there is no version, that alone, since the reason is part of it."""
        if not isinstance(answer.version, Unknown):
            for warning in answer.warnings:
                self._host.say(f"probe:{warning}", warning)
        elif answer.warnings:
            self._host.say(unknown_code(target.relation.key), unknown_text(target.relation.name, answer.version))

    def _ask(self, wanted: Mapping[TraceKey, Target]) -> Answers:
        stored = self._store.probe_memos(wanted)
        memos = {TraceKey(key): Memo(memo.token, memo.guard) for key, memo in stored.items()}
        answers = converse(self._host.engine.probe(tuple(wanted.values()), memos), self._host)
        self._remember(answers, memos)
        return answers

    def _remember(self, answers: Answers, memos: Mapping[TraceKey, Memo]) -> None:
        found = {key: answer.memo for key, answer in answers.items() if answer.memo is not None and answer.memo != memos.get(key)}
        if found and not self._host.only_looks:
            at = self._store.now()
            self._store.remember_probes({str(key): ProbeMemo(memo.guard, memo.token, at) for key, memo in found.items()})

    def remember_again(self) -> None:
        """Read once more what this run has read from files that it wrote to: the next run then finds them as they were left."""
        with self._lock:
            wanted = {key: self._targets[key] for key, reading in self._readings.items() if reading.answer.memo is not None}
        stored = self._store.probe_memos(wanted)
        memos = {TraceKey(key): Memo(memo.token, memo.guard) for key, memo in stored.items()}
        self._remember(converse(self._host.engine.probe(tuple(wanted.values()), memos, _READ_AGAIN), self._host), memos)

    def get(self, key: TraceKey, *, not_before: datetime | None = None) -> Reading | None:
        """The answer for a relation, asked again if it is older than ``not_before``; ``None`` if nobody asked."""
        with self._lock:
            reading, target = self._readings.get(key), self._targets.get(key)
        oldest = max((moment for moment in (not_before, self._floor) if moment is not None), default=None)
        if reading is None or target is None or oldest is None or reading.at >= oldest:
            return reading
        self.read([target])
        return self._readings.get(key)

    def version(self, key: TraceKey, *, not_before: datetime | None = None) -> DataVersion:
        """The data version of a relation as the warehouse tells it."""
        reading = self.get(key, not_before=not_before)
        return _NOT_ASKED if reading is None else reading.version

    def missing(self, targets: Iterable[Target]) -> tuple[Target, ...]:
        """Those of the targets that nobody has asked about in this run."""
        with self._lock:
            return tuple(target for target in targets if target.relation.key not in self._readings)

    def ask_again(self) -> None:
        """Trust no answer that was given before this moment (after a wait, everything is asked again)."""
        self._floor = self._store.now()


def unknown_code(key: TraceKey) -> str:
    """The code under which it is said, once per run, that nobody can tell whether a relation has new data."""
    return f"unknown:{key}"


def unknown_text(name: str, version: Unknown) -> str:
    """What is said of a relation of which nobody can tell whether it has new data."""
    return f"whether {name} has new data cannot be told, so its readers are built: {version.why}"


def converse(talk: Probing[T], host: Host) -> T:
    """Lead one conversation with the warehouse to its end and return what it concluded."""
    answers: tuple[Answer, ...] | None = None
    while True:
        try:
            asks = next(talk) if answers is None else talk.send(answers)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answers = tuple(host.perform(asks))
