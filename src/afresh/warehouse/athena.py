"""Athena: Iceberg tables by their snapshots. Of tables that are files in a folder, Athena keeps no record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse.asks import settled
from afresh.warehouse.dialect import Dialect
from afresh.warehouse.names import Identity
from afresh.warehouse.trino import Trino

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.warehouse.asks import Probing

_WORDS = Dialect("athena")


@dataclass(frozen=True, slots=True)
class Athena(Trino):
    """dbt-athena, with the Glue catalog. Whether a table is Iceberg is found by asking for its snapshots."""

    adapter_type: str = "athena"
    dialect: str = "athena"
    algorithm: str = "athena1"
    words: Dialect = _WORDS

    def connectors(self, databases: Sequence[str]) -> Probing[Mapping[str, str]]:
        """Every table may be Iceberg; one that is not has no snapshots to tell of."""
        return settled(dict.fromkeys(databases, "iceberg"))

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """Region and bucket of the query results: a bucket's name is unique in the world, and nothing tells the account itself."""
        region = str(credentials.get("region_name") or "")
        bucket = str(credentials.get("s3_staging_dir") or credentials.get("s3_data_dir") or "").partition("://")[2].partition("/")[0]
        return settled(Identity(f"athena://{region}/{bucket}" if region and bucket else None))
