"""What all engines share that are asked through their catalogue: everything but the catalogue itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse.asks import settled
from afresh.warehouse.catalogue import Seen
from afresh.warehouse.cells import marked
from afresh.warehouse.dialect import STANDARD
from afresh.warehouse.engine import ViewBinding
from afresh.warehouse.fence import CannotTell
from afresh.warehouse.loaded_at import with_loaded_at
from afresh.warehouse.look_through import probe_catalogue
from afresh.warehouse.names import Ambiguous, Identity, Name, Quoting
from afresh.warehouse.probe import NO_CHAINS, NO_LIMITS, NO_MEMOS, AfterBuild, Chains, Outside
from afresh.warehouse.server import host_and_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.core.observation import OutsideChange
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Signature
    from afresh.warehouse.asks import AskSql, Probing
    from afresh.warehouse.catalogue import Found
    from afresh.warehouse.dialect import Dialect
    from afresh.warehouse.fence import Fence
    from afresh.warehouse.probe import Answers, Built, FileChain, Held, Limits, Memos, ProbeAnswer, Target
    from afresh.warehouse.view_sql import Part

_THREE_PARTS = 3


@dataclass(frozen=True, slots=True)
class ServerEngine:
    """The cautious answers. An engine says more where it knows more; above all, how its catalogue is asked (:meth:`look`)."""

    adapter_type: str
    dialect: str = ""
    algorithm: str = "none"
    words: Dialect = STANDARD
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
        """Host and port."""
        place = host_and_port(credentials)
        return settled(Identity(f"{self.adapter_type}://{place}" if place else None))

    def look(self, names: Sequence[Name]) -> Probing[Found]:
        """Nothing is known of any name."""
        return settled({name: Seen(why=self.why_silent(), exists=None) for name in names})

    def why_silent(self) -> str:
        """Why nothing is known, and what to do."""
        return f"Afresh has no signal for {self.adapter_type}: add loaded_at_field or loaded_at_query to the source"

    def named_in_view(self, parts: Sequence[Part], view: Name) -> Name | None:  # noqa: ARG002 - one shape for all engines
        """Only names that are spelled in full."""
        if len(parts) != _THREE_PARTS:
            return None
        database, schema, identifier = parts
        quoting = Quoting(database.is_quoted, schema.is_quoted, identifier.is_quoted)
        folded = self.normalise(Name(database.text, schema.text, identifier.text), quoting)
        return None if isinstance(folded, Ambiguous) else folded

    def probe(self, targets: Sequence[Target], memos: Memos = NO_MEMOS, limits: Limits = NO_LIMITS) -> Probing[Answers]:  # noqa: ARG002 - one shape
        """What the catalogue says, then ``loaded_at_*``."""
        return with_loaded_at(targets, probe_catalogue(targets, self), self.words)

    def columns(self, targets: Sequence[Target]) -> Probing[Mapping[TraceKey, Signature]]:  # noqa: ARG002 - one shape for all engines
        """Nobody can say."""
        return settled({})

    def arrive(self, stored: Mapping[str, FileChain]) -> Probing[Chains]:  # noqa: ARG002 - one shape for all engines
        """No files to compare."""
        return settled(NO_CHAINS)

    def leave(self, chains: Chains) -> Probing[Chains]:
        """No files to remember."""
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
