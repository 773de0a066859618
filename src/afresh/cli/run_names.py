"""What people call runs when they ask about them: ids, and how those begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.errors import UsageError

if TYPE_CHECKING:
    from afresh.store import StateStore

_MANY_RUNS = 1000


def run_called(store: StateStore, text: str) -> str:
    """The id of the one run that is called so.

    Raises:
        UsageError: there is none, or there are several.
    """
    found = [run.record.run_id for run in store.runs(_MANY_RUNS) if run.record.run_id.startswith(text.upper())]
    if len(found) == 1:
        return found[0]
    what = f"no run is called `{text}`" if not found else f"`{text}` stands for {len(found)} runs"
    raise UsageError(what, hint="The summary of a run and `run_results.json` name its id; give more of it.")
