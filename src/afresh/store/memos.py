"""What probes remember: while a cheap guard is unchanged, so is the answer that was expensive to get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, text

from afresh.store.engine import chunks
from afresh.store.instants import instant, micros
from afresh.store.records import ProbeMemo
from afresh.store.schema import PROBE_MEMOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from afresh.store.engine import Transaction

_PUT = text(
    """
    INSERT INTO afresh_probe_memos (key, guard, token, at) VALUES (:key, :guard, :token, :at)
    ON CONFLICT (key) DO UPDATE SET guard = excluded.guard, token = excluded.token, at = excluded.at
    """
)


def read(tx: Transaction, keys: Iterable[str]) -> Mapping[str, ProbeMemo]:
    """The memos of ``keys``; what was never probed is absent."""
    found: dict[str, ProbeMemo] = {}
    for some in chunks(list(keys)):
        for row in tx.conn.execute(select(PROBE_MEMOS).where(PROBE_MEMOS.c.key.in_(some))):
            found[row.key] = ProbeMemo(row.guard, row.token, instant(row.at))
    return found


def remember(tx: Transaction, memos: Mapping[str, ProbeMemo]) -> None:
    """Keep these memos in the place of older ones. Rows are written in one order, so that two writers cannot deadlock."""
    in_order = sorted(memos.items(), key=lambda entry: entry[0])
    rows = [{"key": key, "guard": memo.guard, "token": memo.token, "at": micros(memo.at)} for key, memo in in_order]
    tx.conn.execute(_PUT, rows)


def prune(tx: Transaction, before: int) -> None:
    """Drop memos that nobody renewed since ``before``."""
    tx.conn.execute(delete(PROBE_MEMOS).where(PROBE_MEMOS.c.at < before))
