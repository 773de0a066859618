"""The verdict on every node in every run. The same verdict again is the same row, with one more run on it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import case, delete, func, insert, select, update

from afresh.core.relation import TraceKey
from afresh.store import runs
from afresh.store.codec import pack, unpack
from afresh.store.engine import chunks
from afresh.store.instants import instant, optional_instant, optional_micros
from afresh.store.records import DecisionRecord, DecisionRow
from afresh.store.run_ranges import has_run, spans, with_run
from afresh.store.schema import DECISIONS, RUNS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.engine import RowMapping

    from afresh.store.engine import Transaction

Subject = tuple[str, "str | None"]

_RECORDING = 2
"""The purpose of the lock under which decisions are recorded: two runs must not both add the newest row of a node."""
_LONGEST_RANGES = 500
"""A verdict that alternates with runs that did not select the node starts a new row here, so that rows stay small."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The last word on a node and key so far."""

    id: int
    verdict: str
    runs: str


def record(tx: Transaction, run_id: str, rows: Sequence[DecisionRow]) -> None:
    """Write down the verdicts of a run."""
    tx.alone(_RECORDING)
    number = runs.number_of(tx, run_id)
    waves = list(_waves(rows))
    if tx.in_doubt and waves and _is_last_word(tx, number, waves[-1]):
        return
    for wave in waves:
        _record_distinct(tx, number, wave)


def _is_last_word(tx: Transaction, number: int, rows: list[DecisionRow]) -> bool:
    heads = _heads(tx, [row.node for row in rows])
    found = ((heads.get((row.node, row.key)), _verdict(row)) for row in rows)
    return all(head is not None and head.verdict == verdict and has_run(head.runs, number) for head, verdict in found)


def _waves(rows: Sequence[DecisionRow]) -> Iterator[list[DecisionRow]]:
    """``rows`` in pieces, in order, none of which holds a node and key twice."""
    wave: dict[Subject, DecisionRow] = {}
    for row in rows:
        if (row.node, row.key) in wave:
            yield list(wave.values())
            wave = {}
        wave[row.node, row.key] = row
    if wave:
        yield list(wave.values())


def _record_distinct(tx: Transaction, number: int, rows: list[DecisionRow]) -> None:
    heads = _heads(tx, [row.node for row in rows])
    repeated: dict[_Repetition, list[int]] = {}
    replaced: list[int] = []
    new: list[dict[str, Any]] = []
    for row in rows:
        head, verdict = heads.get((row.node, row.key)), _verdict(row)
        if head is not None and head.verdict == verdict and len(head.runs) < _LONGEST_RANGES:
            repeated.setdefault(_repetition(head, number), []).append(head.id)
            continue
        if head is not None:
            replaced.append(head.id)
        new.append({**_columns(row), "verdict": verdict, "runs": str(number), "first_run": number, "last_run": number})
    _repeat(tx, number, repeated)
    for some in chunks(replaced):
        tx.conn.execute(update(DECISIONS).where(DECISIONS.c.id.in_(some)).values(newest=False))
    if new:
        stamp = {"first_at": tx.now, "last_at": tx.now, "count": 1, "newest": True}
        tx.conn.execute(insert(DECISIONS), [{**row, **stamp} for row in new])


class _Repetition(NamedTuple):
    """What becomes of a row whose verdict repeats. Most rows of a project repeat in the same runs, and share a statement."""

    runs: str
    more: int


def _repetition(head: _Head, number: int) -> _Repetition:
    return _Repetition(with_run(head.runs, number), 0 if has_run(head.runs, number) else 1)


def _repeat(tx: Transaction, number: int, repeated: Mapping[_Repetition, Sequence[int]]) -> None:
    # Runs record in any order: one that began later may have been here before.
    first_run = case((DECISIONS.c.first_run > number, number), else_=DECISIONS.c.first_run)
    last_run = case((DECISIONS.c.last_run < number, number), else_=DECISIONS.c.last_run)
    for (in_runs, more), ids in repeated.items():
        values = {"runs": in_runs, "count": DECISIONS.c.count + more, "first_run": first_run, "last_run": last_run, "last_at": tx.now}
        for some in chunks(ids):
            tx.conn.execute(update(DECISIONS).where(DECISIONS.c.id.in_(some)).values(values))


def _heads(tx: Transaction, nodes: list[str]) -> dict[Subject, _Head]:
    heads: dict[Subject, _Head] = {}
    for some in chunks(nodes):
        of_nodes = select(DECISIONS.c.node, DECISIONS.c.key, DECISIONS.c.id, DECISIONS.c.verdict, DECISIONS.c.runs)
        for row in tx.conn.execute(of_nodes.where(DECISIONS.c.node.in_(some), DECISIONS.c.newest)):
            heads[row.node, row.key] = _Head(row.id, row.verdict, row.runs)
    return heads


def _verdict(row: DecisionRow) -> str:
    return hashlib.sha256(json.dumps(astuple(row), default=str).encode()).hexdigest()[:16]


def _columns(row: DecisionRow) -> dict[str, Any]:
    return {
        "node": row.node,
        "key": row.key,
        "resource_type": row.resource_type,
        "materialized": row.materialized,
        "relation": row.relation,
        "decision": row.decision,
        "confidence": row.confidence,
        "reasons": pack(row.reasons),
        "due_at": optional_micros(row.due_at),
        "waiting_on": json.dumps(row.waiting_on),
        "lag_bound_seconds": row.lag_bound_seconds,
        "status": row.status,
        "execution_time": row.execution_time,
        "stage": row.stage,
        "policy": row.policy,
        "waited_seconds": row.waited_seconds,
    }


# --- reading ----------------------------------------------------------------------------------------------------------

_FIRST, _LAST = RUNS.alias("first"), RUNS.alias("last")


def last(
    tx: Transaction,
    nodes: Collection[str] | None,
    *,
    run_id: str | None,
    limit: int,
    target: tuple[str, str] | None,
) -> tuple[DecisionRecord, ...]:
    """The last words, newest first: per node and key at most ``limit``, of one run or of any, of a project's target or of any."""
    number = None if run_id is None else runs.find_number(tx, run_id)
    if run_id is not None and number is None:
        return ()
    wanted = _wanted(number, limit, target)
    found: list[RowMapping] = []
    for some in [None] if nodes is None else chunks(list(nodes)):
        found += tx.conn.execute(wanted if some is None else wanted.where(DECISIONS.c.node.in_(some))).mappings()
    found.sort(key=lambda row: (row["last_run"], row["id"]), reverse=True)
    return tuple(_limited([row for row in found if number is None or has_run(row["runs"], number)], limit))


def _wanted(number: int | None, limit: int, target: tuple[str, str] | None) -> Select[Any]:
    joined = DECISIONS.outerjoin(_FIRST, _FIRST.c.number == DECISIONS.c.first_run)
    joined = joined.outerjoin(_LAST, _LAST.c.number == DECISIONS.c.last_run)
    ids = (_FIRST.c.run_id.label("first_run_id"), _LAST.c.run_id.label("last_run_id"))
    wanted = select(DECISIONS, *ids).select_from(joined)
    if target is not None:
        wanted = wanted.where(_LAST.c.project == target[0], _LAST.c.target == target[1])
    if number is not None:
        return wanted.where(DECISIONS.c.first_run <= number, DECISIONS.c.last_run >= number)
    if limit == 1:
        return wanted.where(DECISIONS.c.newest)
    return wanted


def _limited(rows: list[RowMapping], limit: int) -> Iterator[DecisionRecord]:
    seen: dict[Subject, int] = {}
    for row in rows:
        subject = (row["node"], row["key"])
        seen[subject] = seen.get(subject, 0) + 1
        if seen[subject] <= limit:
            yield _record_of_row(row)


def _record_of_row(row: RowMapping) -> DecisionRecord:
    decided = DecisionRow(
        node=row["node"],
        key=None if row["key"] is None else TraceKey(row["key"]),
        resource_type=row["resource_type"],
        materialized=row["materialized"],
        relation=row["relation"],
        decision=row["decision"],
        confidence=row["confidence"],
        reasons=unpack(row["reasons"]),
        due_at=optional_instant(row["due_at"]),
        waiting_on=tuple(json.loads(row["waiting_on"])),
        lag_bound_seconds=row["lag_bound_seconds"],
        status=row["status"],
        execution_time=row["execution_time"],
        stage=row["stage"],
        policy=row["policy"],
        waited_seconds=row["waited_seconds"],
    )
    return DecisionRecord(
        decided,
        row["first_run_id"],
        row["last_run_id"],
        instant(row["first_at"]),
        instant(row["last_at"]),
        row["count"],
        tuple(spans(row["runs"])),
    )


def last_at(tx: Transaction) -> Mapping[TraceKey, int]:
    """When a run came to each key last, built or reused."""
    newest = select(DECISIONS.c.key, func.max(DECISIONS.c.last_at).label("at")).where(DECISIONS.c.key.is_not(None))
    return {TraceKey(row.key): int(row.at) for row in tx.conn.execute(newest.group_by(DECISIONS.c.key))}


def prune(tx: Transaction, before: int) -> int:
    """Drop verdicts that no run came to since ``before``; return how many."""
    return tx.conn.execute(delete(DECISIONS).where(DECISIONS.c.last_at < before)).rowcount


def count_old(tx: Transaction, before: int) -> int:
    """How many verdicts :func:`prune` would drop."""
    return int(tx.conn.execute(select(func.count()).select_from(DECISIONS).where(DECISIONS.c.last_at < before)).scalar_one())
