"""One spelling for every value, and one digest for every spelling.

Two values have equal digests only if dbt could not tell them apart: types are kept (``1``, ``"1"`` and ``True`` differ),
the order of mappings and sets is not, the order of lists is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any

DIGEST_LENGTH = 32
"""Hexadecimal digits kept of a SHA-256: 128 bits, far beyond accidental collisions, half the state file."""

_SHOWN_LENGTH = 60


def digest_of_text(text: str) -> str:
    """The digest of a text, exactly as spelled. Lone surrogates, which UTF-8 refuses, keep their own spelling."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]


def digest_of(value: object) -> str:
    """The digest of a plain value: mappings, lists, strings, numbers, dates, ``None``."""
    return digest_of_text(spelled(value))


def spelled(value: object) -> str:
    """The one spelling of a plain value."""
    return json.dumps(_plain(value), ensure_ascii=True, separators=(",", ":"), allow_nan=True)


def shown(value: object) -> str:
    """A short form of a value for people; long ones are cut."""
    text = value if isinstance(value, str) else str(value.value) if isinstance(value, Enum) else json.dumps(_readable(value), default=str)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"


def _plain(value: object) -> Any:  # noqa: ANN401 - the shape that json takes
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        # Keys keep their type, and the list form keeps a mapping apart from every list of pairs.
        return {"map": sorted(([_plain(key), _plain(item)] for key, item in value.items()), key=lambda pair: json.dumps(pair[0]))}
    if isinstance(value, AbstractSet):
        return {"set": sorted((_plain(item) for item in value), key=json.dumps)}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_plain(item) for item in value]
    return {"type": type(value).__name__, "repr": repr(value)}


def _readable(value: object) -> Any:  # noqa: ANN401 - the shape that json takes
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _readable(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((_readable(item) for item in value), key=str)
    if isinstance(value, (list, tuple)):
        return [_readable(item) for item in value]
    return value
