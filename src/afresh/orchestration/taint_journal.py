"""What was built while the state could not be reached, kept on this machine until the state can be told.

At the next contact each entry becomes a taint: nobody knows what the relation holds, so it is built (semantics §5).
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from afresh.core.relation import TraceKey
from afresh.core.trace import AttemptState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from afresh.store import StateStore


class Journal:
    """A file of one JSON line per relation, shared by the processes of this machine.

    Whoever hands it over renames it first; whoever wrote into a file that was renamed meanwhile writes once more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unwritten: list[tuple[TraceKey, str]] = []

    def add(self, key: TraceKey, run_id: str) -> None:
        """Note a relation. Raises ``OSError`` when the disk refuses; then it is known to this process alone."""
        try:
            self._write(key, run_id)
        except OSError:
            self._unwritten.append((key, run_id))
            raise

    def _write(self, key: TraceKey, run_id: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"key": key, "run_id": run_id}) + "\n"
        while not self._append(line):
            pass

    def _append(self, line: str) -> bool:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            try:
                return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
            except FileNotFoundError:
                return False

    def has_entries(self) -> bool:
        """Whether there is anything to hand over."""
        return bool(self._unwritten) or any(_entries(file) for file in (self._path, *self._handed_over()))

    def _handed_over(self) -> Iterator[Path]:
        """Files that were renamed to be handed over; those that an earlier attempt has left, too."""
        return self._path.parent.glob(f"{self._path.name}.*")

    def hand_over(self, store: StateStore) -> int:
        """Tell the state about every entry and empty the journal; returns how many there were."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._path.rename(f"{self._path}.{uuid.uuid4().hex}")
        told: set[TraceKey] = set()
        while self._unwritten:
            told.add(_tell(store, *self._unwritten[-1]))
            self._unwritten.pop()
        for file in self._handed_over():
            told.update(_tell(store, key, run_id) for key, run_id in _entries(file))
            file.unlink(missing_ok=True)
        return len(told)


def cannot_be_noted(error: OSError) -> str:
    """What is said where not even a note can be kept."""
    return f"what is built now cannot even be noted down ({error}); run `afresh build --force` once the state is back"


def _tell(store: StateStore, key: TraceKey, run_id: str) -> TraceKey:
    store.taint(key, detail="it was built while the state could not be reached", run_id=run_id, state=AttemptState.TAINTED)
    return key


def _entries(file: Path) -> list[tuple[TraceKey, str]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
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
