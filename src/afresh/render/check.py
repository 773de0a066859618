"""What a check found that is not current, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.render.json import document, document_text, node_json
from afresh.render.layout import NARROWEST, Paint, wrapped
from afresh.render.status_json import lease_json
from afresh.render.text import row_text
from afresh.render.words import counted, display_width, one_line, padded, run_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from afresh.render.views import LeaseLine, PlanRow

_WORDS = {"build": "to build", "clone": "to clone", "skip": "skipped", "undetermined": "not known", "reuse": "tolerated"}


@dataclass(frozen=True)
class Checked:
    """Every node that was looked at. ``building``: who is building it just now, by node."""

    target: str
    rows: tuple[PlanRow, ...]
    building: Mapping[str, LeaseLine]
    allow_tolerated: bool = False

    @property
    def tolerated(self) -> int:
        """How many of the current nodes are behind their inputs, as a setting allows and the asker too."""
        return sum(1 for row in self.current if row.confidence != "verified")

    @property
    def current(self) -> tuple[PlanRow, ...]:
        """Nodes of which nobody can say that they are stale."""
        return tuple(row for row in self.rows if self._is_current(row))

    @property
    def stale(self) -> tuple[PlanRow, ...]:
        """All others: those that are stale, and those of which it is not known."""
        return tuple(row for row in self.rows if not self._is_current(row))

    def _is_current(self, row: PlanRow) -> bool:
        if row.decision != "reuse" or row.unique_id in self.building:
            return False
        return row.confidence == "verified" or self.allow_tolerated


def check_text(checked: Checked, *, width: int, color: bool) -> str:
    """One line if everything is current, else what is not, and why."""
    if not checked.stale:
        return f"{_current(checked)}\n"
    paint, width = Paint(color), max(width, NARROWEST)
    are = "is" if len(checked.stale) == 1 else "are"
    head = f"{len(checked.stale):,} of {counted(len(checked.rows), 'node')} {are} not current:"
    return "\n".join([paint(head, "bold", "yellow"), *_lines(checked, width)]) + "\n"


def _current(checked: Checked) -> str:
    are = "is" if len(checked.rows) == 1 else "are"
    behind = f", {checked.tolerated:,} of them behind, as a setting allows" if checked.tolerated else ""
    return f"{counted(len(checked.rows), 'node')} {are} current{behind}"


def _lines(checked: Checked, width: int) -> Iterator[str]:
    cells = [(f"  {one_line(row.name)}", _word(row, checked), _why(row, checked)) for row in checked.stale]
    names, words = (max(display_width(cell[at]) for cell in cells) + 2 for at in (0, 1))
    names = min(names, width * 2 // 5)
    for name, word, why in cells:
        first, *rest = wrapped(why, max(width - names - words, NARROWEST // 2))
        alone = display_width(name) >= names
        if alone:
            yield name
        yield padded("" if alone else name, names) + padded(word, words) + first
        yield from (" " * (names + words) + line for line in rest)


def _word(row: PlanRow, checked: Checked) -> str:
    return "being built" if row.unique_id in checked.building else _WORDS[row.decision]


def _why(row: PlanRow, checked: Checked) -> str:
    held = checked.building.get(row.unique_id)
    return row_text(row) if held is None else f"run {run_text(held.run_id)} on {held.host} is building it now"


def check_json(checked: Checked) -> str:
    """The document: the nodes that are not current, and who is building them."""
    stale: Sequence[PlanRow] = checked.stale
    whole = document("check", [node_json(row) for row in stale], run_id=None, target=checked.target)
    leases = [lease_json(checked.building[row.unique_id]) for row in stale if row.unique_id in checked.building]
    return document_text({**whole, "current": not stale, "checked": len(checked.rows), "leases": leases})
