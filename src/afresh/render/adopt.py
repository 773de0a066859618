"""What became of nodes that were to be adopted, and what is left to trust, for a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.render.layout import NARROWEST, Paint, hanging
from afresh.render.words import display_width, moment_text, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class AdoptLine:
    """One node: what became of it, in words (its relation, or why it was not adopted)."""

    name: str
    told: str


@dataclass(frozen=True)
class AdoptView:
    """What a command has done, or would do. ``dated`` and ``assumed`` are inputs that are taken as unchanged, and why.

    ``unseen``: variables of nodes whose values then nobody knows.
    """

    began: datetime
    ended: datetime
    now: datetime
    adopted: tuple[AdoptLine, ...]
    refused: tuple[AdoptLine, ...]
    dated: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    tests: int = 0
    dry_run: bool = False


def adopt_text(view: AdoptView, *, width: int, color: bool) -> str:
    """The nodes that were adopted, those that were not and why, and what rests on the user's word."""
    paint, width = Paint(color), max(width, NARROWEST)
    blocks = [*_nodes(view, paint, width), *_trust(view, paint, width)]
    if view.tests:
        are = "A test is" if view.tests == 1 else f"{view.tests:,} tests are"
        blocks.append([f"{are} selected too: tests are not adopted, so each runs once."])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _nodes(view: AdoptView, paint: Paint, width: int) -> Iterator[list[str]]:
    would = "Would be adopted" if view.dry_run else "Adopted"
    as_of = f"as the run of {moment_text(view.began, view.now)} built them"
    if view.adopted:
        head = f"{would}, {as_of} ({len(view.adopted):,})"
        yield [paint(head, "bold", "green"), *_lines(view.adopted, width)]
    if view.refused:
        yield [paint(f"Not adopted, built at the next run ({len(view.refused):,})", "bold", "yellow"), *_lines(view.refused, width)]


def _lines(lines: Sequence[AdoptLine], width: int) -> Iterator[str]:
    column = min(max(display_width(one_line(line.name)) for line in lines) + 4, width // 2)
    for line in lines:
        name = f"  {one_line(line.name)}"
        if display_width(name) >= column:
            yield name
            name = ""
        yield from hanging(name, one_line(line.told), indent=column, width=width)


def _trust(view: AdoptView, paint: Paint, width: int) -> Iterator[list[str]]:
    """Loud, because nothing will ever tell if one of these is wrong."""
    if not view.adopted:
        return
    ended = moment_text(view.ended, view.now)
    points = [
        f"nobody else has written to these relations since that run ended, {ended}",
        *(f"{one} – what came later with an earlier date is not seen" for one in view.dated),
        *(f"{one} has not changed since, on your word (--assume-unchanged)" for one in view.assumed),
        *(f"{one} had the value that it has now: only a hook, or another branch of is_incremental(), reads it" for one in view.unseen),
    ]
    told = [line for point in points for line in hanging("  •", one_line(point), indent=4, width=width)]
    yield [paint("Taken on trust, because nobody can see it", "bold", "yellow"), *told]
