"""Engines that cannot run here, played from how their catalogues answer: the columns, types and errors of the real ones.

A :class:`World` holds tables and views. What is asked of it is parsed in the engine's dialect (SQL that does not parse fails the test) and
its ``where`` is applied, so a condition that picks the wrong rows is seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import sqlglot
from sqlglot import exp

from afresh.core.relation import Relation
from afresh.warehouse.asks import Answer, Failed, Probing, Rows
from afresh.warehouse.cells import MARK, NULL_MARK
from afresh.warehouse.names import Name
from afresh.warehouse.probe import ProbeAnswer, Target
from afresh.warehouse.registry import engine
from conformance.warehouse.driver import Conversation

T = TypeVar("T")
EPOCH = datetime(2026, 11, 1, tzinfo=timezone.utc)
COLUMNS = (("id", "NUMBER"), ("note", "TEXT"))


@dataclass
class Thing:
    """A table or view: ``version`` counts writes of rows, ``touched`` counts what leaves them alone."""

    kind: str = "table"
    version: int = 1
    touched: int = 0
    rows: int | None = 10
    definition: str | None = None
    columns: tuple[tuple[str, str], ...] = COLUMNS
    made: int = 1
    made_in: str = "spark_catalog"
    """The catalog that was current when a view was made."""
    tells: bool = True
    """Whether the engine tells when it was last modified."""


@dataclass
class World:
    """What there is in one warehouse, and everything that was asked of it."""

    adapter: str
    things: dict[Name, Thing] = field(default_factory=dict)
    refuses: str = ""
    """What the server answers to everything, if it refuses."""
    today: str = "2026-11-26"
    loaded_at: str = "2026-11-26 06:00:00"
    asked: list[str] = field(default_factory=list)

    def add(self, name: Name, thing: Thing | None = None) -> Target:
        self.things[name] = thing or Thing()
        return target_of(name)

    def look(self, *targets: Target) -> list[ProbeAnswer]:
        answers = self.hold(engine(self.adapter).probe(targets))
        return [answers[target.key] for target in targets]

    def hold(self, talk: Probing[T]) -> T:
        return Conversation(self._sql).hold(talk)

    def _sql(self, sql: str) -> Rows:
        self.asked.append(sql)
        if self.refuses:
            return Failed(self.refuses)  # type: ignore[return-value] # the conversation hands it on as it is
        if "loaded_at" in sql:
            return self._loaded_at(sql)
        return ENGINES[self.adapter](self, sql)  # type: ignore[return-value]

    def _loaded_at(self, sql: str) -> Rows:
        """The value and the moment of asking."""
        tree = parsed(self.adapter, sql)
        tables = [padded([part.name for part in table.parts]) for table in tree.find_all(exp.Table) if len(table.parts) > 1]
        assert all(name in self.things for name in tables), sql
        words = engine(self.adapter).words  # type: ignore[attr-defined] # all engines here are asked through their catalogue
        assert words.marked_columns("answer.value", words.now) in sql
        assert all(words.dotted((name.database, name.schema, name.identifier)) in sql for name in tables)
        assert [select.alias for select in tree.selects] == ["c1", "c2"]
        return marked_rows([(self.loaded_at, "2026-11-26 08:00:00")])


def target_of(name: Name, **more: Any) -> Target:
    return Target(Relation("w", name.database, name.schema, name.identifier), name, **more)


def padded(parts: list[str]) -> Name:
    """A name in SQL, which may lack the database."""
    return Name(*([""] * (3 - len(parts)) + parts))


def parsed(adapter: str, sql: str) -> exp.Expr:
    tree = sqlglot.parse_one(sql, read=engine(adapter).dialect)
    assert not isinstance(tree, exp.Command), sql
    return tree


def cells(*values: object) -> tuple[str, ...]:
    return tuple(NULL_MARK if value is None else f"{MARK}{value}" for value in values)


def marked_rows(rows: list[tuple[object, ...]]) -> Rows:
    width = len(rows[0]) if rows else 1
    return Rows(tuple(f"c{n}" for n in range(1, width + 1)), tuple(cells(*row) for row in rows))


def holds(condition: exp.Expr, row: Mapping[str, str]) -> bool:
    """Whether a ``where`` holds for a row. Names of columns count in any case, texts do not."""
    match condition:
        case exp.Where() | exp.Paren():
            return holds(condition.this, row)
        case exp.And():
            return holds(condition.left, row) and holds(condition.right, row)
        case exp.Or():
            return holds(condition.left, row) or holds(condition.right, row)
        case exp.Column():
            return True  # ``active``: there are no other rows
        case exp.EQ():
            return row[condition.left.name.lower()] == condition.right.name
        case exp.In():
            return row[condition.this.name.lower()] in [found.name for found in condition.expressions]
        case exp.StartsWith():
            return row[condition.this.name.lower()].startswith(condition.expression.name)
    raise AssertionError(f"a condition of another form: {condition.sql()}")


def picked(world: World, tree: exp.Expr, schema: str, identifier: str, database: str | None) -> Iterator[tuple[Name, Thing]]:
    """The things of a database that the ``where`` of a statement picks."""
    where = tree.args["where"]
    for name, thing in world.things.items():
        if (database is None or name.database == database) and holds(where, {schema: name.schema, identifier: name.identifier}):
            yield name, thing


def source(tree: exp.Expr) -> list[str]:
    """The parts of the name that a statement reads from."""
    return [part.name for part in tree.find(exp.Table).parts]


# --- Snowflake --------------------------------------------------------------------------------------------------------

_SNOWFLAKE_KINDS = {"table": "BASE TABLE", "view": "VIEW", "external": "EXTERNAL TABLE", "dynamic": "BASE TABLE"}


def snowflake(world: World, sql: str) -> Answer:
    tree = parsed("snowflake", sql)
    calls = [call.expressions[0].name for call in tree.find_all(exp.Anonymous) if call.name.lower() == "system$last_change_commit_time"]
    if calls:
        return _snowflake_tokens(world, calls)
    if tree.find(exp.Table) is None:
        return marked_rows([(world.today,)])
    database, schema, view = source(tree)
    assert schema == "information_schema"
    if database not in {name.database for name in world.things}:
        return Failed(f"SQL compilation error:\nDatabase '{database}' does not exist or not authorized.")
    found = list(picked(world, tree, "table_schema", "table_name", database))
    if view == "views":
        return marked_rows([(name.schema, name.identifier, thing.definition) for name, thing in found if thing.kind == "view"])
    if view == "columns":
        return marked_rows(
            [(name.schema, name.identifier, at, *column) for name, thing in found for at, column in enumerate(thing.columns, 1)]
        )
    return marked_rows(
        [
            (
                name.schema,
                name.identifier,
                _SNOWFLAKE_KINDS[thing.kind],
                1_760_000_000_000_000_000 + thing.made,
                thing.rows,
                "NO",
                "YES" if thing.kind == "dynamic" else "NO",
                "NO",
            )
            for name, thing in found
        ]
    )


def _snowflake_tokens(world: World, calls: list[str]) -> Answer:
    values: list[object] = []
    for call in calls:
        name = Name(*(part.name for part in sqlglot.parse_one(f"select * from {call}", read="snowflake").find(exp.Table).parts))
        if name not in world.things or "denied" in name.identifier:
            return Failed(f"Object '{call}' does not exist or not authorized.")
        values.append(1_761_000_000_000_000_000 + world.things[name].version if world.things[name].tells else None)
    return marked_rows([tuple(values)])


# --- BigQuery ---------------------------------------------------------------------------------------------------------

_BIGQUERY_KINDS = {"table": 1, "view": 2, "external": 3}


def bigquery(world: World, sql: str) -> Answer:
    tree = parsed("bigquery", sql)
    if tree.find(exp.Table) is None:
        return marked_rows([(world.today,)])
    project, dataset, *view = source(tree)
    if (project, dataset) not in {(name.database, name.schema) for name in world.things}:
        return Failed(f"404 Not found: Dataset {project}:{dataset} was not found in location EU")
    inside = {name: thing for name, thing in world.things.items() if (name.database, name.schema) == (project, dataset)}
    where = tree.args["where"]
    if "__TABLES__" not in view:
        found = [(n, t) for n, t in inside.items() if t.kind == "view" and holds(where, {"table_name": n.identifier})]
        return marked_rows([(name.identifier, thing.definition) for name, thing in found])
    found = [(n, t) for n, t in inside.items() if holds(where, {"table_id": n.identifier})]
    return marked_rows(
        [
            (
                name.identifier,
                _BIGQUERY_KINDS[thing.kind],
                1_760_000_000_000 + thing.made,
                1_761_000_000_000 + thing.version if thing.tells else None,
                thing.rows,
            )
            for name, thing in found
        ]
    )


# --- Databricks and Spark ---------------------------------------------------------------------------------------------

_HISTORY = ("version", "timestamp", "userId", "userName", "operation", "operationParameters", "job", "operationMetrics", "engineInfo")


def history(world: World, name: Name) -> Answer:
    """What ``DESCRIBE HISTORY`` gives: raw values, newest first; writes, and after them what leaves rows alone."""
    thing = world.things.get(name)
    if thing is None:
        return Failed(f"[TABLE_OR_VIEW_NOT_FOUND] The table or view `{name.identifier}` cannot be found.")
    if not thing.tells:
        return Rows(_HISTORY, ())
    writes = [(n, "WRITE" if n > 1 else "CREATE TABLE AS SELECT") for n in range(1, thing.version + 1)]
    commits = writes + [(thing.version + n, "OPTIMIZE" if n % 2 else "SET TBLPROPERTIES") for n in range(1, thing.touched + 1)]
    rows = [
        (n, EPOCH + timedelta(days=thing.made, minutes=n), None, "etl", what, {}, None, {}, "Databricks") for n, what in reversed(commits)
    ]
    return Rows(_HISTORY, tuple(rows))


def _described_history(world: World, sql: str) -> Answer | None:
    found = re.fullmatch(r"describe history (.+) limit 50", sql)
    if found is None:
        return None
    parts = [part.name for part in sqlglot.parse_one(f"select * from {found[1]}", read="databricks").find(exp.Table).parts]
    return history(world, padded(parts))


_UNITY_KINDS = {"table": "MANAGED", "view": "VIEW", "external": "FOREIGN", "parquet": "EXTERNAL"}
_UNITY_FORMATS = {"table": "DELTA", "view": None, "external": "POSTGRESQL_FORMAT", "parquet": "PARQUET"}


def databricks(world: World, sql: str) -> Answer:
    answer = _described_history(world, sql) or described(world, sql)
    if answer is not None:
        return answer
    tree = parsed("databricks", sql)
    if tree.find(exp.Table) is None:
        return marked_rows([(world.today,)])
    catalog, schema, view = source(tree)
    assert schema == "information_schema"
    if catalog not in {name.database for name in world.things}:
        return Failed(f"[NO_SUCH_CATALOG_EXCEPTION] Catalog '{catalog}' was not found.")
    found = list(picked(world, tree, "table_schema", "table_name", catalog))
    if view == "views":
        return marked_rows([(name.schema, name.identifier, thing.definition) for name, thing in found if thing.kind == "view"])
    return marked_rows([(name.schema, name.identifier, _UNITY_KINDS[thing.kind], _UNITY_FORMATS[thing.kind]) for name, thing in found])


def described(world: World, sql: str) -> Answer | None:
    """What ``DESCRIBE EXTENDED`` gives."""
    found = re.fullmatch(r"describe extended (.+)", sql)
    if found is None:
        return None
    parts = [part.name for part in sqlglot.parse_one(f"select * from {found[1]}", read="databricks").find(exp.Table).parts]
    name = padded(parts)
    thing = world.things.get(name)
    if thing is None:
        return Failed(f"[TABLE_OR_VIEW_NOT_FOUND] The table or view `{name.identifier}` cannot be found.")
    view = [("Type", "VIEW", ""), ("View Text", thing.definition, ""), ("View Catalog and Namespace", f"{thing.made_in}.default", "")]
    table = [("Type", "MANAGED", ""), ("Provider", "delta" if thing.kind == "table" else thing.kind, "")]
    columns = [(*column, None) for column in thing.columns]
    partitions = [("# Partition Information", "", ""), ("# col_name", "data_type", "comment"), ("Type", "string", None)]
    rows = [*columns, *partitions, ("", "", ""), ("# Detailed Table Information", "", ""), *(view if thing.kind == "view" else table)]
    return Rows(("col_name", "data_type", "comment"), tuple(rows))


def spark(world: World, sql: str) -> Answer:
    answer = _described_history(world, sql) or described(world, sql)
    if answer is not None:
        return answer
    assert parsed("spark", sql).find(exp.Table) is None
    return marked_rows([(world.today,)])


# --- Trino and Athena -------------------------------------------------------------------------------------------------

_CONNECTORS = {"shop": "iceberg", "lake": "delta_lake", "pg": "postgresql"}


def snapshots(thing: Thing) -> list[tuple[object, ...]]:
    """Snapshots of an Iceberg table, the latest first: writes, and after them rewrites of files. None is current if it does not tell."""
    kinds = ["append"] * thing.version + ["replace"] * thing.touched
    ids = [thing.made * 1_000_000 + n for n in range(1, len(kinds) + 1)]
    rows = [
        (at, ids[n - 1] if n else None, kind, "main" if thing.tells and n == len(ids) - 1 else None)
        for n, (at, kind) in enumerate(zip(ids, kinds, strict=True))
    ]
    return rows[::-1]


def trino(world: World, sql: str) -> Answer:
    tree = parsed(world.adapter, sql)
    if tree.find(exp.Table) is None:
        return marked_rows([(world.today,)])
    catalog, schema, table = source(tree)
    if (catalog, schema) == ("system", "metadata"):
        return marked_rows(list(_CONNECTORS.items()))
    if catalog not in {name.database for name in world.things}:
        return Failed(f"TrinoUserError(type=USER_ERROR, name=CATALOG_NOT_FOUND, message=\"Catalog '{catalog}' not found\")")
    if schema == "information_schema":
        return _trino_schema(world, tree, catalog, table)
    identifier, _, what = table.partition("$")
    thing = world.things.get(Name(catalog, schema, identifier))
    if thing is None or thing.kind != "table":
        return Failed(f"line 1:15: Table '{catalog}.{schema}.{table}' does not exist")
    if what == "snapshots":
        return marked_rows(snapshots(thing))
    rows = history(world, Name(catalog, schema, identifier))
    assert isinstance(rows, Rows)
    return marked_rows([(row[0], row[1], row[4]) for row in rows.rows])


def _trino_schema(world: World, tree: exp.Expr, catalog: str, view: str) -> Answer:
    found = list(picked(world, tree, "table_schema", "table_name", catalog))
    if view == "views":
        return marked_rows([(name.schema, name.identifier, thing.definition) for name, thing in found if thing.kind == "view"])
    if view == "columns":
        return marked_rows(
            [(name.schema, name.identifier, at, *column) for name, thing in found for at, column in enumerate(thing.columns, 1)]
        )
    return marked_rows([(name.schema, name.identifier, "VIEW" if thing.kind == "view" else "BASE TABLE") for name, thing in found])


# --- ClickHouse -------------------------------------------------------------------------------------------------------

_CLICKHOUSE_ENGINES = {"table": "ReplacingMergeTree", "view": "View", "external": "S3", "feed": "MaterializedView"}


def clickhouse(world: World, sql: str) -> Answer:
    tree = parsed("clickhouse", sql)
    if tree.find(exp.Table) is None:
        return marked_rows([(world.today,)])
    system, table = source(tree)
    assert system == "system"
    if table == "tables":
        found = list(picked(world, tree, "database", "name", None))
        return marked_rows(
            [
                (n.schema, n.identifier, _CLICKHOUSE_ENGINES[t.kind] if t.tells else "Memory", f"uuid-{t.made}", t.definition or "")
                for n, t in found
            ]
        )
    found = list(picked(world, tree, "database", "table", None))
    if table == "columns":
        return marked_rows([(n.schema, n.identifier, at, *column, "") for n, t in found for at, column in enumerate(t.columns, 1)])
    written = [(n, t) for n, t in found if t.kind == "table" and t.rows]
    return marked_rows([(n.schema, n.identifier, f"{t.version:032X}{t.touched}", t.rows) for n, t in written])


ENGINES: dict[str, Callable[[World, str], Answer]] = {
    "athena": trino,
    "bigquery": bigquery,
    "clickhouse": clickhouse,
    "databricks": databricks,
    "snowflake": snowflake,
    "spark": spark,
    "trino": trino,
}
