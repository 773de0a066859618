"""Redshift: right names and SQL, but no signal of its own.

``SHOW TABLES`` tells of every write 5 to 20 minutes late, so a job that starts when a load has ended would find nothing new. The system
tables of queries show only one's own inserts, of a few days, and no deletes. Neither is worth a stale table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse.asks import AskSql, Rows, ask_one
from afresh.warehouse.cells import unmarked_rows
from afresh.warehouse.dialect import Dialect
from afresh.warehouse.names import Ambiguous, Identity, Name, Quoting, lower
from afresh.warehouse.server import host_and_port
from afresh.warehouse.server_engine import ServerEngine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.warehouse.asks import Probing

_WORDS = Dialect("redshift", escapes=True)
_NAMESPACE = AskSql(f"select {_WORDS.marked('current_namespace')} as answer", None, "the cluster's namespace")


@dataclass(frozen=True, slots=True)
class Redshift(ServerEngine):
    """dbt-redshift, provisioned or serverless."""

    adapter_type: str = "redshift"
    dialect: str = "redshift"
    words: Dialect = _WORDS

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:
        """Lower case; whether quoted names keep theirs is a setting of the cluster and of each session, so such names are ambiguous."""
        folded = Name(lower(name.database), lower(name.schema), lower(name.identifier))
        quoted = Name(*_quoted(name, quoting))
        if quoted != Name(*_quoted(folded, quoting)):
            return Ambiguous("Redshift keeps the case of quoted names only where enable_case_sensitive_identifier is on: use lower case")
        return folded

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """The namespace that the server names, whatever address it was reached by; else host and port."""
        answer = yield from ask_one(_NAMESPACE)
        namespace = unmarked_rows(answer)[0][0] if isinstance(answer, Rows) and answer.rows else None
        if namespace:
            return Identity(f"redshift:{namespace}")
        place = host_and_port(credentials, default_port=5439)
        return Identity(f"redshift://{place}" if place else None)

    def why_silent(self) -> str:
        """Redshift tells too late."""
        return (
            "Redshift tells of writes only minutes later, so Afresh does not ask it: add loaded_at_field or loaded_at_query to the source"
        )


def _quoted(name: Name, quoting: Quoting) -> tuple[str, str, str]:
    """The parts that are quoted; the others are left empty."""
    return (
        name.database if quoting.database else "",
        name.schema if quoting.schema else "",
        name.identifier if quoting.identifier else "",
    )
