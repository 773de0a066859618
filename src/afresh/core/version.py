"""Versions of data and of code, and how two of them compare.

A data version is :class:`Known` or :class:`Unknown`; Unknown equals nothing, itself included. A code version is a set
of named parts, so that a difference can be named (semantics §1).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CODE_ALGORITHM = 1
"""The number of the algorithm that derives code versions; a new number re-derives, it never rebuilds by itself.

What was read in execution only, and values that may be secret, are kept as digests alone: these compare as they were recorded.
"""


def _algorithm_now() -> int:
    return CODE_ALGORITHM


@dataclass(frozen=True, slots=True)
class Known:
    """A version that was read or derived; two Known versions with one token stand for the same data."""

    token: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say which data this is. ``why`` is one sentence for people."""

    why: str


DataVersion = Known | Unknown

REBUILT = Unknown("this run rebuilds it")
"""The version, in a plan, of what will have another one by the time it is read."""


def same_data(recorded: DataVersion | None, observed: DataVersion) -> bool:
    """Whether both are Known and equal: the only way in which data counts as unchanged."""
    return isinstance(recorded, Known) and isinstance(observed, Known) and recorded.token == observed.token


class PartGroup(str, Enum):
    """What a difference in a part of the code version means."""

    CODE = "code"
    METADATA = "metadata"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Part:
    """One named part of a code version.

    ``digest`` decides equality; ``shown`` is a short value for people (never a secret), empty where there is none.
    """

    digest: str
    group: PartGroup = PartGroup.CODE
    shown: str = ""


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part that differs: its name, its group, and what was recorded and is seen now, as shown to people."""

    name: str
    group: PartGroup
    recorded: str
    observed: str


@dataclass(frozen=True)
class CodeVersion:
    """What a node would compute, in named parts."""

    parts: Mapping[str, Part] = field(default_factory=dict)
    algorithm: int = field(default_factory=_algorithm_now)

    @property
    def is_comparable(self) -> bool:
        """Whether its digests were derived as they are now; else only what was kept of the code can be compared."""
        return self.algorithm == CODE_ALGORITHM

    @property
    def digest(self) -> str:
        """One token for all the parts that count as code."""
        counted = sorted((name, part.digest) for name, part in self.parts.items() if part.group is PartGroup.CODE)
        return hashlib.sha256(json.dumps([self.algorithm, counted]).encode()).hexdigest()[:32]


_ABSENT = Part(digest="", shown="(absent)")


def changed_parts(recorded: CodeVersion, observed: CodeVersion) -> tuple[PartChange, ...]:
    """Every part that differs between two code versions, by name; parts on one side only count as differing."""
    names = sorted(set(recorded.parts) | set(observed.parts))
    return tuple(
        PartChange(name, (observed.parts.get(name) or recorded.parts[name]).group, before.shown, after.shown)
        for name in names
        for before, after in [(recorded.parts.get(name, _ABSENT), observed.parts.get(name, _ABSENT))]
        if before.digest != after.digest
    )
