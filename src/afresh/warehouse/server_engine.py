"""What all engines share that are asked through their catalogue: everything but the catalogue itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.core.version import Known
from afresh.warehouse.asks import settled
from afresh.warehouse.catalogue import FIX, Seen
from afresh.warehouse.cells import marked
from afresh.warehouse.dialect import STANDARD
from afresh.warehouse.engine import ViewBinding
from afresh.warehouse.fence import CannotTell
from afresh.warehouse.loaded_at import with_loaded_at
from afresh.warehouse.look_through import probe_catalogue
from afresh.warehouse.names import Ambiguous, Identity, Name, Quoting
from afresh.warehouse.probe import MISSING, NO_CHAINS, NO_LIMITS, NO_MEMOS, AfterBuild, Chains, Outside, ProbeAnswer, Purpose, unknown
from afresh.warehouse.server import host_and_port
from afresh.warehouse.tokens import compare_recorded, write_token

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.core.observation import OutsideChange
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Signature
    from afresh.warehouse.asks import AskSql, Probing
    from afresh.warehouse.catalogue import Found
    from afresh.warehouse.dialect import Dialect
    from afresh.warehouse.fence import Fence
    from afresh.warehouse.probe import Answers, Built, FileChain, Held, Limits, Memos, Target
    from afresh.warehouse.view_sql import Part

_THREE_PARTS = 3


@dataclass(frozen=True, slots=True)
class ServerEngine:
    """The cautious answers. An engine says more where it knows more; above all, how its catalogue is asked (:meth:`look`)."""

    adapter_type: str
    dialect: str = ""
    algorithm: str = "none"
    words: Dialect = STANDARD
    tells_own_rows: bool = False
    """Whether it is one question for many to learn what our own relations hold, and nothing but writes moves the answer."""
    lasting: frozenset[str] = frozenset()
    """The parts of its tokens that say which relation it is, and that writes of rows leave alone."""
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
        return f"Afresh has no signal for {self.adapter_type}: {FIX}"

    def named_in_view(self, parts: Sequence[Part], view: Name) -> Name | None:  # noqa: ARG002 - one shape for all engines
        """Only names that are spelled in full."""
        if len(parts) != _THREE_PARTS:
            return None
        database, schema, identifier = parts
        quoting = Quoting(database.is_quoted, schema.is_quoted, identifier.is_quoted)
        folded = self.normalise(Name(database.text, schema.text, identifier.text), quoting)
        return None if isinstance(folded, Ambiguous) else folded

    def probe(self, targets: Sequence[Target], memos: Memos = NO_MEMOS, limits: Limits = NO_LIMITS) -> Probing[Answers]:  # noqa: ARG002 - one shape
        """What the catalogue says, then ``loaded_at_*``. Of our own relations only what is cheap to know of many, and quiet."""
        apart = [target for target in targets if target.purpose is Purpose.OWN and not self.tells_own_rows]
        asked = [target for target in targets if target not in apart]
        answers = yield from with_loaded_at(asked, probe_catalogue(asked, self), self.words)
        return {**answers, **(yield from self._own(apart))}

    def _own(self, targets: Sequence[Target]) -> Probing[Answers]:
        if not self.lasting:
            return {target.key: unknown("its rows are not watched") for target in targets}
        found = (yield from self.glance([target.name for target in targets])) if targets else {}
        return {target.key: self._observed(target, found) for target in targets}

    def columns(self, targets: Sequence[Target]) -> Probing[Mapping[TraceKey, Signature]]:  # noqa: ARG002 - one shape for all engines
        """Nobody can say."""
        return settled({})

    def arrive(self, stored: Mapping[str, FileChain]) -> Probing[Chains]:  # noqa: ARG002 - one shape for all engines
        """No files to compare."""
        return settled(NO_CHAINS)

    def leave(self, chains: Chains) -> Probing[Chains]:
        """No files to remember."""
        return settled(chains)

    def glance(self, names: Sequence[Name]) -> Probing[Found]:  # noqa: ARG002 - one shape for all engines
        """What can be seen cheaply of our own relations: what they are, not what they hold."""
        return settled({})

    def post_build(
        self,
        built: Sequence[Built],
        chains: Chains = NO_CHAINS,  # noqa: ARG002 - one shape for all engines
        limits: Limits = NO_LIMITS,  # noqa: ARG002 - one shape for all engines
    ) -> Probing[Mapping[TraceKey, AfterBuild]]:
        """What each relation *is*: which one, with which columns. Who wrote its rows, nobody can prove."""
        found = yield from self.glance([entry.target.name for entry in built])
        return {entry.target.key: self._after(found.get(entry.target.name)) for entry in built}

    def _after(self, seen: Seen | None) -> AfterBuild:
        parts = self._lasting(seen)
        return AfterBuild(write_token(self.algorithm, parts) if parts else None, signature=seen.signature if seen is not None else None)

    def _lasting(self, seen: Seen | None) -> dict[str, str]:
        return {} if seen is None else {name: value for name, value in seen.parts.items() if name in self.lasting}

    def outside(
        self,
        held: Sequence[Held],
        chains: Chains = NO_CHAINS,  # noqa: ARG002 - one shape for all engines
        limits: Limits = NO_LIMITS,  # noqa: ARG002 - one shape for all engines
    ) -> Probing[Mapping[TraceKey, Outside]]:
        """Whether relations are still those that we made. Rows that others wrote into them are not seen."""
        answers = yield from self._own([entry.target for entry in held if entry.recorded is not None])
        return {entry.target.key: Outside(self.outside_change(entry.recorded, answers.get(entry.target.key, MISSING))) for entry in held}

    def _observed(self, target: Target, found: Found) -> ProbeAnswer:
        seen = found.get(target.name)
        parts = self._lasting(seen)
        if parts:
            return ProbeAnswer(Known(write_token(self.algorithm, parts)), exists=True)
        return MISSING if seen is None else unknown(seen.why or f"it is a {seen.kind} now")

    def session_name(self, own: str, run_id: str) -> str | None:
        """Afresh would not find them again."""

    def fence(self, run_id: str) -> Probing[Fence]:  # noqa: ARG002 - one shape for all engines
        """Nobody can say."""
        return settled(CannotTell())

    def outside_change(self, recorded: str | None, observed: ProbeAnswer) -> OutsideChange | None:
        """By the parts that were recorded; silent where none were."""
        return compare_recorded(recorded, observed) if recorded is not None and self.lasting else None
