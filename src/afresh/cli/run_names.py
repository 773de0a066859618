"""What people call runs when they ask about them: ids, and how those begin."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from afresh.errors import UsageError

if TYPE_CHECKING:
    from afresh.store import StateStore

_MANY_RUNS = 1000
_HINT = "`afresh runs list` and `run_results.json` name the ids of runs; give more of it."


def run_called(store: StateStore, text: str) -> str:
    """The id of the one run that is called so.

    Raises:
        UsageError: there is none, or there are several.
    """
    ids = [run.record.run_id for run in store.runs(_MANY_RUNS)]
    found = [run_id for run_id in ids if run_id.startswith(text.upper())]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"`{text}` stands for {len(found)} runs", hint=_HINT)
    near = difflib.get_close_matches(text.upper(), [run_id[: len(text)] for run_id in ids], n=1)
    meant = [run_id for run_id in ids if near and run_id.startswith(near[0])]
    raise UsageError(f"no run is called `{text}`", hint=f"Did you mean `{meant[0]}`?" if len(meant) == 1 else _HINT)


def refuse_without_runs(store: StateStore) -> None:
    """Make sure that a run is recorded.

    Raises:
        UsageError: there is none.
    """
    if not store.runs(1):
        raise UsageError("no run is recorded", where=store.place, hint="Any build is a run, for example `afresh build`.")
