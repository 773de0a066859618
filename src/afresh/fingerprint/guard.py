"""Whether a statement only reads: what a rendering for a fingerprint may send to the warehouse (semantics §1).

Anything that cannot be proven is refused; the node is then built instead of reasoned about.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import TokenType, exp

from afresh.fingerprint.engine_functions import is_builtin
from afresh.fingerprint.tokens import words_of
from afresh.fingerprint.trees import parse_query, qualified_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWING = frozenset({"show", "describe", "desc", "summarize"})
_READING_PRAGMAS = frozenset(
    {
        "table_info", "show_tables", "show_tables_expanded", "show", "database_list", "database_size", "version", "storage_info",
        "functions", "collations", "platform", "metadata_info", "user_agent", "show_databases",
    }
)  # fmt: skip
"""DuckDB's PRAGMAs that only answer."""

_WRITING_NODES = (
    exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter, exp.TruncateTable, exp.Copy, exp.Command, exp.Into,
    exp.Lock, exp.NextValueFor, exp.Set, exp.Use, exp.Transaction, exp.Commit, exp.Rollback, exp.Kill, exp.LoadData, exp.Attach,
    exp.Detach, exp.Grant,
)  # fmt: skip

_READING_TABLE_FUNCTIONS = frozenset(
    {
        "read_csv", "read_csv_auto", "read_parquet", "parquet_scan", "read_json", "read_json_auto", "read_json_objects", "read_ndjson",
        "read_text", "read_blob", "glob", "delta_scan", "iceberg_scan", "parquet_metadata", "parquet_schema", "sniff_csv", "unnest",
        "generate_series", "range", "duckdb_tables", "duckdb_columns", "duckdb_views", "duckdb_schemas", "duckdb_databases",
        "duckdb_constraints", "duckdb_indexes", "duckdb_functions", "duckdb_types", "duckdb_settings", "pg_read_file", "json_each",
        "flatten", "generator", "split_to_table", "strtok_split_to_table", "current_database", "current_schema", "current_setting",
        "pg_relation_size", "pg_total_relation_size", "pg_table_size", "has_table_privilege", "has_schema_privilege", "repeat_row",
    }
)  # fmt: skip
"""Functions that read files, catalogs or settings, and do nothing else."""

_SIDE_EFFECTS = re.compile(
    r"""(?ix)^(?:
    nextval|setval|lastval|set_config|setseed|txid_current|pg_current_xact_id
    |pg_(?:terminate|cancel)_backend|pg_(?:try_)?advisory_.*|pg_notify|pg_(?:reload|rotate|switch|start|stop|create|drop|promote|log)_?.*
    |pg_(?:file_write|file_unlink|file_rename|file_sync|logical_.*|replication_.*|export_snapshot|import_.*|stat_reset.*|wal_replay_.*)
    |pg_(?:sleep.*|backup_.*|logfile_rotate|copy_.*|prewarm|stat_statements_reset|clear_.*|restore_.*|set_.*|extension_config_dump)
    |lo_.*|lowrite|loread|dblink.*|query_to_xml.*|cursor_to_.*|database_to_.*|schema_to_.*|ts_stat|ts_rewrite|crosstab.*|connectby
    |xpath_table|currval_.*|brin_.*|gin_clean_pending_list|binary_upgrade_.*|postgres_fdw_disconnect.*
    |postgres_(?:execute|query|attach)|mysql_(?:execute|query)|sqlite_(?:attach|execute)|query|query_table|force_checkpoint|checkpoint
    |load_extension|install_.*|write_.*|pragma_.*|sleep|benchmark|get_lock|release_.*|master_pos_wait|load_file|sys_exec|sys_eval
    |openquery|openrowset|opendatasource|xp_.*|sp_.*|external_query|system\$.*|newsequentialid|nextval_.*|seq_.*|rotate|kill
    |dbms_.*|utl_.*|http_.*|ai_.*|ml\..*|cortex.*|execute|eval|call|url|remote|executable|file|s3|hdfs|input|merge
    )$"""
)
"""Functions that write, lock, wait, leave the database, or run a text as a statement."""


def is_read_only(sql: str, dialect: str | None) -> bool:
    """Whether ``sql`` is exactly one statement that can only read.

    A query (without ``INTO``, row locks, data-changing CTEs, functions with side effects or functions nobody knows), or a statement that
    shows or describes something. ``EXPLAIN`` counts unless it executes.
    """
    statement = _LEADING_COMMENTS.sub("", sql).strip().rstrip("; \t\r\n")
    first = statement.split(None, 1)[0].lower() if statement else ""
    if first in _SHOWING:
        return _SHOWN.fullmatch(statement) is not None or (first != "show" and _rest_reads(statement, dialect))
    if first == "pragma":
        match = _PRAGMA.fullmatch(statement)
        return match is not None and match.group(1).lower() in _READING_PRAGMAS
    if first == "explain":
        return _rest_reads(statement, dialect)
    return _query_reads(sql, dialect)


_LEADING_COMMENTS = re.compile(r"^(?:\s+|--(?!\+)[^\r\n]*(?:\n|$)|/\*(?![!+M])(?:(?!/\*|\*/).)*\*/)+", re.DOTALL)
_SHOWN = re.compile(r"(?is)(?:show|describe|desc|summarize)\b(?:[\w\s.,*%=<>@$-]|'[^'\\]*'|\"[^\"]*\"|`[^`]*`)*")
"""Names, literals and clauses of a statement that shows: no parenthesis, so that no function can hide in it."""
_PRAGMA = re.compile(r"""(?is)pragma\s+(\w+)\s*(?:\(\s*(?:'[^']*'|"[^"]*"|[\w.]+)\s*\))?""")


def _rest_reads(statement: str, dialect: str | None) -> bool:
    """``explain select …``, ``describe select …``: by the query. ``explain analyze`` runs it, and is refused as what it is not: a query."""
    rest = statement.split(None, 1)
    return len(rest) == 2 and _query_reads(rest[1], dialect)  # noqa: PLR2004 - the word and the rest


def _query_reads(sql: str, dialect: str | None) -> bool:
    words = words_of(sql, dialect)
    if not words or any(word.type is TokenType.SEMICOLON or word.type is None for word in words):
        return False
    tree = parse_query(sql, dialect)
    if tree is None or tree.find(*_WRITING_NODES) is not None or _reads_sequence(tree):
        return False
    return all(_is_harmless(name, dialect, known=known) for name, known in _called(tree))


def _is_harmless(name: str, dialect: str | None, *, known: bool) -> bool:
    plain = name.lower().rpartition(".")[2]
    return not _SIDE_EFFECTS.match(plain) and (known or plain in _READING_TABLE_FUNCTIONS or is_builtin(name, dialect))


def _called(tree: exp.Expr) -> Iterator[tuple[str, bool]]:
    """The names of all functions called, and whether sqlglot knows them."""
    for node in tree.find_all(exp.Func):
        if isinstance(node, exp.Anonymous):
            yield qualified_name(node), False
        elif not isinstance(node, (exp.Connector, exp.Unnest, exp.Lateral)):
            yield node.sql_name(), True


def _reads_sequence(tree: exp.Expr) -> bool:
    """``s.nextval``, a column to the parser, in Oracle and Snowflake."""
    return any(column.name.lower() in ("nextval", "currval") for column in tree.find_all(exp.Column))
