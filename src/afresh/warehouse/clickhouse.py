"""ClickHouse: the parts that a MergeTree table is made of, with the hashes of their files.

Every write makes new parts; so do merges in the background, which are a needless build at worst.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.core.trace import Signature
from afresh.warehouse.asks import AskSql, Rows, ask_one
from afresh.warehouse.catalogue import FIX, TABLE, VIEW, Seen, refused, where_named
from afresh.warehouse.cells import unmarked_rows
from afresh.warehouse.dialect import Dialect
from afresh.warehouse.names import Ambiguous, Identity, Name, Quoting
from afresh.warehouse.probe import Strength
from afresh.warehouse.server import host_and_port
from afresh.warehouse.server_engine import ServerEngine
from afresh.warehouse.tokens import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.warehouse.asks import Probing
    from afresh.warehouse.catalogue import Found
    from afresh.warehouse.view_sql import Part

_WORDS = Dialect("clickhouse", text="toString({})", now="now()", quotes=("`", "`"), escapes=True, escapes_in_names=True)
_TWO_PARTS = 2
_SERVER = AskSql(f"select {_WORDS.marked('serverUUID()')} as answer", None, "the server's id")
_PARTS = "hex(sipHash128(arrayStringConcat(arraySort(groupArray(concat(name, hash_of_all_files))))))"


@dataclass(frozen=True, slots=True)
class ClickHouse(ServerEngine):
    """dbt-clickhouse."""

    adapter_type: str = "clickhouse"
    dialect: str = "clickhouse"
    algorithm: str = "clickhouse1"
    words: Dialect = _WORDS
    lasting: frozenset[str] = frozenset({"made", "columns"})
    replaces_drop_views: bool = False
    session_date_sql: str = f"select {_WORDS.marked('today()')} as answer"

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:  # noqa: ARG002 - quoting does not matter here
        """Names are case-sensitive, quoted or not. What dbt calls the schema is ClickHouse's database."""
        return Name("", name.schema, name.identifier)

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """Host and port, behind which there may be several replicas; a server on this machine is known by its own id."""
        place = host_and_port(credentials)
        if place is not None:
            return Identity(f"clickhouse://{place}")
        answer = yield from ask_one(_SERVER)
        server = unmarked_rows(answer)[0][0] if isinstance(answer, Rows) and answer.rows else None
        return Identity(f"clickhouse:{server}" if server and server.strip("0-") else None)

    def named_in_view(self, parts: Sequence[Part], view: Name) -> Name | None:
        """ClickHouse writes the database into the definitions that it stores; where there is none, it is the view's."""
        texts = [part.text for part in parts]
        whole = [view.schema, *texts] if len(texts) == 1 else texts
        return Name("", *whole) if len(whole) == _TWO_PARTS else None

    def glance(self, names: Sequence[Name]) -> Probing[Found]:
        """The same: it is cheap."""
        return self.look(names)

    def look(self, names: Sequence[Name]) -> Probing[Found]:
        """Three questions for all names."""
        answers = yield (_ask_tables(names), _ask_parts(names), _ask_columns(names))
        for answer in answers:
            if not isinstance(answer, Rows):
                return dict.fromkeys(names, refused(answer))
        tables, parts, columns = (unmarked_rows(answer) for answer in answers if isinstance(answer, Rows))
        of_parts = {(database, table): (files or "", rows or "0") for database, table, files, rows in parts}
        of_columns: dict[tuple[str | None, str | None], list[tuple[int, str, str, str]]] = {}
        for database, table, position, column, kind, default in columns:
            of_columns.setdefault((database, table), []).append((int(position or 0), column or "", kind or "", default or ""))
        found = {}
        for database, table, kind, made, definition in tables:
            key = (database, table)
            shape = sorted(of_columns.get(key, ()))
            signature = Signature(tuple((column, kind) for _, column, kind, _ in shape))
            found[Name("", database or "", table or "")] = _seen(
                kind or "", {"made": made or "", "columns": digest(*shape)}, of_parts.get(key), signature, definition or ""
            )
        return found


def _ask_tables(names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns("`database`", "name", "engine", "uuid", "as_select")
    where = where_named(_WORDS, names, "`database`", "name")
    return AskSql(f"select {columns} from system.tables where {where}", None, f"{len(names)} relations")


def _ask_parts(names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns("`database`", "`table`", _PARTS, "sum(rows)")
    where = where_named(_WORDS, names, "`database`", "`table`")
    return AskSql(f"select {columns} from system.parts where active and ({where}) group by `database`, `table`", None, "parts of tables")


def _ask_columns(names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns("`database`", "`table`", "position", "name", "type", "default_expression")
    where = where_named(_WORDS, names, "`database`", "`table`")
    return AskSql(f"select {columns} from system.columns where {where}", None, "columns of tables")


def _seen(engine: str, parts: dict[str, str], files: tuple[str, str] | None, signature: Signature, definition: str) -> Seen:
    if engine == "View":
        return Seen(VIEW, definition=definition, signature=signature)
    if not engine.endswith("MergeTree"):
        return Seen(TABLE, why=f"its engine {engine} keeps no parts that could be compared: {FIX}", signature=signature)
    hashed, rows = files or ("none", "0")
    return Seen(TABLE, {**parts, "parts": hashed}, signature=signature, rows=int(rows), strength=Strength.EXACT)
