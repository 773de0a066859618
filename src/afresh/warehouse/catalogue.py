"""What a warehouse's catalogue says of relations, and how one engine is asked about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from afresh.core.trace import Signature
from afresh.warehouse.asks import Failed, Rows
from afresh.warehouse.cells import unmarked_rows
from afresh.warehouse.names import Name
from afresh.warehouse.probe import Signal, Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from afresh.warehouse.asks import Answer, Probing
    from afresh.warehouse.dialect import Dialect
    from afresh.warehouse.view_sql import Part

TABLE, VIEW = "table", "view"
FIX = "add loaded_at_field or loaded_at_query to the source"
"""What helps where a warehouse does not tell whether a source changed."""


@dataclass(frozen=True)
class Seen:
    """What is known of one relation: the parts of its token, or a view's definition, or why there is neither."""

    kind: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    definition: str = ""
    exists: bool | None = True
    signature: Signature | None = None
    rows: int | None = None
    signal: Signal = Signal.METADATA
    strength: Strength = Strength.COARSE


Found = Mapping[Name, Seen]
"""What was found under each name; a name that is not in it does not exist."""


class Catalogue(Protocol):
    """How one engine is asked about names."""

    @property
    def algorithm(self) -> str:
        """What its tokens begin with."""

    @property
    def session_date_sql(self) -> str:
        """SQL for the current date."""

    @property
    def words(self) -> Dialect:
        """How it spells SQL."""

    def look(self, names: Sequence[Name]) -> Probing[Found]:
        """What there is under these names, in as few questions as it takes."""

    def named_in_view(self, parts: Sequence[Part], view: Name) -> Name | None:
        """The relation that a name in a view's definition stands for; ``None``: nobody can say."""


def refused(answer: Answer, what: str = "the catalogue") -> Seen:
    """What is known of a relation if the question about it was not answered with rows."""
    return Seen(why=f"{what} could not be read: {answer.reason if isinstance(answer, Failed) else 'no rows came back'}", exists=None)


def by_database(names: Iterable[Name]) -> dict[str, list[Name]]:
    """The names, grouped by database."""
    grouped: dict[str, list[Name]] = {}
    for name in names:
        grouped.setdefault(name.database, []).append(name)
    return grouped


def by_schema(names: Iterable[Name]) -> dict[tuple[str, str], list[Name]]:
    """The names, grouped by database and schema."""
    grouped: dict[tuple[str, str], list[Name]] = {}
    for name in names:
        grouped.setdefault((name.database, name.schema), []).append(name)
    return grouped


def where_named(words: Dialect, names: Iterable[Name], schema: str, identifier: str) -> str:
    """SQL that picks the rows of these relations of one database, by the columns that hold schema and identifier."""
    return " or ".join(
        f"({schema} = {words.literal(group[0].schema)} and {words.one_of(identifier, (name.identifier for name in group))})"
        for group in by_schema(names).values()
    )


def read_signatures(answer: Answer, database: str) -> dict[Name, Signature]:
    """Columns and types by relation, from rows of schema, identifier, position, column and type."""
    columns: dict[Name, list[tuple[int, str, str]]] = {}
    for row in unmarked_rows(answer) if isinstance(answer, Rows) else ():
        schema, identifier, position, column, kind = (cell or "" for cell in row)
        columns.setdefault(Name(database, schema, identifier), []).append((int(position), column, kind))
    return {name: Signature(tuple(entry[1:] for entry in sorted(found))) for name, found in columns.items()}
