"""Identities of runs and builds: ULIDs, which sort by the time they were made."""

from __future__ import annotations

from ulid import ULID


def new_id() -> str:
    """A fresh ULID as text."""
    return str(ULID())
