"""Columns, wrapping and colour for a terminal of a given width. Widths count columns, so colour is put on last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.render.words import display_width, padded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NARROWEST = 60
"""Below this many columns nothing is aligned any more; it is laid out for this many."""

_ANSI = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Puts colour on text, or leaves it alone: whether to is the caller's knowledge (``NO_COLOR``, pipes, files)."""

    on: bool

    def __call__(self, text: str, *styles: str) -> str:
        """``text`` in these styles: ``bold``, ``dim`` or a colour."""
        if not (self.on and styles and text):
            return text
        return f"\x1b[{';'.join(_ANSI[style] for style in styles)}m{text}\x1b[0m"


def wrapped(text: str, width: int) -> list[str]:
    """``text`` broken between words into lines of at most ``width`` columns; a longer word keeps its line, so that it can be copied."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and display_width(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def hanging(head: str, text: str, *, indent: int, width: int) -> list[str]:
    """``head`` in a column of ``indent`` columns, and ``text`` beside it."""
    first, *rest = wrapped(text, max(width - indent, NARROWEST // 2))
    return [padded(head, indent) + first, *(" " * indent + line for line in rest)]


def cut(line: str, width: int) -> str:
    """``line`` without what does not fit into ``width`` columns."""
    if display_width(line) <= width:
        return line
    while display_width(line) > width - 1:
        line = line[:-1]
    return line + "…"


def columns(rows: Sequence[Sequence[str]], gap: int = 2) -> Iterator[list[str]]:
    """The cells of each row filled to the widths of their columns; the last column is left as it is."""
    widths = [max(display_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield [padded(cell, width + gap) for cell, width in zip(row[:-1], widths[:-1], strict=True)] + [row[-1]]


def contrasted(recorded: str, observed: str, width: int) -> tuple[str, str]:
    """Two values cut to ``width`` columns around the place where they begin to differ, so that the difference stays visible."""
    if max(display_width(recorded), display_width(observed)) <= width:
        return recorded, observed
    shortest, longest = sorted((len(recorded), len(observed)))
    same = next((place for place in range(shortest) if recorded[place] != observed[place]), shortest)
    start = max(0, min(same - 3, longest - width + 1))
    return _window(recorded, start, width), _window(observed, start, width)


def _window(text: str, start: int, width: int) -> str:
    head = "…" if start else ""
    rest = text[start:]
    room = width - len(head)
    return head + (rest if len(rest) <= room else rest[: room - 1] + "…")
