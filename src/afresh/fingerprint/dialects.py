"""What engines differ in, as tables: sqlglot's name for them, their comments, and how they fold names.

An engine that is not in a table gets the cautious answer.
"""

from __future__ import annotations

_DIALECTS: dict[str, str] = {
    "athena": "athena",
    "bigquery": "bigquery",
    "clickhouse": "clickhouse",
    "cratedb": "postgres",
    "databricks": "databricks",
    "databricks_dolly": "databricks",
    "doris": "doris",
    "dremio": "dremio",
    "drill": "drill",
    "duckdb": "duckdb",
    "exasol": "exasol",
    "fabric": "fabric",
    "fabricspark": "spark",
    "glue": "spark",
    "greenplum": "postgres",
    "hive": "hive",
    "materialize": "materialize",
    "mysql": "mysql",
    "mysql5": "mysql",
    "mariadb": "mysql",
    "oracle": "oracle",
    "postgres": "postgres",
    "redshift": "redshift",
    "risingwave": "risingwave",
    "singlestore": "singlestore",
    "snowflake": "snowflake",
    "spark": "spark",
    "spark_livy": "spark",
    "sqlite": "sqlite",
    "sqlserver": "tsql",
    "starrocks": "starrocks",
    "synapse": "tsql",
    "tidb": "mysql",
    "teradata": "teradata",
    "trino": "trino",
    "yugabytedb": "postgres",
}

MYSQL_LIKE = frozenset({"mysql", "doris", "starrocks", "singlestore"})
FOLDS_NAMES = frozenset({"postgres", "redshift", "materialize", "risingwave", "snowflake", "oracle"})
"""Engines that fold every unquoted name, the names of output columns included, so that its case is nowhere to be seen.

Not here, on purpose: DuckDB, BigQuery, Spark, Databricks, Trino, Athena, SQL Server, MySQL and SQLite find names in any case but keep
the case of output columns; in ClickHouse case always counts.
"""
FUNCTION_CASE_COUNTS = frozenset({"clickhouse", "bigquery"})
"""Engines with functions (BigQuery: user-defined ones) that differ in case only."""
NAMES_BY_SPELLING = frozenset({"sqlite", "snowflake", *MYSQL_LIKE})
"""Engines that name an unaliased expression by its text, white space and all."""
HASH_COMMENTS = frozenset({"bigquery", "clickhouse", *MYSQL_LIKE})
SLASH_COMMENTS = frozenset({"snowflake"})
DOLLAR_QUOTES = frozenset({"postgres", "duckdb", "snowflake", "materialize", "risingwave"})
"""Engines whose ``$$…$$`` literals sqlglot reads as literals."""


def dialect_of(adapter_type: str) -> str | None:
    """The name that sqlglot has for the SQL of a dbt adapter; ``None`` (its generic dialect) for an adapter that is not known."""
    return _DIALECTS.get(adapter_type.lower())
