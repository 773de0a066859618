"""SQL Server and Fabric: right SQL, but no signal.

``sys.objects.modify_date`` moves with DDL alone. The counters of ``sys.dm_db_index_usage_stats`` move before a transaction commits: a table
that is read in between would count as current for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from afresh.warehouse.dialect import Dialect
from afresh.warehouse.server_engine import ServerEngine

_SERVER = Dialect("tsql", text="convert(nvarchar(4000), {}, 126)", concat="+", quotes=("[", "]"), prefix="N")
_FABRIC = Dialect("tsql", text="convert(varchar(8000), {}, 126)", concat="+", quotes=("[", "]"))
_TODAY = "cast(getdate() as date)"


@dataclass(frozen=True, slots=True)
class SqlServer(ServerEngine):
    """dbt-sqlserver."""

    adapter_type: str = "sqlserver"
    dialect: str = "tsql"
    words: Dialect = _SERVER
    session_date_sql: str = f"select {_SERVER.marked(_TODAY)} as answer"

    def why_silent(self) -> str:
        """No catalogue of it says when rows were committed."""
        return "its catalogue tells of DDL, not of committed rows: add loaded_at_field or loaded_at_query to the source"


@dataclass(frozen=True, slots=True)
class Fabric(SqlServer):
    """dbt-fabric."""

    adapter_type: str = "fabric"
    words: Dialect = _FABRIC
    session_date_sql: str = f"select {_FABRIC.marked(_TODAY)} as answer"
