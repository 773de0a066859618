"""What a state is like from outside: where it is, how large, which schema it has, and whether this user may write it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from afresh.store.address import SqliteFile, parse_address
from afresh.store.opening import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from afresh.store.records import StateFacts


def inspect_state(url: str, *, base: Path | None = None) -> StateFacts:
    """Look at a state without making, migrating or writing anything.

    Raises:
        UsageError: the url is wrong, or the driver it needs is not installed.
        StateUnavailableError: it cannot be opened or read, or belongs to a later Afresh.
    """
    address = parse_address(url, base)
    with open_store(url, base=base, read_only=True) as store:
        facts = store.facts()
    if not isinstance(address, SqliteFile):
        return facts
    existing = next((path for path in (address.path, *address.path.parents) if path.exists()), address.path.parent)
    return replace(facts, not_writable=_not_writable(address.path, existing))


def _not_writable(file: Path, existing: Path) -> str | None:
    """A file is written together with others beside it; what is not there yet is made in the first folder above that is."""
    asked = [existing, file.parent] if existing == file else [existing]
    closed = next((path for path in asked if not os.access(path, os.W_OK)), None)
    return None if closed is None else f"this user may not write {closed}"
