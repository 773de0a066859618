"""From a name to the tables and files that its data comes from: views are looked through until nothing but those is left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from afresh.core.version import Unknown
from afresh.warehouse.duckdb_catalog import Catalog, CatalogRelation, folded, folded_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from afresh.warehouse.duckdb_views import Reads, TableName
    from afresh.warehouse.names import Name

_SESSION = frozenset({"getvariable", "current_setting"})


@dataclass(frozen=True)
class Ground:
    """What the data of one relation comes from, and the definitions on the way."""

    tables: frozenset[Name] = frozenset()
    files: frozenset[str] = frozenset()
    definitions: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    missing: frozenset[str] = field(default_factory=frozenset)
    """Identifiers that the catalog was not asked about yet."""
    why_unknown: str | None = None

    @property
    def is_plain_table(self) -> bool:
        """Whether it is one table and nothing else."""
        return len(self.tables) == 1 and not (self.files or self.definitions)


NOWHERE = Ground()


def ground_of(relation: CatalogRelation, catalog: Catalog, asked: frozenset[str], seen: frozenset[Name] = frozenset()) -> Ground:
    """The ground of a table or view, as far as the catalog has been read (``asked``: the identifiers asked about)."""
    name = folded_name(relation.name)
    if relation.kind != "view":
        return Ground(tables=frozenset({name}))
    if name in seen:
        return NOWHERE
    from afresh.warehouse.duckdb_views import reads_of_view

    reads = reads_of_view(relation.sql)
    if isinstance(reads, Unknown):
        return Ground(why_unknown=f"the view {relation.name.identifier}: {reads.why}")
    return ground_of_reads(reads, catalog, asked, home=relation.name, seen=seen | {name}, definition=relation.sql)


def ground_of_reads(
    reads: Reads, catalog: Catalog, asked: frozenset[str], *, home: Name | None, seen: frozenset[Name], definition: str
) -> Ground:
    """The ground of everything that one definition reads."""
    parts = [
        Ground(
            files=frozenset(reads.files), functions=reads.functions, definitions=frozenset({definition}), why_unknown=_doubt(reads, catalog)
        )
    ]
    for table in reads.tables:
        parts.extend(_ground_of_table(table, catalog, asked, home=home, seen=seen))
    return _union(parts)


def _ground_of_table(
    table: TableName, catalog: Catalog, asked: frozenset[str], *, home: Name | None, seen: frozenset[Name]
) -> Iterator[Ground]:
    identifier = folded(table.parts[-1])
    if identifier not in asked:
        yield Ground(missing=frozenset({identifier}))
        return
    candidates = list(_candidates(table, catalog, home))
    if candidates:
        yield from (ground_of(candidate, catalog, asked, seen) for candidate in candidates)
    elif table.looks_like_a_file:
        yield Ground(files=frozenset({table.parts[0]}))
    elif not table.shadowed:
        yield Ground(why_unknown=f"it reads {'.'.join(table.parts)}, which is not in the catalog")


def _candidates(table: TableName, catalog: Catalog, home: Name | None) -> Iterator[CatalogRelation]:
    """Every relation the name may mean. More than one is no harm: the data is then taken to come from all of them.

    DuckDB looks into the view's own schema first, then along the search path of whoever reads it. A two-part name is a
    schema's or a database's.
    """
    *where, identifier = (folded(part) for part in table.parts)
    same = {name: relation for name, relation in catalog.relations.items() if name.identifier == identifier}
    if not where and home is not None:
        own = same.get(folded_name(type(home)(home.database, home.schema, identifier)))
        if own is not None and not any(name.database == "temp" for name in same):
            yield own
            return
    for name, relation in same.items():
        if _fits(where, name):
            yield relation


def _fits(where: Sequence[str], name: Name) -> bool:
    if not where:
        return True
    if len(where) == 1:
        return where[0] in (name.schema, name.database)
    return (name.database, name.schema) == (where[-2], where[-1])


def _doubt(reads: Reads, catalog: Catalog) -> str | None:
    macros = reads.functions & catalog.macros
    if macros:
        return f"it calls the macro {min(macros)}(), which may read anything"
    session = reads.functions & _SESSION
    return f"it depends on the session through {min(session)}()" if session else None


def _union(parts: Sequence[Ground]) -> Ground:
    return Ground(
        tables=frozenset().union(*(part.tables for part in parts)),
        files=frozenset().union(*(part.files for part in parts)),
        definitions=frozenset().union(*(part.definitions for part in parts)),
        functions=frozenset().union(*(part.functions for part in parts)),
        missing=frozenset().union(*(part.missing for part in parts)),
        why_unknown=next((part.why_unknown for part in parts if part.why_unknown is not None), None),
    )
