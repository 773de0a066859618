"""What differs between two texts, as a unified diff."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from afresh.render.words import safe_lines

if TYPE_CHECKING:
    from afresh.render.views import TextChange


def unified(change: TextChange, context: int = 3) -> list[str]:
    """The lines of the diff, without line ends; empty when the lines are equal."""
    before, after = safe_lines(change.recorded), safe_lines(change.observed)
    return list(difflib.unified_diff(before, after, "last build", "now", n=context, lineterm=""))
