"""What was built while the state could not be reached, kept on this machine until the state can be told.

At the next contact each entry becomes a taint: nobody knows what the relation holds, so it is built (semantics §5).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from afresh.core.relation import TraceKey
from afresh.core.trace import AttemptState

if TYPE_CHECKING:
    from pathlib import Path

    from afresh.store import StateStore


class Journal:
    """A file of one JSON line per relation."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, key: TraceKey, run_id: str) -> None:
        """Note a relation. Raises ``OSError`` when the disk refuses."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "run_id": run_id}) + "\n")

    def has_entries(self) -> bool:
        """Whether there is anything to hand over."""
        return bool(self._entries())

    def hand_over(self, store: StateStore) -> int:
        """Tell the state about every entry and empty the journal; returns how many there were."""
        entries = self._entries()
        for key, run_id in entries:
            store.taint(key, detail="it was built while the state could not be reached", run_id=run_id, state=AttemptState.TAINTED)
        if entries:
            self._path.unlink()
        return len(entries)

    def _entries(self) -> list[tuple[TraceKey, str]]:
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [(TraceKey(entry["key"]), str(entry["run_id"])) for entry in map(_parsed, lines) if entry is not None]


def _parsed(line: str) -> dict[str, str] | None:
    """A line that was cut short by a crash is left out: its build has no trace either."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and "key" in found else None
