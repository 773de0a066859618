"""Tokens as text in named parts, so that two of them can be compared part by part and read by people.

``pg1 oid=16391 at=… columns=… writes=10/0/0 since=…``: the first word names the algorithm, then one ``name=value``
per part.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from afresh.core.observation import OutsideChange
from afresh.core.version import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.warehouse.probe import ProbeAnswer


def digest(*values: object) -> str:
    """A short name for ``values``, whatever characters they hold."""
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, default=str).encode()).hexdigest()[:20]


def write_token(algorithm: str, parts: Mapping[str, str]) -> str:
    """The token's text. Values hold no white space."""
    return " ".join([algorithm, *(f"{name}={value}" for name, value in parts.items())])


def token_parts(token: str) -> dict[str, str]:
    """The parts of a token, its algorithm under ``algorithm``."""
    algorithm, *parts = token.split(" ")
    return {"algorithm": algorithm, **dict(part.split("=", 1) for part in parts if "=" in part)}


def narrowed(token: str, to: str) -> str:
    """``token`` with those of its parts only that ``to`` has as well."""
    parts, kept = token_parts(token), token_parts(to)
    algorithm = parts.pop("algorithm")
    return write_token(algorithm, {name: value for name, value in parts.items() if name in kept})


_WHAT = {
    "algorithm": "it is now fingerprinted in another way",
    "oid": "it was replaced",
    "created": "it was replaced",
    "made": "it was replaced",
    "at": "it was replaced, truncated or rewritten",
    "columns": "its columns changed",
    "writes": "rows were written",
    "since": "the server's statistics were reset, so writes cannot be told",
    "definition": "its definition changed",
    "rows": "its number of rows changed",
    "hash": "its rows changed",
    "files": "files under it changed",
}


def compare_recorded(recorded: str, observed: ProbeAnswer, *, ignored: frozenset[str] = frozenset()) -> OutsideChange | None:
    """How what is observed differs from the parts that were recorded. Parts that were not recorded are not compared.

    An observation that is Unknown differs: nobody can say that nothing was written.
    """
    if isinstance(observed.version, Unknown):
        return OutsideChange(recorded, "", f"whether it was changed cannot be told: {observed.version.why}")
    now = token_parts(observed.version.token)
    differing = [name for name, value in token_parts(recorded).items() if name not in ignored and now.get(name) != value]
    if not differing:
        return None
    return OutsideChange(recorded, observed.version.token, "; ".join(_WHAT.get(name, f"{name} changed") for name in differing))
