"""Sets of names, written as running text: tables of a thousand functions are read and changed as words, not as punctuation."""

from __future__ import annotations


def names(text: str) -> frozenset[str]:
    """The words of ``text``."""
    return frozenset(text.split())
