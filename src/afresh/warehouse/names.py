"""How an engine folds the names that people write into the one name a relation has.

Two spellings of one table must give one key (else each job is blind to the other's builds), and two tables must never
share one. Where nobody can say, the answer is :class:`Ambiguous` and the node is built (semantics §1, "Relation").
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from afresh.core.relation import Relation


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """The three parts of a relation's name; a part that does not apply is empty."""

    database: str
    schema: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Quoting:
    """Which parts the SQL will quote (dbt's quote policy)."""

    database: bool = True
    schema: bool = True
    identifier: bool = True


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Nobody can say which relation a name stands for. ``why`` is one sentence for people."""

    why: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """One attached database: the warehouse it lives in (``None``: never remembered) and the name it has there for everybody."""

    warehouse: str | None
    database: str


@dataclass(frozen=True)
class Identity:
    """Which warehouse a connection reaches, and, where one connection reaches several, which database lives where.

    ``warehouse`` is ``None`` where nothing may be remembered: an in-memory database is gone with its process.
    """

    warehouse: str | None
    catalogs: Mapping[str, Catalog] = field(default_factory=dict)

    def locate(self, name: Name) -> Relation | None:
        """The relation under which every job finds what ``name`` (already folded) stands for; ``None``: never remembered."""
        catalog = self.catalogs.get(name.database, Catalog(self.warehouse, name.database))
        if catalog.warehouse is None:
            return None
        return Relation(catalog.warehouse, catalog.database, name.schema, name.identifier)


_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def upper(name: str) -> str:
    """ASCII letters in upper case."""
    return name.translate(_UPPER)


def lower(name: str) -> str:
    """ASCII letters in lower case."""
    return name.translate(_LOWER)
