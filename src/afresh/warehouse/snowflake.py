"""Snowflake: the token that the server itself gives for "has this table changed?".

``SYSTEM$LAST_CHANGE_COMMIT_TIME`` is documented to move with every DML statement on a table, and is meant for this question.
``LAST_ALTERED`` moves with comments, settings and maintenance too. What is no DML is seen otherwise: a replaced table by the time it
was created, an emptied one by its number of rows, added columns by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse.asks import Answer, AskSql, Rows, ask_one
from afresh.warehouse.catalogue import FIX, TABLE, VIEW, Seen, by_database, read_signatures, refused, where_named
from afresh.warehouse.cells import unmarked_rows
from afresh.warehouse.dialect import Dialect
from afresh.warehouse.names import Ambiguous, Identity, Name, Quoting, upper
from afresh.warehouse.probe import Signal, Strength
from afresh.warehouse.server_engine import ServerEngine
from afresh.warehouse.tokens import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from afresh.core.trace import Signature
    from afresh.warehouse.asks import Probing
    from afresh.warehouse.catalogue import Found
    from afresh.warehouse.view_sql import Part

_WORDS = Dialect("snowflake", escapes=True)
_AT_ONCE = 100
"""How many tables one statement asks the token of."""

_ACCOUNT = AskSql(
    f"select {_WORDS.marked_columns('current_organization_name()', 'current_account_name()')}", None, "the organization and the account"
)
_KINDS = {"BASE TABLE": TABLE, "VIEW": VIEW, "MATERIALIZED VIEW": "materialized_view", "EXTERNAL TABLE": "external"}
_STRANGE = {
    "is_iceberg": "it is an Iceberg table, which others may write past Snowflake",
    "is_dynamic": "it is a dynamic table, which changes when Snowflake refreshes it",
    "is_hybrid": "it is a hybrid table, whose writes Snowflake does not tell in this way",
}


@dataclass(frozen=True, slots=True)
class Snowflake(ServerEngine):
    """dbt-snowflake."""

    adapter_type: str = "snowflake"
    dialect: str = "snowflake"
    algorithm: str = "snowflake1"
    words: Dialect = _WORDS
    tells_own_rows: bool = True
    lasting: frozenset[str] = frozenset({"created", "columns"})
    replaces_drop_views: bool = False
    session_date_sql: str = f"select {_WORDS.marked('current_date()')} as answer"

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:
        """Unquoted names fold to upper case; quoted ones stay."""
        return Name(
            name.database if quoting.database else upper(name.database),
            name.schema if quoting.schema else upper(name.schema),
            name.identifier if quoting.identifier else upper(name.identifier),
        )

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """Organization and account as the server names them, since profiles spell one account in two ways; else the profile's account."""
        answer = yield from ask_one(_ACCOUNT)
        rows = unmarked_rows(answer) if isinstance(answer, Rows) else ()
        if rows and all(rows[0]):
            return Identity(f"snowflake://{'-'.join(str(part) for part in rows[0]).lower()}")
        account = str(credentials.get("account") or "").lower()
        return Identity(f"snowflake://{account}" if account else None)

    def named_in_view(self, parts: Sequence[Part], view: Name) -> Name | None:
        """What a name leaves out is the view's own database and schema."""
        texts = [part.text if part.is_quoted else upper(part.text) for part in parts]
        whole = [view.database, view.schema, view.identifier][: 3 - len(texts)] + texts
        return Name(*whole) if len(whole) == 3 else None  # noqa: PLR2004 - database, schema, identifier

    def look(self, names: Sequence[Name]) -> Probing[Found]:
        """Two questions per database, one more for its views, and one for the tokens of its tables."""
        found = dict((yield from self.glance(names)))
        found.update((yield from _with_definitions(found)))
        found.update((yield from _with_tokens(found)))
        return found

    def glance(self, names: Sequence[Name]) -> Probing[Found]:
        """Two questions per database."""
        databases = by_database(names)
        answers = yield tuple(
            ask for database, group in databases.items() for ask in (_ask_tables(database, group), _ask_columns(database, group))
        )
        found: dict[Name, Seen] = {}
        for at, (database, group) in enumerate(databases.items()):
            tables, columns = answers[2 * at : 2 * at + 2]
            found.update(_read_tables(database, group, tables, columns))
        return found


def _schema_of(database: str, view: str) -> str:
    return f"{_WORDS.quoted(database)}.information_schema.{view}"


def _ask_tables(database: str, names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns(
        "table_schema",
        "table_name",
        "table_type",
        "date_part(epoch_nanosecond, created)",
        "row_count",
        *_STRANGE,
    )
    where = where_named(_WORDS, names, "table_schema", "table_name")
    return AskSql(f"select {columns} from {_schema_of(database, 'tables')} where {where}", database, f"{len(names)} relations")


def _ask_columns(database: str, names: Sequence[Name]) -> AskSql:
    size = "coalesce(character_maximum_length, numeric_precision)"
    kind = f"data_type || coalesce('(' || {size} || ',' || coalesce(numeric_scale, 0) || ')', '')"
    columns = _WORDS.marked_columns("table_schema", "table_name", "ordinal_position", "column_name", kind)
    where = where_named(_WORDS, names, "table_schema", "table_name")
    return AskSql(f"select {columns} from {_schema_of(database, 'columns')} where {where}", database, f"columns of {len(names)} relations")


def _read_tables(database: str, names: Sequence[Name], tables: Answer, columns: Answer) -> dict[Name, Seen]:
    for answer in (tables, columns):
        if not isinstance(answer, Rows):
            return dict.fromkeys(names, refused(answer))
    signatures = read_signatures(columns, database)
    found = {}
    for row in unmarked_rows(tables) if isinstance(tables, Rows) else ():
        schema, identifier = row[0] or "", row[1] or ""
        name = Name(database, schema, identifier)
        found[name] = _seen(row[2] or "", row[3:], signatures.get(name))
    return found


def _seen(table_type: str, cells: Sequence[str | None], signature: Signature | None) -> Seen:
    created, rows, *flags = cells
    kind = _KINDS.get(table_type, table_type.lower())
    count = int(rows) if rows is not None else None
    if kind == VIEW:
        return Seen(VIEW, signature=signature)
    why = next((text for (_, text), flag in zip(_STRANGE.items(), flags, strict=True) if flag == "YES"), None)
    if kind != TABLE:
        why = f"it is of the kind {table_type.lower()}, of whose changes Snowflake tells nothing"
    elif signature is None or created is None:
        why = why or "Snowflake does not show its columns"
    if why is not None or signature is None:
        return Seen(kind, why=f"{why}: {FIX}", signature=signature, rows=count)
    parts = {"created": created or "", "rows": rows or "", "columns": digest(signature.columns)}
    return Seen(TABLE, parts, signature=signature, rows=count, signal=Signal.TABLE_VERSION, strength=Strength.EXACT)


def _with_definitions(found: Mapping[Name, Seen]) -> Probing[dict[Name, Seen]]:
    databases = by_database(name for name, seen in found.items() if seen.kind == VIEW)
    answers = yield tuple(_ask_views(database, names) for database, names in databases.items())
    views: dict[Name, Seen] = {}
    for (database, names), answer in zip(databases.items(), answers, strict=True):
        rows = unmarked_rows(answer) if isinstance(answer, Rows) else ()
        texts = {Name(database, schema or "", name or ""): text or "" for schema, name, text in rows}
        views.update({name: Seen(VIEW, definition=texts.get(name, ""), signature=found[name].signature) for name in names})
    return views


def _ask_views(database: str, names: Sequence[Name]) -> AskSql:
    columns = _WORDS.marked_columns("table_schema", "table_name", "view_definition")
    where = where_named(_WORDS, names, "table_schema", "table_name")
    return AskSql(f"select {columns} from {_schema_of(database, 'views')} where {where}", database, f"definitions of {len(names)} views")


def _with_tokens(found: Mapping[Name, Seen]) -> Probing[dict[Name, Seen]]:
    """One statement for many tables; where it fails because of one of them, each is asked alone."""
    tables = sorted(name for name, seen in found.items() if seen.parts)
    batches = [tables[at : at + _AT_ONCE] for at in range(0, len(tables), _AT_ONCE)]
    answers = yield tuple(_ask_tokens(batch) for batch in batches)
    tokens: dict[Name, Answer | str | None] = {}
    alone: list[Name] = []
    for batch, answer in zip(batches, answers, strict=True):
        if isinstance(answer, Rows) and answer.rows:
            tokens.update(zip(batch, unmarked_rows(answer)[0], strict=True))
        else:
            alone.extend(batch)
    answers = yield tuple(_ask_tokens([name]) for name in alone)
    for name, answer in zip(alone, answers, strict=True):
        tokens[name] = unmarked_rows(answer)[0][0] if isinstance(answer, Rows) and answer.rows else answer
    return {name: _tokened(found[name], tokens[name]) for name in tables}


def _ask_tokens(names: Iterable[Name]) -> AskSql:
    named = [_WORDS.dotted((name.database, name.schema, name.identifier)) for name in names]
    columns = _WORDS.marked_columns(*(f"system$last_change_commit_time({_WORDS.literal(name)})" for name in named))
    return AskSql(f"select {columns}", None, f"when {len(named)} tables were last written")


def _tokened(seen: Seen, token: Answer | str | None) -> Seen:
    if isinstance(token, str) and token not in ("", "0"):
        return Seen(
            seen.kind, {**seen.parts, "change": token}, signature=seen.signature, rows=seen.rows, signal=seen.signal, strength=seen.strength
        )
    told = (
        "Snowflake does not tell when it was last written"
        if token is None or isinstance(token, str)
        else refused(token, "its last change").why
    )
    return Seen(seen.kind, why=f"{told}: {FIX}", signature=seen.signature, rows=seen.rows)
