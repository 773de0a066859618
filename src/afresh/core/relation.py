"""The identity of everything Afresh remembers: the physical relation, or the test that reads relations.

Never the job, the node id or the target name (semantics §1, "Relation").
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Iterable

TraceKey = NewType("TraceKey", str)
"""What a trace is about: the key of a relation, or of a test on a set of relations."""


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """One table, view or function in one warehouse, with names already normalised as the engine folds them."""

    warehouse: str
    database: str
    schema: str
    identifier: str

    @property
    def key(self) -> TraceKey:
        """The one spelling under which every job finds this relation; unambiguous for any characters in the names."""
        return TraceKey(json.dumps([self.warehouse, self.database, self.schema, self.identifier], ensure_ascii=False))

    @property
    def name(self) -> str:
        """``database.schema.identifier`` for people; empty parts are left out."""
        return ".".join(part for part in (self.database, self.schema, self.identifier) if part)


def relation_of_key(key: TraceKey) -> Relation | None:
    """The relation that ``key`` names, or ``None`` when it is the key of a test."""
    parts = json.loads(key)
    return Relation(*parts) if len(parts) == len(Relation.__slots__) else None


def test_key(unique_id: str, warehouse: str, reads: Iterable[TraceKey]) -> TraceKey:
    """The key of a test: its ``unique_id`` and the set of relations it reads (semantics §1: tests have no relation)."""
    digest = hashlib.sha256("\n".join(sorted(set(reads))).encode()).hexdigest()[:16]
    return TraceKey(json.dumps(["test", warehouse, unique_id, digest, ""], ensure_ascii=False))
