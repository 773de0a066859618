"""What stands against the trace of a key: announced builds, attempts that ended in no trace, taints, invalidations.

A mark's number orders it against a build's intent (a mark itself), so that a trace consumes exactly what was there
before its build began, whatever the clocks do. What remains beside a trace is newer than the build that wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from afresh.core.relation import TraceKey
from afresh.core.trace import AttemptProblem, AttemptState, Invalidation
from afresh.store.engine import chunks
from afresh.store.instants import instant, length
from afresh.store.schema import MARKS, RUNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import RowMapping

    from afresh.store.engine import Transaction

OPEN = "open"
"""A build intent: SQL may have been sent. With its lease live it is work in progress, without it an interruption."""
SUPERSEDED = "superseded"
"""An intent whose build lost its lease to one that has since ended well. It says nothing until its own build speaks up."""
INVALIDATED = "invalidated"
# The other states are those of `AttemptState`, by value.

_MAY_SPEAK_UP = (OPEN, SUPERSEDED)
"""What a trace or `forget` does not remove: the build that wrote it may still have to be heard."""

_LONGEST_SLEEP = timedelta(days=30)
"""A run that was stopped for longer does not go on any more."""

_ADD = insert(MARKS)
_INTENT = select(MARKS).where(MARKS.c.build_id == bindparam("of_build"), MARKS.c.state.in_(_MAY_SPEAK_UP))
_OLDER = (MARKS.c.key == bindparam("of_key"), MARKS.c.id < bindparam("intent"))
_SUPERSEDE_OLDER = update(MARKS).where(*_OLDER, MARKS.c.state == OPEN).values(state=SUPERSEDED)
_DROP_OLDER = delete(MARKS).where(*_OLDER, MARKS.c.state.not_in(_MAY_SPEAK_UP))
_ANY_OLDER = select(MARKS.c.id).where(*_OLDER).limit(1)
_DROP_UNTIL = delete(MARKS).where(  # no IN list: that cannot be sent for many at once
    MARKS.c.key == bindparam("of_key"), MARKS.c.at <= bindparam("moment"), MARKS.c.state != OPEN, MARKS.c.state != SUPERSEDED
)
_DROP = delete(MARKS).where(MARKS.c.id == bindparam("of_id"))
IS_STANDING = and_(MARKS.c.key.in_(bindparam("keys", expanding=True)), MARKS.c.state != SUPERSEDED)
"""What counts of ``keys``."""
_STANDING = select(MARKS).where(IS_STANDING).order_by(MARKS.c.id)
_ANNOUNCED = _STANDING.where(
    MARKS.c.state == OPEN,
    MARKS.c.term == bindparam("of_term"),
    MARKS.c.run_id == bindparam("of_run"),
    MARKS.c.node == bindparam("of_node"),
)


def add(tx: Transaction, key: TraceKey, state: str, **columns: object) -> None:
    """Write a mark; its number is larger than that of every mark there was before."""
    tx.conn.execute(_ADD, {"at": tx.now, **columns, "key": key, "state": state})


def intent(tx: Transaction, build_id: str) -> RowMapping | None:
    """The intent of a build that has not ended, superseded or not."""
    return tx.conn.execute(_INTENT, {"of_build": build_id}).mappings().one_or_none()


def announced(tx: Transaction, key: TraceKey, term: int, run_id: str, node: str) -> RowMapping | None:
    """The intent that a run announced for a node under this term, if it did."""
    wanted = {"keys": [key], "of_term": term, "of_run": run_id, "of_node": node}
    return tx.conn.execute(_ANNOUNCED, wanted).mappings().first()


def is_known(tx: Transaction, key: TraceKey, state: str, run_id: str, detail: str) -> bool:
    """Whether there is such a mark already."""
    rows = tx.conn.execute(_STANDING, {"keys": [key]}).mappings()
    return any((row["state"], row["run_id"], row["detail"]) == (state, run_id, detail) for row in rows)


def outlive(tx: Transaction, key: TraceKey, number: int) -> None:
    """The build whose intent has this number ended well: drop what it outlived, and the intent."""
    older = {"of_key": key, "intent": number}
    if tx.conn.execute(_ANY_OLDER, older).first() is not None:
        tx.conn.execute(_SUPERSEDE_OLDER, older)
        tx.conn.execute(_DROP_OLDER, older)
    drop(tx, number)


def drop(tx: Transaction, number: int) -> bool:
    """Remove one mark; says whether it was there."""
    return tx.conn.execute(_DROP, {"of_id": number}).rowcount > 0


def drop_until(tx: Transaction, moments: Mapping[TraceKey, int]) -> None:
    """Remove the marks of each key that were made at or before its moment: for tests, which announce nothing."""
    tx.conn.execute(_DROP_UNTIL, [{"of_key": key, "moment": moment} for key, moment in moments.items()])


def invalidate(tx: Transaction, keys: Sequence[TraceKey], by: str, why: str) -> None:
    """Make the keys due, on behalf of ``by``; only the last invalidation of a key is kept."""
    for some in chunks(keys):
        tx.conn.execute(delete(MARKS).where(MARKS.c.key.in_(some), MARKS.c.state == INVALIDATED))
        tx.conn.execute(insert(MARKS).values(at=tx.now), [{"key": key, "state": INVALIDATED, "by": by, "detail": why} for key in some])


def newest(tx: Transaction) -> int:
    """The number of the newest mark, 0 where there is none."""
    return int(tx.conn.execute(select(func.coalesce(func.max(MARKS.c.id), 0))).scalar_one())


def forget(tx: Transaction, keys: Sequence[TraceKey], until: int) -> None:
    """Drop what stands against these keys up to the mark of this number, but for builds that were announced.

    Whoever announced a build and died may have left it at work in the warehouse: it is ended before the next one begins.
    """
    for some in chunks(keys):
        tx.conn.execute(delete(MARKS).where(MARKS.c.key.in_(some), MARKS.c.id <= until, MARKS.c.state.not_in(_MAY_SPEAK_UP)))


def open_keys(tx: Transaction) -> set[TraceKey]:
    """The keys of which a build was announced that has not ended."""
    return set(map(TraceKey, tx.conn.execute(select(MARKS.c.key).where(MARKS.c.state == OPEN)).scalars()))


def prune(tx: Transaction, before: int) -> None:
    """Drop superseded intents from before ``before`` of runs that have ended, and of those that were silent for very long.

    Any other run may only have been stopped: when it goes on, its build has to be heard.
    """
    ended = select(RUNS.c.run_id).where(RUNS.c.finished_at.is_not(None))
    is_silent = MARKS.c.run_id.in_(ended) | (MARKS.c.at < tx.now - length(_LONGEST_SLEEP))
    tx.conn.execute(delete(MARKS).where(MARKS.c.state == SUPERSEDED, MARKS.c.at < before, is_silent))


@dataclass
class Standing:
    """What stands against the traces of some keys, folded from marks in the order of their numbers."""

    attempts: dict[TraceKey, AttemptProblem] = field(default_factory=dict)
    invalidations: dict[TraceKey, Invalidation] = field(default_factory=dict)
    building: set[TraceKey] = field(default_factory=set)
    numbers: dict[TraceKey, frozenset[int]] = field(default_factory=dict)
    cut_off: dict[TraceKey, frozenset[str]] = field(default_factory=dict)

    def read(self, tx: Transaction, keys: Sequence[TraceKey], live_terms: dict[TraceKey, int]) -> None:
        """Add what stands against ``keys``, given the terms that are live now."""
        for row in tx.conn.execute(_STANDING, {"keys": keys}).mappings():
            self._add(row, live_terms)

    def _add(self, row: RowMapping, live_terms: dict[TraceKey, int]) -> None:
        key, at = TraceKey(row["key"]), instant(row["at"])
        self.numbers[key] = self.numbers.get(key, frozenset()) | {row["id"]}
        if row["state"] == INVALIDATED:
            self.invalidations[key] = Invalidation(row["by"], at, row["detail"])
        elif row["state"] != OPEN:
            self.attempts[key] = AttemptProblem(AttemptState(row["state"]), row["run_id"], at, row["detail"])
        elif live_terms.get(key) != row["term"]:
            self.attempts[key] = AttemptProblem(AttemptState.INTERRUPTED, row["run_id"], at, row["detail"])
            self.cut_off[key] = self.cut_off.get(key, frozenset()) | {row["run_id"]}
        else:
            self.building.add(key)
