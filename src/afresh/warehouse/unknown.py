"""An engine that Afresh has no signal for: it says so, and ``loaded_at_*`` decides alone where the user gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse.asks import settled
from afresh.warehouse.cells import marked
from afresh.warehouse.engine import ViewBinding
from afresh.warehouse.fence import CannotTell
from afresh.warehouse.loaded_at import with_loaded_at
from afresh.warehouse.names import Identity, Name
from afresh.warehouse.probe import NO_CHAINS, NO_LIMITS, NO_MEMOS, AfterBuild, Chains, Outside, unknown
from afresh.warehouse.server import host_and_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.core.observation import OutsideChange
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Signature
    from afresh.warehouse.asks import AskSql, Probing
    from afresh.warehouse.fence import Fence
    from afresh.warehouse.names import Ambiguous, Quoting
    from afresh.warehouse.probe import Answers, Built, FileChain, Held, Limits, Memos, ProbeAnswer, Target

_PLACES = ("account", "project")
"""What cloud warehouses are known by: a Snowflake account, a BigQuery project. Their databases are part of relations' names."""


@dataclass(frozen=True, slots=True)
class UnknownEngine:
    """Any adapter without an engine of its own."""

    adapter_type: str
    dialect: str = ""
    view_binding: ViewBinding = ViewBinding.BY_OID
    """The cautious one: views are made again after what is under them was replaced."""
    replaces_drop_views: bool = True
    sees_outside_writes: bool = False
    session_date_sql: str = f"select {marked('current_date')} as answer"
    end_of_session: AskSql | None = None

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:
        """Quoted parts stay, unquoted parts are lower-cased: which of two quoted spellings an unquoted one means is not known here."""
        return Name(
            name.database if quoting.database else name.database.lower(),
            name.schema if quoting.schema else name.schema.lower(),
            name.identifier if quoting.identifier else name.identifier.lower(),
        )

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """The account, the project, or the host and port: whatever of these the credentials name."""
        named = next((str(credentials[name]).lower() for name in _PLACES if credentials.get(name)), None)
        place = named or host_and_port(credentials)
        return settled(Identity(f"{self.adapter_type}://{place}" if place else None))

    def probe(self, targets: Sequence[Target], memos: Memos = NO_MEMOS, limits: Limits = NO_LIMITS) -> Probing[Answers]:  # noqa: ARG002 - one shape
        """``loaded_at_*`` where given, else Unknown."""
        why = f"Afresh has no signal for {self.adapter_type}: add loaded_at_field or loaded_at_query to the source"
        return with_loaded_at(targets, settled({target.key: unknown(why) for target in targets}))

    def columns(self, targets: Sequence[Target]) -> Probing[Mapping[TraceKey, Signature]]:  # noqa: ARG002 - one shape for all engines
        """Nobody can say."""
        return settled({})

    def arrive(self, stored: Mapping[str, FileChain]) -> Probing[Chains]:  # noqa: ARG002 - one shape for all engines
        """Nothing to compare."""
        return settled(NO_CHAINS)

    def leave(self, chains: Chains) -> Probing[Chains]:
        """Nothing to remember."""
        return settled(chains)

    def post_build(
        self,
        built: Sequence[Built],
        chains: Chains = NO_CHAINS,  # noqa: ARG002 - one shape for all engines
        limits: Limits = NO_LIMITS,  # noqa: ARG002 - one shape for all engines
    ) -> Probing[Mapping[TraceKey, AfterBuild]]:
        """Nothing that could be attributed to us."""
        return settled({entry.target.key: AfterBuild(None) for entry in built})

    def outside(
        self,
        held: Sequence[Held],
        chains: Chains = NO_CHAINS,  # noqa: ARG002 - one shape for all engines
        limits: Limits = NO_LIMITS,  # noqa: ARG002 - one shape for all engines
    ) -> Probing[Mapping[TraceKey, Outside]]:
        """Silent: writes of others are invisible here."""
        return settled({entry.target.key: Outside(None) for entry in held})

    def session_name(self, own: str, run_id: str) -> None:
        """Afresh would not find them again."""

    def fence(self, run_id: str) -> Probing[Fence]:  # noqa: ARG002 - one shape for all engines
        """Nobody can say."""
        return settled(CannotTell())

    def outside_change(self, recorded: str | None, observed: ProbeAnswer) -> OutsideChange | None:  # noqa: ARG002 - one shape for all engines
        """Silent."""
        return None
