"""Any adapter without an engine of its own: it asks nothing and says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse.asks import settled
from afresh.warehouse.names import Identity
from afresh.warehouse.server import host_and_port
from afresh.warehouse.server_engine import ServerEngine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.warehouse.asks import Probing

_PLACES = ("account", "project")
"""What cloud warehouses are known by. Their databases are part of relations' names."""


@dataclass(frozen=True, slots=True)
class UnknownEngine(ServerEngine):
    """``loaded_at_*`` where given, else Unknown."""

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """The account, the project, or the host and port: whatever of these the credentials name."""
        named = next((str(credentials[name]).lower() for name in _PLACES if credentials.get(name)), None)
        place = named or host_and_port(credentials)
        return settled(Identity(f"{self.adapter_type}://{place}" if place else None))
