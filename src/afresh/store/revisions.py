"""Which program may work on which schema. Pure.

A revision of the schema is named by its number, ``0002``, and by the oldest revision whose programs go on working on it:
``0002_from_0001`` only adds what programs of revision 0001 need not know (*expand*); ``0003_from_0002`` takes away what only
those of 0001 used (*contract*). The name is all that an older program learns of a revision that came after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"(\d{4})(?:_from_(\d{4}))?")


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision, and the oldest one whose programs work on it."""

    number: int
    oldest: int


def revision_of(name: str) -> Revision | None:
    """What a name says, if it is one."""
    found = _NAME.fullmatch(name)
    return None if found is None else Revision(int(found[1]), int(found[2] or found[1]))


def is_usable(version: str, head: str) -> bool:
    """Whether a program whose newest revision is ``head`` works on a schema of revision ``version`` as it is."""
    schema, ours = revision_of(version), revision_of(head)
    return schema is not None and ours is not None and schema.oldest <= ours.number <= schema.number
