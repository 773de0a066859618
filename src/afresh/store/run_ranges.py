"""A set of run numbers as a short text, ``5-7,9``: which runs came to one and the same verdict. Pure."""

from __future__ import annotations

Ranges = list[tuple[int, int]]


def with_run(text: str, number: int) -> str:
    """``text`` with ``number`` in it."""
    merged: Ranges = []
    for first, last in sorted([*spans(text), (number, number)]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in merged)


def has_run(text: str, number: int) -> bool:
    """Whether ``number`` is in it."""
    return any(first <= number <= last for first, last in spans(text))


def spans(text: str) -> Ranges:
    """The first and the last number of each piece."""
    pieces = [piece.partition("-") for piece in text.split(",") if piece]
    return [(int(first), int(last or first)) for first, _, last in pieces]
