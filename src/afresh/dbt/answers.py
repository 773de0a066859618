"""Answers that a rendering got from the warehouse: taken down as they come, kept in a small form, given again.

Answers about the node's *own* relation are given again when its code is compared (semantics §1: a node's own content is
never part of its code version). Answers about other relations are asked again; where the rows are the same, they are given
in the order of the record, because an engine owes no order to a query that asks for none.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from afresh.fingerprint.digest import digest_of, digest_of_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXECUTE = "execute"
GET_RELATION = "get_relation"
GET_COLUMNS = "get_columns_in_relation"
KEPT = (EXECUTE, GET_RELATION, GET_COLUMNS)

_MOST_ROWS = 1000
_ROW_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as dbt gave it to Jinja. ``question`` is the SQL, or the relation asked about."""

    method: str
    question: str
    value: Any

    @property
    def key(self) -> str:
        """What the same question is found by."""
        return answer_key(self.method, self.question)


def answer_key(method: str, question: str) -> str:
    """The key of a question to the warehouse."""
    return f"{method}:{digest_of_text(question)[:16]}"


def asked(method: str, args: Sequence[Any], kwargs: dict[str, Any], given: Any) -> Answer:
    """The answer that a call of one of the kept methods got."""
    return Answer(method, question_of(method, args, kwargs), given[1] if method == EXECUTE else given)


def question_of(method: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """What a call of one of the kept methods asks."""
    if method == GET_RELATION:
        given = dict(zip(("database", "schema", "identifier"), args, strict=False)) | kwargs
        return json.dumps([_text(given.get(name)) for name in ("database", "schema", "identifier")])
    first = args[0] if args else next(iter(kwargs.values()), "")
    return str(first)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


# --- rows -------------------------------------------------------------------------------------------------------------


def row_digests(table: Any) -> list[str] | None:
    """A short digest of each row of a table, in order; ``None`` for tables too large to keep."""
    if len(table.rows) > _MOST_ROWS:
        return None
    return [digest_of([_cell(value) for value in row])[:_ROW_DIGITS] for row in table.rows]


def in_order(table: Any, order: Sequence[str]) -> Any:
    """The table with its rows in the recorded order, if they are the recorded rows; else as it is."""
    digests = row_digests(table)
    if digests is None or digests == list(order) or Counter(digests) != Counter(order):
        return table
    places: dict[str, list[int]] = {}
    for place, digest in enumerate(digests):
        places.setdefault(digest, []).append(place)
    rows = [table.rows[places[digest].pop(0)] for digest in order]
    return type(table)(rows, table.column_names, table.column_types)


def kept_table(table: Any) -> dict[str, Any] | None:
    """A table in a form that JSON can hold; ``None`` where that is not possible without loss."""
    if len(table.rows) > _MOST_ROWS:
        return None
    rows = [[_cell(value) for value in row] for row in table.rows]
    if any(cell is not None and cell[0] == "?" for row in rows for cell in row):
        return None
    types = [type(column_type).__name__ for column_type in table.column_types]
    return {"names": list(table.column_names), "types": types, "rows": rows}


def given_again(kept: dict[str, Any], make: Callable[[list[list[Any]], list[str], list[str]], Any]) -> Any:
    """The table that was kept; ``make`` builds one from rows, names and names of types."""
    rows = [[_value(cell) for cell in row] for row in kept["rows"]]
    return make(rows, kept["names"], kept["types"])


def _cell(value: Any) -> list[str] | None:
    """A value as its kind and text."""
    if value is None:
        return None
    found: Any = value
    for kind, types in _KINDS:
        if isinstance(value, types):
            return [kind, str(found.isoformat() if kind in _ISO else found)]
    return ["?", repr(value)]


def _value(cell: list[str] | None) -> Any:
    return None if cell is None else _READERS[cell[0]](cell[1])


_KINDS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("b", (bool,)),
    ("i", (int,)),
    ("n", (decimal.Decimal,)),
    ("f", (float,)),
    ("t", (dt.datetime,)),
    ("d", (dt.date,)),
    ("s", (str,)),
)
_ISO = ("t", "d")
_READERS: dict[str, Callable[[str], Any]] = {
    "b": lambda text: text == "True",
    "i": int,
    "n": decimal.Decimal,
    "f": float,
    "t": dt.datetime.fromisoformat,
    "d": dt.date.fromisoformat,
    "s": str,
}
