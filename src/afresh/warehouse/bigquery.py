"""BigQuery: when a table was last modified, from the meta-table of its dataset.

The time moves with load jobs, DML and changed schemas or labels. The number of rows stands beside it, because partitions that expire are no
job. Rows that are streamed in count only when BigQuery takes them out of its buffer, up to 90 minutes later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse.asks import Answer, AskSql, Rows, settled
from afresh.warehouse.catalogue import FIX, TABLE, VIEW, Seen, by_schema, refused
from afresh.warehouse.cells import unmarked_rows
from afresh.warehouse.dialect import Dialect
from afresh.warehouse.names import Ambiguous, Identity, Name, Quoting
from afresh.warehouse.probe import Strength
from afresh.warehouse.server_engine import ServerEngine
from afresh.warehouse.tokens import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from afresh.warehouse.asks import Probing
    from afresh.warehouse.catalogue import Found
    from afresh.warehouse.view_sql import Part

_WORDS = Dialect("bigquery", text="cast({} as string)", quotes=("`", "`"), escapes=True, escapes_in_names=True)
_KINDS = {"1": TABLE, "2": VIEW, "3": "external"}
_THREE_PARTS = 3


@dataclass(frozen=True, slots=True)
class _Row:
    """One table of a dataset."""

    identifier: str
    kind: str
    created: str
    modified: str
    rows: str

    @property
    def is_complete(self) -> bool:
        return bool(self.created and self.modified)


@dataclass(frozen=True, slots=True)
class BigQuery(ServerEngine):
    """dbt-bigquery."""

    adapter_type: str = "bigquery"
    dialect: str = "bigquery"
    algorithm: str = "bigquery1"
    words: Dialect = _WORDS
    tells_own_rows: bool = True
    lasting: frozenset[str] = frozenset({"created"})
    replaces_drop_views: bool = False
    session_date_sql: str = f"select {_WORDS.marked('current_date()')} as answer"

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:  # noqa: ARG002 - quoting does not matter here
        """Names are case-sensitive, quoted or not."""
        return name

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """The project that the profile names; the projects of relations are part of their names."""
        project = str(credentials.get("project") or credentials.get("database") or "").lower()
        return settled(Identity(f"bigquery://{project}" if project else None))

    def named_in_view(self, parts: Sequence[Part], view: Name) -> Name | None:  # noqa: ARG002 - one shape for all engines
        """Only names with their project: without, it is the project of whoever asks."""
        return Name(*(part.text for part in parts)) if len(parts) == _THREE_PARTS else None

    def look(self, names: Sequence[Name]) -> Probing[Found]:
        """One question per dataset, and one more for its views."""
        found = dict((yield from self.glance(names)))
        views = by_schema(name for name, seen in found.items() if seen.kind == VIEW)
        answers = yield tuple(_ask_views(group) for group in views.values())
        for group, answer in zip(views.values(), answers, strict=True):
            rows = unmarked_rows(answer) if isinstance(answer, Rows) else ()
            texts = {identifier: text or "" for identifier, text in rows}
            found.update({name: Seen(VIEW, definition=texts.get(name.identifier, "")) for name in group})
        return found

    def glance(self, names: Sequence[Name]) -> Probing[Found]:
        """One question per dataset."""
        odd = {name: Seen(why=_why_odd(name), exists=None) for name in names if _why_odd(name)}
        datasets = by_schema(name for name in names if name not in odd)
        answers = yield tuple(_ask_tables(group) for group in datasets.values())
        found: dict[Name, Seen] = dict(odd)
        for group, answer in zip(datasets.values(), answers, strict=True):
            found.update(_read_tables(group, answer))
        return found


def _why_odd(name: Name) -> str:
    if name.schema.upper() == "INFORMATION_SCHEMA":
        return "it is a view of the catalogue"
    if any(mark in name.identifier for mark in "$@"):
        return f"{name.identifier} names a part of a table or a moment of it, of which BigQuery does not tell when it changed"
    return "" if name.database else "its project is not named"


def _in_dataset(name: Name, what: str) -> str:
    return f"{_WORDS.dotted((name.database, name.schema))}.{what}"


def _prefix(name: Name) -> str | None:
    """What the names of the tables behind a wildcard begin with."""
    return name.identifier[:-1] if name.identifier.endswith("*") else None


def _ask_tables(names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns("table_id", "type", "creation_time", "last_modified_time", "row_count")
    plain = [name.identifier for name in names if _prefix(name) is None]
    wanted = [_WORDS.one_of("table_id", plain)] if plain else []
    wanted += [f"starts_with(table_id, {_WORDS.literal(prefix)})" for name in names if (prefix := _prefix(name)) is not None]
    sql = f"select {columns} from {_in_dataset(names[0], '`__TABLES__`')} where {' or '.join(wanted)}"
    return AskSql(sql, names[0].database, f"{len(names)} relations of {names[0].schema}")


def _ask_views(names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns("table_name", "view_definition")
    where = _WORDS.one_of("table_name", (name.identifier for name in names))
    sql = f"select {columns} from {_in_dataset(names[0], 'INFORMATION_SCHEMA.VIEWS')} where {where}"
    return AskSql(sql, names[0].database, f"definitions of {len(names)} views")


def _read_tables(names: Sequence[Name], answer: Answer) -> dict[Name, Seen]:
    if not isinstance(answer, Rows):
        return dict.fromkeys(names, refused(answer))
    rows = {row.identifier: row for row in (_Row(*(cell or "" for cell in cells)) for cells in unmarked_rows(answer))}
    found = {}
    for name in names:
        prefix = _prefix(name)
        if prefix is not None:
            shards = [row for identifier, row in sorted(rows.items()) if identifier.startswith(prefix) and row.kind == "1"]
            found.update({name: _wildcard(shards)} if shards else {})
        elif name.identifier in rows:
            found[name] = _table(rows[name.identifier])
    return found


def _table(row: _Row) -> Seen:
    kind = _KINDS.get(row.kind, "special")
    if kind == VIEW:
        return Seen(VIEW)
    if kind != TABLE:
        return Seen(kind, why=f"it is no ordinary table, and of its data BigQuery does not tell when they changed: {FIX}")
    if not row.is_complete:
        return Seen(kind, why=f"BigQuery does not tell when it was last modified: {FIX}")
    parts = {"created": row.created, "modified": row.modified, "rows": row.rows}
    return Seen(TABLE, parts, rows=int(row.rows) if row.rows else None, strength=Strength.LATE)


def _wildcard(shards: Iterable[_Row]) -> Seen:
    """All tables behind a wildcard as one."""
    listed = list(shards)
    if not all(shard.is_complete for shard in listed):
        return Seen(TABLE, why=f"BigQuery does not tell of all its tables when they were last modified: {FIX}")
    parts = {
        "shards": str(len(listed)),
        "modified": digest(*((shard.identifier, shard.created, shard.modified, shard.rows) for shard in listed)),
    }
    return Seen(TABLE, parts, rows=sum(int(shard.rows or 0) for shard in listed), strength=Strength.LATE)
