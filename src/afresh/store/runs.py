"""Runs: who ran what, when, and how it ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, insert, or_, select, update

from afresh.errors import InternalError
from afresh.store.instants import instant, micros, optional_instant
from afresh.store.records import Run, RunOutcome, RunRecord, RunStatus
from afresh.store.schema import ALIVE, RUNS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import RowMapping

    from afresh.store.engine import Transaction


def begin(tx: Transaction, record: RunRecord) -> Run:
    """Write a run down as running."""
    known = one(tx, record.run_id) if tx.in_doubt else None
    if known is not None:
        return known
    values = asdict(record)
    values["scheduled_at"] = tx.now if record.scheduled_at is None else micros(record.scheduled_at)
    tx.conn.execute(insert(RUNS).values(**values, started_at=tx.now, status=RunStatus.RUNNING.value))
    row = tx.conn.execute(select(RUNS).where(RUNS.c.run_id == record.run_id)).mappings().one()
    return _run_of_row(row)


def end(tx: Transaction, run_id: str, outcome: RunOutcome) -> None:
    """Write down how a run ended."""
    values = asdict(outcome)
    values["status"] = outcome.status.value
    tx.conn.execute(update(RUNS).where(RUNS.c.run_id == run_id).values(**values, finished_at=tx.now))


def newest(tx: Transaction, limit: int) -> tuple[Run, ...]:
    """The last runs, newest first."""
    rows = tx.conn.execute(select(RUNS).order_by(RUNS.c.number.desc()).limit(limit)).mappings()
    return tuple(_run_of_row(row) for row in rows)


def one(tx: Transaction, run_id: str) -> Run | None:
    """The run of this id."""
    row = tx.conn.execute(select(RUNS).where(RUNS.c.run_id == run_id)).mappings().one_or_none()
    return None if row is None else _run_of_row(row)


def find_number(tx: Transaction, run_id: str) -> int | None:
    """The number of a run, if it is known."""
    row = tx.conn.execute(select(RUNS.c.number).where(RUNS.c.run_id == run_id)).one_or_none()
    return None if row is None else int(row.number)


def number_of(tx: Transaction, run_id: str) -> int:
    """The number of a run that was begun.

    Raises:
        InternalError: it was not.
    """
    number = find_number(tx, run_id)
    if number is None:
        raise InternalError(f"run {run_id} was never begun", hint="Please report this.")
    return number


def prune(tx: Transaction, before: int) -> int:
    """Drop the runs that started before ``before``, but for those at work; return how many."""
    return tx.conn.execute(delete(RUNS).where(_is_old(tx, before))).rowcount


def count_old(tx: Transaction, before: int) -> int:
    """How many runs :func:`prune` would drop."""
    return int(tx.conn.execute(select(func.count()).select_from(RUNS).where(_is_old(tx, before))).scalar_one())


def _is_old(tx: Transaction, before: int) -> ColumnElement[bool]:
    at_work = select(ALIVE.c.run_id).where(ALIVE.c.until > tx.now)
    return and_(RUNS.c.started_at < before, or_(RUNS.c.finished_at.is_not(None), RUNS.c.run_id.not_in(at_work)))


def _run_of_row(row: RowMapping) -> Run:
    record = RunRecord(
        run_id=row["run_id"],
        command=row["command"],
        project=row["project"],
        target=row["target"],
        host=row["host"],
        pid=row["pid"],
        job=row["job"],
        scheduled_at=instant(row["scheduled_at"]),
        afresh_version=row["afresh_version"],
        dbt_version=row["dbt_version"],
        adapter_version=row["adapter_version"],
    )
    return Run(
        number=row["number"],
        record=record,
        scheduled_at=instant(row["scheduled_at"]),
        started_at=instant(row["started_at"]),
        finished_at=optional_instant(row["finished_at"]),
        outcome=_outcome_of_row(row),
    )


def _outcome_of_row(row: RowMapping) -> RunOutcome:
    return RunOutcome(
        status=RunStatus(row["status"]),
        built=row["built"],
        reused_verified=row["reused_verified"],
        reused_tolerated=row["reused_tolerated"],
        cloned=row["cloned"],
        failed=row["failed"],
        skipped=row["skipped"],
        deciding_seconds=row["deciding_seconds"],
        saved_seconds=row["saved_seconds"],
    )
