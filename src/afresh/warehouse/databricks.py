"""Databricks: the catalogue says what a relation is, the log of a Delta table says which version it has.

``last_altered`` of Unity Catalog is not used: it moves with comments and properties, and not with writes past the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.warehouse.asks import Answer, AskSql, Rows
from afresh.warehouse.catalogue import FIX, TABLE, VIEW, Seen, by_database, refused, where_named
from afresh.warehouse.cells import unmarked_rows
from afresh.warehouse.delta import ask_history, read_history
from afresh.warehouse.dialect import Dialect
from afresh.warehouse.names import Ambiguous, Name, Quoting, lower
from afresh.warehouse.server_engine import ServerEngine
from afresh.warehouse.spark_catalogue import look_in_spark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.warehouse.asks import Probing
    from afresh.warehouse.catalogue import Found

_WORDS = Dialect("databricks", text="cast({} as string)", now="current_timestamp()", quotes=("`", "`"), escapes=True)
_WITHOUT_UNITY = frozenset({"", "hive_metastore", "spark_catalog"})
_KINDS = {"VIEW": VIEW, "MATERIALIZED_VIEW": "materialized_view", "FOREIGN": "foreign_table"}


@dataclass(frozen=True, slots=True)
class Databricks(ServerEngine):
    """dbt-databricks, with Unity Catalog or without."""

    adapter_type: str = "databricks"
    dialect: str = "databricks"
    algorithm: str = "databricks1"
    words: Dialect = _WORDS
    replaces_drop_views: bool = False
    session_date_sql: str = f"select {_WORDS.marked('current_date()')} as answer"

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:  # noqa: ARG002 - quoting does not matter here
        """Lower case, quoted or not."""
        return Name(lower(name.database), lower(name.schema), lower(name.identifier))

    def look(self, names: Sequence[Name]) -> Probing[Found]:
        """Two questions per catalog, and one for the history of each Delta table. Without Unity Catalog one more for each table."""
        found = dict((yield from look_in_spark([name for name in names if name.database in _WITHOUT_UNITY], _WORDS)))
        catalogs = by_database(name for name in names if name.database not in _WITHOUT_UNITY)
        answers = yield tuple(ask for group in catalogs.values() for ask in (_ask_tables(group), _ask_views(group)))
        for at, group in enumerate(catalogs.values()):
            tables, views = answers[2 * at : 2 * at + 2]
            found.update(_read_tables(group, tables, views))
        delta = sorted(name for name, seen in found.items() if name.database in catalogs and seen.kind == TABLE and not seen.why)
        histories = yield tuple(ask_history(_WORDS, name) for name in delta)
        found.update({name: replace(read_history(answer), kind=TABLE) for name, answer in zip(delta, histories, strict=True)})
        return found


def _ask_tables(names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns("table_schema", "table_name", "table_type", "data_source_format")
    return _ask(names, columns, "tables", "relations")


def _ask_views(names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns("table_schema", "table_name", "view_definition")
    return _ask(names, columns, "views", "views")


def _ask(names: Sequence[Name], columns: str, view: str, what: str) -> AskSql:
    catalog = names[0].database
    where = where_named(_WORDS, names, "table_schema", "table_name")
    sql = f"select {columns} from {_WORDS.dotted((catalog, 'information_schema', view))} where {where}"
    return AskSql(sql, catalog, f"{what} of {catalog}")


def _read_tables(names: Sequence[Name], tables: Answer, views: Answer) -> dict[Name, Seen]:
    if not isinstance(tables, Rows):
        return dict.fromkeys(names, refused(tables))
    catalog = names[0].database
    texts: Mapping[Name, str] = {
        Name(catalog, schema or "", identifier or ""): text or ""
        for schema, identifier, text in (unmarked_rows(views) if isinstance(views, Rows) else ())
    }
    found = {}
    for schema, identifier, table_type, form in unmarked_rows(tables):
        name = Name(catalog, schema or "", identifier or "")
        found[name] = _seen(table_type or "", form or "", texts.get(name, ""))
    return found


def _seen(table_type: str, form: str, definition: str) -> Seen:
    """A table without a reason against it is to be asked for its history."""
    kind = _KINDS.get(table_type, TABLE)
    if kind == VIEW:
        return Seen(VIEW, definition=definition)
    if kind != TABLE:
        return Seen(kind, why=f"it is of the kind {table_type}, of whose changes Databricks tells nothing: {FIX}")
    if form != "DELTA":
        return Seen(kind, why=f"it is kept as {form or 'something unnamed'}, not as Delta, so it has no versions: {FIX}")
    return Seen(TABLE)
