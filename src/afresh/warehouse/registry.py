"""Which engine goes with which of dbt's adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.warehouse.athena import Athena
from afresh.warehouse.bigquery import BigQuery
from afresh.warehouse.clickhouse import ClickHouse
from afresh.warehouse.databricks import Databricks
from afresh.warehouse.duckdb import DuckDb
from afresh.warehouse.postgres import Postgres
from afresh.warehouse.redshift import Redshift
from afresh.warehouse.snowflake import Snowflake
from afresh.warehouse.spark import Spark
from afresh.warehouse.sqlserver import Fabric, SqlServer
from afresh.warehouse.trino import Trino
from afresh.warehouse.unknown import UnknownEngine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.warehouse.engine import Engine

_KNOWN: tuple[Engine, ...] = (
    Athena(),
    BigQuery(),
    ClickHouse(),
    Databricks(),
    DuckDb(),
    Fabric(),
    Postgres(),
    Redshift(),
    Snowflake(),
    Spark(),
    SqlServer(),
    Trino(),
)
_ENGINES: Mapping[str, Engine] = {known.adapter_type: known for known in _KNOWN}


def engine(adapter_type: str) -> Engine:
    """The engine of one of dbt's adapters; for an adapter without one, an engine that answers Unknown and says why."""
    return _ENGINES.get(adapter_type) or UnknownEngine(adapter_type)
