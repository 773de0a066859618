"""How one engine spells names, text and moments in its SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse.cells import MARK, NULL_MARK

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Dialect:
    """What our own SQL needs to know of an engine. The defaults are standard SQL."""

    name: str = ""
    """What sqlglot calls it."""
    text: str = "cast({} as varchar)"
    """An expression as text, with nothing of it lost."""
    now: str = "current_timestamp"
    concat: str = "||"
    quotes: tuple[str, str] = ('"', '"')
    escapes: bool = False
    """Whether a backslash means something in a string."""
    escapes_in_names: bool = False
    """Whether it does so in a quoted name too."""
    prefix: str = ""
    """What stands before a string, so that no character of it is lost."""

    def literal(self, text: str) -> str:
        """``text`` as a string."""
        if self.escapes:
            return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return f"{self.prefix}'" + text.replace("'", "''") + "'"

    def quoted(self, name: str) -> str:
        """``name`` as a quoted name."""
        opening, closing = self.quotes
        if self.escapes_in_names:
            return opening + name.replace("\\", "\\\\").replace(closing, f"\\{closing}") + closing
        return opening + name.replace(closing, closing * 2) + closing

    def dotted(self, parts: Iterable[str]) -> str:
        """The parts that are not empty, quoted and joined by dots."""
        return ".".join(self.quoted(part) for part in parts if part)

    def marked(self, expression: str) -> str:
        """SQL for ``expression`` as marked text (:mod:`afresh.warehouse.cells`)."""
        return f"coalesce('{MARK}' {self.concat} {self.text.format(expression)}, '{NULL_MARK}')"

    def marked_columns(self, *expressions: str) -> str:
        """A select list of marked texts, each column with a name of its own."""
        return ", ".join(f"{self.marked(expression)} as c{at}" for at, expression in enumerate(expressions, start=1))

    def one_of(self, column: str, values: Iterable[str]) -> str:
        """SQL that says whether ``column`` is one of ``values``."""
        return f"{column} in ({', '.join(self.literal(value) for value in sorted(set(values)))})"


STANDARD = Dialect()
