"""Which relations and files a query names: its inputs, whatever dbt's graph lists (semantics §1, "Inputs")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from afresh.fingerprint.ctes import names_cte
from afresh.fingerprint.engine_functions import is_builtin
from afresh.fingerprint.name_sets import names
from afresh.fingerprint.tokens import acting_comments
from afresh.fingerprint.trees import parse_query, qualified_name

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A relation as the SQL spells it, unquoted; empty parts were not given. ``quoted`` says which of the three parts were quoted."""

    catalog: str
    db: str
    name: str
    quoted: tuple[bool, bool, bool] = (False, False, False)


@dataclass(frozen=True, slots=True)
class Reads:
    """What a query reads by name.

    ``opaque``: one sentence for each thing that it reads and that no text can tell. ``udfs``: functions that neither the engine nor sqlglot
    is known to bring along; a user's function may read relations.
    """

    tables: frozenset[TableName] = frozenset()
    files: frozenset[str] = frozenset()
    opaque: tuple[str, ...] = ()
    udfs: frozenset[str] = frozenset()


_FILE_READERS = names(
    """
    read_csv read_csv_auto read_parquet parquet_scan parquet_metadata parquet_schema parquet_file_metadata parquet_kv_metadata read_json
    read_json_auto read_json_objects read_json_objects_auto read_ndjson read_ndjson_auto read_ndjson_objects sniff_csv glob read_text
    read_blob delta_scan iceberg_scan iceberg_snapshots iceberg_metadata read_files readcsv readparquet read_xlsx st_read read_avro
    st_read_meta read_duckdb read_lance read_vortex
    """
)
_READS_NO_TABLE = names(
    """
    generate_series exploding_generate_series generate_subscripts generate_date_array generate_timestamp_array range sequence unnest
    values flatten explode explode_outer explodeouter posexplode posexplode_outer posexplodeouter inline inlineouter inline_outer stack
    split_to_table strtok_split_to_table string_split json_each json_each_text jsonb_each jsonb_each_text json_array_elements
    json_array_elements_text jsonb_array_elements jsonb_array_elements_text json_object_keys jsonb_object_keys json_populate_recordset
    jsonb_populate_recordset json_populate_record jsonb_populate_record json_to_recordset jsonb_to_recordset json_to_record
    jsonb_to_record jsonb_path_query json_tree json_table jsontable xml_table xmltable openjson open_json openxml json_tuple jsontuple
    variant_explode variant_explode_outer regexp_matches regexp_split_to_table string_to_table splittotable generator numbers numbers_mt
    zeros zeros_mt arrayjoin table generate_uuids_array each skeys svals repeat repeat_row ts_parse ts_token_type aclexplode
    explodingjsonkeys now current_date current_timestamp
    """
)
"""Functions in ``from`` that make rows out of their arguments."""
_MAKES_ROWS = (exp.Unnest, exp.Explode, exp.Values, exp.Column, exp.DynamicIdentifier)
_RUNS_TEXT = names(
    """
    query query_table query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml table_to_xml table_to_xmlschema
    table_to_xml_and_xmlschema schema_to_xml database_to_xml ts_stat ts_rewrite crosstab crosstab2 crosstab3 crosstab4 crosstabn connectby
    xpath_table dblink dblink_fetch openquery openrowset opendatasource external_query postgres_scan postgres_scan_pushdown postgres_query
    sqlite_scan sqlite_query mysql_scan mysql_query mssql_scan json_execute_serialized_sql result_scan evaluate eval executable
    pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file lo_get loread load_file getvariable dictget dictgetordefault dictgetornull
    dicthas joinget remote remotesecure cluster url s3 file hdfs mysql postgresql mongodb sqlite odbc jdbc merge dictionary view
    """
)
"""Functions that run a text as SQL, read by a name in a text, or leave the database."""
_SIZES = re.compile(r"pg_(?:table|relation|total_relation|indexes|database)_size|pg_sequence_last_value|nextval|currval|lastval")


def relations_read(sql: str, dialect: str | None) -> Reads:
    """Every relation and file that ``sql`` names and that is not one of its own CTEs or subqueries. Never raises."""
    tree = parse_query(sql, dialect)
    if tree is None:
        return Reads(opaque=("its SQL could not be parsed, so what it reads is not known",))
    if any(not comment.lstrip("/*- ").startswith("+") for comment in acting_comments(sql, dialect)):
        return Reads(opaque=("it has a comment that the engine may execute",))
    return _Collector(dialect, sql).read(tree)


class _Collector:
    """Gathers what one tree reads."""

    def __init__(self, dialect: str | None, sql: str) -> None:
        self._dialect = dialect
        self._sql = sql
        self._tables: set[TableName] = set()
        self._files: set[str] = set()
        self._opaque: dict[str, None] = {}
        self._udfs: set[str] = set()
        self._sources: set[int] = set()

    def read(self, tree: exp.Expr) -> Reads:
        for table in tree.find_all(exp.Table):
            if table.find_ancestor(exp.Hint) is None and not isinstance(table.parent, exp.Table):
                self._table(table)
            elif isinstance(table.parent, exp.Table) and isinstance(table.this, exp.Func):
                self._source(table.this)
        for rows in tree.find_all(exp.TableFromRows, exp.Lateral):
            if not isinstance(rows.this, exp.Query):
                self._source(rows.this)
        for function in tree.find_all(exp.Func):
            if id(function) not in self._sources:
                self._scalar(function)
        self._engine_specials(tree)
        return Reads(frozenset(self._tables), frozenset(self._files), tuple(self._opaque), frozenset(self._udfs))

    def _note(self, sentence: str) -> None:
        self._opaque[sentence] = None

    # --- what stands in `from` ---

    def _table(self, table: exp.Table) -> None:
        this = table.this
        if isinstance(this, exp.Identifier):
            self._named(table)
        elif isinstance(this, exp.Func):
            self._source(this)
        elif this is not None:
            self._note(f"it reads `{_short(table)}`, which is not a plain name")

    def _named(self, table: exp.Table) -> None:
        if names_cte(table, self._dialect):
            return
        name = _table_name(table)
        if _is_path_format(table, self._dialect) or (self._dialect == "duckdb" and _is_file(table)):
            self._files.add(name.name)
            if f'"{name.name}"' not in self._sql or self._dialect != "duckdb":
                return
        if self._dialect == "bigquery" and "*" in name.name:
            self._note(f"it reads every table like `{name.name}`")
            return
        self._tables.add(name)

    def _source(self, function: exp.Expr) -> None:
        self._sources.add(id(function))
        if isinstance(function, exp.Literal):
            self._note(f"it reads the table named in the text {_short(function)}")
            return
        name = _function_name(function).lower()
        if name == "table":
            for inner in function.expressions:
                self._source(inner)
        elif name in _FILE_READERS:
            self._file_reader(function, name)
        elif not _makes_rows(function, name):
            self._note(f"it reads the table function `{name}`, whose inputs are not known")

    def _file_reader(self, function: exp.Expr, name: str) -> None:
        paths = _constant_paths(function)
        if paths is None:
            self._note(f"it reads files with `{name}` under names that are computed")
        else:
            self._files.update(paths)

    # --- what stands in expressions ---

    def _scalar(self, function: exp.Func) -> None:
        name = _function_name(function)
        plain = name.lower().rpartition(".")[2]
        if plain in _RUNS_TEXT and isinstance(function, exp.Anonymous):
            self._note(f"it calls `{name}`, which reads by a name in a text")
        elif _SIZES.fullmatch(plain):
            self._note(f"it calls `{name}`, which looks at the state of another relation")
        elif plain in _FILE_READERS:
            self._file_reader(function, plain)
        elif isinstance(function, exp.Anonymous) and plain not in _READS_NO_TABLE and not is_builtin(name, self._dialect):
            self._udfs.add(name)

    def _engine_specials(self, tree: exp.Expr) -> None:
        if self._dialect == "clickhouse" and any(node.args.get("field") is not None for node in tree.find_all(exp.In)):
            self._note("it tests membership in something that may be a table")
        for dotted in tree.find_all(exp.DynamicIdentifier):
            self._note(f"it names an object by a computed text, `{_short(dotted)}`")


# --- names ------------------------------------------------------------------------------------------------------------


def _table_name(table: exp.Table) -> TableName:
    parts = [table.args.get("catalog"), table.args.get("db"), table.this]
    quoted = tuple(bool(part.args.get("quoted")) if isinstance(part, exp.Identifier) else False for part in parts)
    return TableName(table.catalog, table.db, table.name, (quoted[0], quoted[1], quoted[2]))


def _makes_rows(function: exp.Expr, name: str) -> bool:
    """Whether a function in ``from`` only makes rows of its arguments. sqlglot makes names like ``open_j_s_o_n`` out of its classes."""
    return isinstance(function, _MAKES_ROWS) or name in _READS_NO_TABLE or name.replace("_", "") in _READS_NO_TABLE


def _function_name(function: exp.Expr) -> str:
    if isinstance(function, exp.Anonymous):
        return qualified_name(function)
    if isinstance(function, exp.Func):
        return function.sql_name()
    return type(function).__name__


def _short(node: exp.Expr) -> str:
    text = node.sql(comments=False)
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - one line for people


# --- files ------------------------------------------------------------------------------------------------------------

_FILE_LIKE = re.compile(
    r"(?i)(?:[/\\*?]|^[a-z][a-z0-9+.-]*://|\.(?:csv|tsv|txt|parquet|json|jsonl|ndjson|geojson|xlsx|arrow|avro|db|duckdb|gz|zst|bz2|pq|lance)$)"
)
_PATH_FORMATS = frozenset({"parquet", "delta", "csv", "json", "orc", "avro", "text", "binaryfile", "iceberg", "hudi"})


def _is_file(table: exp.Table) -> bool:
    """``from 'x.csv'``: DuckDB reads a file where no table of that name exists. sqlglot gives literals and quoted names alike."""
    return not table.db and bool(table.this.args.get("quoted")) and _FILE_LIKE.search(table.name) is not None


def _is_path_format(table: exp.Table, dialect: str | None) -> bool:
    """``delta.`/path```: Spark reads a path as a table."""
    return dialect in ("spark", "databricks", "hive") and table.db.lower() in _PATH_FORMATS and "/" in table.name


def _constant_paths(function: exp.Expr) -> list[str] | None:
    """The paths a reader is given, if they are constants."""
    arguments = [*function.expressions] if isinstance(function, exp.Anonymous) else [function.args.get("this"), *function.expressions]
    first = next((argument for argument in arguments if argument is not None), None)
    if isinstance(first, (exp.PropertyEQ, exp.EQ, exp.Kwarg)):
        first = first.expression
    entries = list(_entries(first))
    return [entry.this for entry in entries] if entries and all(_is_text(entry) for entry in entries) else None


def _entries(node: object) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Array):
        yield from node.expressions
    elif isinstance(node, exp.Expr):
        yield node


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)
