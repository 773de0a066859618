"""Text in and out of SQL: quoting names and literals, and reading cells that nothing on the way has reinterpreted.

Answers may come through layers that turn whatever looks like a number, a date, a boolean or a null into one. So every
statement here returns text that starts with a mark, which looks like none of them.
"""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from afresh.warehouse.asks import Rows

MARK = "t:"
NULL_MARK = "n:"


def literal(text: str) -> str:
    """``text`` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """``name`` as a quoted identifier of engines that use double quotes."""
    return '"' + name.replace('"', '""') + '"'


def dotted(parts: Iterable[str]) -> str:
    """The parts that are not empty, quoted and joined by dots."""
    return ".".join(quoted(part) for part in parts if part)


def marked(expression: str, text_type: str = "varchar") -> str:
    """SQL for ``expression`` as marked text; NULL has a mark of its own."""
    return f"coalesce({literal(MARK)} || cast({expression} as {text_type}), {literal(NULL_MARK)})"


def session_date_at(moment: datetime) -> str:
    """SQL for the date that a moment has in the session's own settings, as one marked text."""
    instant = f"cast({literal(moment.astimezone(timezone.utc).isoformat())} as timestamp with time zone)"
    return f"select {marked(f'cast({instant} as date)')} as answer"


def marked_columns(*expressions: str, text_type: str = "varchar") -> str:
    """A select list of marked texts, each column with a name of its own."""
    return ", ".join(f"{marked(expression, text_type)} as c{at}" for at, expression in enumerate(expressions, start=1))


def unmarked(cell: object) -> str | None:
    """The text behind the mark, ``None`` for SQL's NULL.

    Raises:
        ValueError: the cell is not marked text, so something on the way has changed it.
    """
    if isinstance(cell, str) and cell.startswith(MARK):
        return cell[len(MARK) :]
    if cell == NULL_MARK:
        return None
    raise ValueError(f"a marked text was expected from the warehouse, not {cell!r}")


def unmarked_rows(answer: Rows) -> tuple[tuple[str | None, ...], ...]:
    """All cells of an answer whose statement marked every column."""
    return tuple(tuple(unmarked(cell) for cell in row) for row in answer.rows)
