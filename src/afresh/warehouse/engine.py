"""What every engine offers: how its names fold, which warehouse it is, what changed in it, and how its views are bound."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from afresh.warehouse.probe import NO_CHAINS, NO_LIMITS, NO_MEMOS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.core.observation import OutsideChange
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Signature
    from afresh.warehouse.asks import AskSql, Probing
    from afresh.warehouse.fence import Fence
    from afresh.warehouse.names import Ambiguous, Identity, Name, Quoting
    from afresh.warehouse.probe import AfterBuild, Answers, Built, Chains, FileChain, Held, Limits, Memos, Outside, ProbeAnswer, Target


class ViewBinding(str, Enum):
    """How a view finds the tables under it."""

    BY_OID = "by_oid"
    """It holds on to the very table: replacing that table drops or breaks the view."""
    BY_NAME = "by_name"
    """It looks the name up whenever it is read."""


class Engine(Protocol):
    """One kind of warehouse. All methods that must ask something are conversations (:mod:`afresh.warehouse.asks`)."""

    @property
    def adapter_type(self) -> str:
        """The name dbt gives the adapter."""

    @property
    def dialect(self) -> str:
        """The name sqlglot gives the SQL dialect; empty where there is none."""

    @property
    def view_binding(self) -> ViewBinding:
        """How views find their tables."""

    @property
    def replaces_drop_views(self) -> bool:
        """Whether dbt's way to replace a table or view drops the views over it, those of strangers too."""

    @property
    def sees_outside_writes(self) -> bool:
        """Whether writes of others into our relations can be seen at all."""

    @property
    def session_date_sql(self) -> str:
        """SQL for the current date in the session's own settings, as one marked text (:mod:`afresh.warehouse.cells`)."""

    @property
    def end_of_session(self) -> AskSql | None:
        """What a session that has written should run last, so that what it wrote is counted at once; ``None``: nothing."""

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:
        """The name as the engine folds it."""

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """Which warehouse the connection reaches (semantics §1, "Warehouse"). ``credentials`` are read for host, port and path only."""

    def probe(self, targets: Sequence[Target], memos: Memos = NO_MEMOS, limits: Limits = NO_LIMITS) -> Probing[Answers]:
        """The data version of every target now, in as few questions as the engine allows (semantics §4)."""

    def columns(self, targets: Sequence[Target]) -> Probing[Mapping[TraceKey, Signature]]:
        """The columns of relations that this run has just built, from the catalog alone; none where :meth:`post_build` tells."""

    def arrive(self, stored: Mapping[str, FileChain]) -> Probing[Chains]:
        """Compare the database files with how our last job left them. Call first of all, and store the result at once."""

    def leave(self, chains: Chains) -> Probing[Chains]:
        """How this job leaves the files. Call last of all, after a checkpoint, and only if the files were held from :meth:`arrive` on."""

    def post_build(
        self, built: Sequence[Built], chains: Chains = NO_CHAINS, limits: Limits = NO_LIMITS
    ) -> Probing[Mapping[TraceKey, AfterBuild]]:
        """The tokens that are attributable to our builds (semantics §4, "Post-build tokens")."""

    def outside(self, held: Sequence[Held], chains: Chains = NO_CHAINS, limits: Limits = NO_LIMITS) -> Probing[Mapping[TraceKey, Outside]]:
        """Which of our relations somebody else has written to since their last build (semantics §2, row 9)."""

    def session_name(self, own: str, run_id: str) -> str | None:
        """What every session of a run is called on the server, so that :meth:`fence` finds it; ``own`` is the user's name for it.

        ``None`` where nothing has to be found, or nothing can be.
        """

    def fence(self, run_id: str) -> Probing[Fence]:
        """End what a run that died left at work in the warehouse. Ask again until it is gone (semantics §5, "Takeover")."""

    def outside_change(self, recorded: str | None, observed: ProbeAnswer) -> OutsideChange | None:
        """How an own relation, as probed now, differs from the token its trace recorded; silent where none was."""
