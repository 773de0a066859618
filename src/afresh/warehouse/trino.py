"""Trino: what the tables' own formats record, read through the connectors' metadata tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.warehouse.asks import Answer, AskSql, Rows
from afresh.warehouse.catalogue import FIX, TABLE, VIEW, Seen, by_database, read_signatures, refused, where_named
from afresh.warehouse.cells import unmarked_rows
from afresh.warehouse.delta import COMMITS, seen_of_commits
from afresh.warehouse.dialect import Dialect
from afresh.warehouse.iceberg import ask_snapshots, read_snapshots
from afresh.warehouse.names import Ambiguous, Name, Quoting, lower
from afresh.warehouse.server_engine import ServerEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.warehouse.asks import Probing
    from afresh.warehouse.catalogue import Found

_WORDS = Dialect("trino")
_ICEBERG, _DELTA = "iceberg", "delta_lake"
_CONNECTORS = AskSql(
    f"select {_WORDS.marked_columns('catalog_name', 'connector_name')} from system.metadata.catalogs",
    None,
    "which connector each catalog has",
)


@dataclass(frozen=True, slots=True)
class Trino(ServerEngine):
    """dbt-trino, also on Starburst. Iceberg and Delta Lake tables have a signal; tables of other connectors have none."""

    adapter_type: str = "trino"
    dialect: str = "trino"
    algorithm: str = "trino1"
    words: Dialect = _WORDS
    replaces_drop_views: bool = False
    session_date_sql: str = f"select {_WORDS.marked('current_date')} as answer"

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:  # noqa: ARG002 - quoting does not matter here
        """Lower case, quoted or not."""
        return Name(lower(name.database), lower(name.schema), lower(name.identifier))

    def connectors(self, databases: Sequence[str]) -> Probing[Mapping[str, str]]:  # noqa: ARG002 - Athena answers without asking
        """Which connector each catalog has."""
        (answer,) = yield (_CONNECTORS,)
        return {catalog or "": connector or "" for catalog, connector in (unmarked_rows(answer) if isinstance(answer, Rows) else ())}

    def look(self, names: Sequence[Name]) -> Probing[Found]:
        """Two questions per catalog, one for its views, and one for each table with a signal."""
        catalogs = by_database(names)
        connectors = yield from self.connectors(sorted(catalogs))
        answers = yield tuple(ask for group in catalogs.values() for ask in (_ask_tables(group), _ask_columns(group)))
        found: dict[Name, Seen] = {}
        for at, (catalog, group) in enumerate(catalogs.items()):
            tables, columns = answers[2 * at : 2 * at + 2]
            found.update(_read_tables(group, tables, columns, connectors.get(catalog, "")))
        found.update((yield from _definitions({name: seen for name, seen in found.items() if seen.kind == VIEW})))
        asked = {name: seen for name, seen in found.items() if seen.kind == TABLE and not seen.why}
        answers = yield tuple(_ask_version(name, connectors[name.database]) for name in asked)
        for (name, seen), answer in zip(asked.items(), answers, strict=True):
            found[name] = _read_version(seen, answer, connectors[name.database])
        return found


def _in_catalog(names: Sequence[Name], columns: str, view: str) -> AskSql:
    catalog = names[0].database
    where = where_named(_WORDS, names, "table_schema", "table_name")
    sql = f"select {columns} from {_WORDS.dotted((catalog, 'information_schema', view))} where {where}"
    return AskSql(sql, catalog, f"{view} of {catalog}")


def _ask_tables(names: Sequence[Name]) -> AskSql:
    return _in_catalog(names, _WORDS.marked_columns("table_schema", "table_name", "table_type"), "tables")


def _ask_columns(names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns("table_schema", "table_name", "ordinal_position", "column_name", "data_type")
    return _in_catalog(names, columns, "columns")


def _read_tables(names: Sequence[Name], tables: Answer, columns: Answer, connector: str) -> dict[Name, Seen]:
    for answer in (tables, columns):
        if not isinstance(answer, Rows):
            return dict.fromkeys(names, refused(answer))
    signatures = read_signatures(columns, names[0].database)
    found = {}
    for schema, identifier, table_type in unmarked_rows(tables) if isinstance(tables, Rows) else ():
        name = Name(names[0].database, schema or "", identifier or "")
        why = "" if connector in (_ICEBERG, _DELTA) else f"the connector {connector or '(unknown)'} keeps no versions of tables: {FIX}"
        found[name] = (
            Seen(VIEW, signature=signatures.get(name)) if table_type == "VIEW" else Seen(TABLE, why=why, signature=signatures.get(name))
        )
    return found


def _definitions(views: Mapping[Name, Seen]) -> Probing[dict[Name, Seen]]:
    columns = _WORDS.marked_columns("table_schema", "table_name", "view_definition")
    catalogs = by_database(views)
    answers = yield tuple(_in_catalog(group, columns, "views") for group in catalogs.values())
    found: dict[Name, Seen] = {}
    for (catalog, group), answer in zip(catalogs.items(), answers, strict=True):
        rows = unmarked_rows(answer) if isinstance(answer, Rows) else ()
        texts = {Name(catalog, schema or "", identifier or ""): text or "" for schema, identifier, text in rows}
        found.update({name: replace(views[name], definition=texts.get(name, "")) for name in group})
    return found


def _beside(name: Name, what: str) -> str:
    """A metadata table of a table."""
    return _WORDS.dotted((name.database, name.schema, f"{name.identifier}${what}"))


def _ask_version(name: Name, connector: str) -> AskSql:
    if connector == _ICEBERG:
        return ask_snapshots(_WORDS, name, _beside(name, "snapshots"), _beside(name, "refs"))
    columns = _WORDS.marked_columns("h.version", "h.timestamp", "h.operation")
    sql = f"select {columns} from {_beside(name, 'history')} as h order by h.version desc limit {COMMITS}"
    return AskSql(sql, name.database, f"history of {name.schema}.{name.identifier}")


def _read_version(seen: Seen, answer: Answer, connector: str) -> Seen:
    if connector == _ICEBERG:
        return read_snapshots(answer, seen.signature)
    if not isinstance(answer, Rows):
        return replace(seen, why=refused(answer, "its history").why)
    commits = ((row[0], row[1], row[2]) for row in unmarked_rows(answer))
    return replace(seen_of_commits(commits), signature=seen.signature)
