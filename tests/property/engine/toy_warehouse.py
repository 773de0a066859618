"""A warehouse small enough to be right: relations that hold rows, and views that are computed when they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Rows = Mapping[int, int]
Read = Callable[[str], Rows]

_VALUES = 1009
DATE = "current_date"
"""What SQL reads that uses the date: one row with the day."""


class BrokenError(Exception):
    """The SQL reads something that is not there."""


@dataclass(frozen=True)
class Formula:
    """What a node computes, as a SELECT with all names resolved: a name is a relation, a formula is an inlined model.

    ``code`` stands for the text of the SELECT. ``empty`` is dbt's ``--empty``: every input is read without its rows.
    """

    code: int
    reads: tuple[str | Formula, ...] = ()
    literal: tuple[tuple[int, int], ...] = ()
    empty: bool = False

    def names(self) -> frozenset[str]:
        """Every relation that is read, through inlined models too."""
        deeper = (part.names() for part in self.reads if isinstance(part, Formula))
        return frozenset(part for part in self.reads if isinstance(part, str)).union(*deeper)


def answer(formula: Formula, read: Read) -> Rows:
    """The rows of a formula. Raises :class:`BrokenError` where an input is missing."""
    inputs = [read(part) if isinstance(part, str) else answer(part, read) for part in formula.reads]
    if formula.empty:
        return {}
    rows = dict(formula.literal)
    for weight, some in enumerate(inputs, start=1):
        for key, value in some.items():
            rows[key] = (rows.get(key, formula.code) + weight * value) % _VALUES
    return _SHAPES[formula.code % len(_SHAPES)](rows, formula.code)


def _all_rows(rows: Rows, _code: int) -> Rows:
    return rows


def _some_rows(rows: Rows, _code: int) -> Rows:
    return {key: value for key, value in rows.items() if value % 2 == 0}


def _only_keys(rows: Rows, code: int) -> Rows:
    return dict.fromkeys(rows, code)


def _total(rows: Rows, code: int) -> Rows:
    return {0: (code + sum(rows.values())) % _VALUES}


_SHAPES = (_all_rows, _some_rows, _only_keys, _total)


@dataclass(frozen=True)
class Stored:
    """A relation: the rows of a table, or the definition of a view. ``stamp`` is the number of the write that made it."""

    type: str
    rows: tuple[tuple[int, int], ...] = ()
    formula: Formula | None = None
    stamp: int = 0


class Warehouse:
    """Relations by name.

    ``by_content``: whether a token tells what a relation holds (as DuckDB's does) or counts its writes (as PostgreSQL's).
    ``cascades``: whether replacing a relation drops the views over it, as in PostgreSQL.
    """

    def __init__(self, *, by_content: bool, cascades: bool = False) -> None:
        self._by_content = by_content
        self._cascades = cascades
        self.relations: dict[str, Stored] = {}
        self.writes = 0
        self.day = 1

    # --- reading ------------------------------------------------------------------------------------------------------

    def read(self, name: str) -> Rows:
        """The rows of a relation now. Raises :class:`BrokenError`."""
        if name == DATE:
            return {0: self.day}
        found = self.relations.get(name)
        if found is None:
            raise BrokenError(name)
        return dict(found.rows) if found.formula is None else answer(found.formula, self.read)

    def holds(self, name: str) -> tuple[str, object]:
        """A relation's type and rows, to be compared with another warehouse's."""
        found = self.relations.get(name)
        if found is None:
            return "missing", None
        try:
            return found.type, dict(self.read(name))
        except BrokenError:
            return found.type, "broken"

    def own_token(self, name: str) -> str | None:
        """The token of the relation itself: of a view, its definition's."""
        if name == DATE:
            return f"day {self.day}"
        found = self.relations.get(name)
        if found is None:
            return None
        if not self._by_content:
            return f"write {found.stamp}"
        return hashlib.sha256(repr((found.type, found.rows, found.formula)).encode()).hexdigest()[:12]

    def data_token(self, name: str) -> str | None:
        """The token of what somebody reads there: of a view, its definition's and those of all under it."""
        found = self.relations.get(name)
        if found is None or found.formula is None:
            return self.own_token(name)
        below = [self.data_token(under) for under in sorted(found.formula.names())]
        return None if None in below else repr([self.own_token(name), *below])

    # --- writing ------------------------------------------------------------------------------------------------------

    def put_table(self, name: str, rows: Rows) -> None:
        """Replace whatever stands there by a table."""
        self._make_room(name)
        self.writes += 1
        self.relations[name] = Stored("table", tuple(sorted(rows.items())), stamp=self.writes)

    def put_view(self, name: str, formula: Formula) -> None:
        """Replace whatever stands there by a view. Raises :class:`BrokenError` where it could not be read."""
        answer(formula, self.read)
        self._make_room(name)
        self.writes += 1
        self.relations[name] = Stored("view", formula=formula, stamp=self.writes)

    def _make_room(self, name: str) -> None:
        if self._cascades and name in self.relations:
            over = [view for view, found in self.relations.items() if found.formula is not None and name in found.formula.names()]
            for view in over:
                self._make_room(view)
                self.relations.pop(view, None)

    def drop(self, name: str) -> None:
        """Drop a relation, if it is there."""
        if self.relations.pop(name, None) is not None:
            self.writes += 1
