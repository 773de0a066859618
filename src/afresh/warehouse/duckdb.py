"""DuckDB: names, identity, and the engine as a whole. Its signals are the database file and the content of tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.warehouse import duckdb_chain as chain
from afresh.warehouse.asks import settled
from afresh.warehouse.dialect import Dialect
from afresh.warehouse.duckdb_catalog import folded, folded_name
from afresh.warehouse.duckdb_probe import SESSION_DATE, columns_of, probe_duckdb
from afresh.warehouse.engine import ViewBinding
from afresh.warehouse.fence import Gone
from afresh.warehouse.loaded_at import with_loaded_at
from afresh.warehouse.names import Catalog, Identity
from afresh.warehouse.probe import NO_CHAINS, NO_LIMITS, NO_MEMOS, Outside, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.core.observation import OutsideChange
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Signature
    from afresh.warehouse.asks import AskSql, Probing
    from afresh.warehouse.duckdb_catalog import Database
    from afresh.warehouse.fence import Fence
    from afresh.warehouse.names import Ambiguous, Name, Quoting
    from afresh.warehouse.probe import AfterBuild, Answers, Built, Chains, FileChain, Held, Limits, Memos, ProbeAnswer, Target

_DIALECT = Dialect("duckdb")
_NOT_LOOKED = unknown("nothing was recorded to compare with")


@dataclass(frozen=True, slots=True)
class DuckDb:
    """dbt-duckdb on files of this machine. What is in memory is never remembered; MotherDuck has no identity yet."""

    adapter_type: str = "duckdb"
    dialect: str = "duckdb"
    view_binding: ViewBinding = ViewBinding.BY_NAME
    replaces_drop_views: bool = False
    sees_outside_writes: bool = True
    session_date_sql: str = SESSION_DATE
    end_of_session: AskSql | None = None

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:  # noqa: ARG002 - quoting does not matter here
        """Lower case for ASCII letters, quoted or not: DuckDB takes ``Orders`` and ``"orders"`` for one."""
        return folded_name(name)

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """The real path of the file, for each attached database its own.

        A database is known by its file, whatever name it was attached under, so that two projects share what they know of it.
        """
        databases, places = yield from chain.attached()
        path = str(credentials.get("path") or "")
        main = folded(str(credentials.get("database") or _stem(path)))
        warehouse = f"duckdb:{places[main]}" if main in places else None
        catalogs = {name: _catalog(database, places.get(name), warehouse) for name, database in databases.items()}
        return Identity(warehouse, catalogs)

    def probe(self, targets: Sequence[Target], memos: Memos = NO_MEMOS, limits: Limits = NO_LIMITS) -> Probing[Answers]:
        """An unchanged file vouches for the tokens read earlier; else the rows are hashed. Views are looked through."""
        return with_loaded_at(targets, probe_duckdb(targets, memos, limits), _DIALECT)

    def columns(self, targets: Sequence[Target]) -> Probing[Mapping[TraceKey, Signature]]:
        """From the catalog: what :meth:`post_build` tells comes only when the run ends."""
        return columns_of(targets)

    def arrive(self, stored: Mapping[str, FileChain]) -> Probing[Chains]:
        """See :mod:`afresh.warehouse.duckdb_chain`."""
        return chain.arrive(stored)

    def leave(self, chains: Chains) -> Probing[Chains]:
        """Only after a checkpoint, with no other connection of this process writing, and if the files were held throughout."""
        return chain.leave(chains)

    def post_build(
        self, built: Sequence[Built], chains: Chains = NO_CHAINS, limits: Limits = NO_LIMITS
    ) -> Probing[Mapping[TraceKey, AfterBuild]]:
        """What the relations hold at the end of the run. Only if the files were held from :meth:`arrive` on."""
        answers = yield from probe_duckdb([chain.own(entry.target) for entry in built], NO_MEMOS, limits)
        return {entry.target.key: chain.after_build(entry, answers[entry.target.key], chains) for entry in built}

    def outside(self, held: Sequence[Held], chains: Chains = NO_CHAINS, limits: Limits = NO_LIMITS) -> Probing[Mapping[TraceKey, Outside]]:
        """Nothing is read while the chain of the file is unbroken; else the content decides."""
        doubtful = [entry for entry in held if not chain.is_vouched_for(entry, chains)]
        recorded = [entry for entry in doubtful if chain.holds_content(entry.recorded)]
        answers = yield from probe_duckdb([chain.own(entry.target) for entry in recorded], NO_MEMOS, limits)
        found = {entry.target.key: _finding(entry, answers, chains) for entry in doubtful}
        return {entry.target.key: found.get(entry.target.key, Outside(None)) for entry in held}

    def session_name(self, own: str, run_id: str) -> None:
        """Sessions live within the process of the run."""

    def fence(self, run_id: str) -> Probing[Fence]:  # noqa: ARG002 - one shape for all engines
        """Nothing to do: a query ends with its process, and who can open the file after that is alone with it."""
        return settled(Gone())

    def outside_change(self, recorded: str | None, observed: ProbeAnswer) -> OutsideChange | None:
        """By content; what was not recorded counts as changed."""
        return chain.outside_change(recorded, observed)


def _finding(held: Held, answers: Answers, chains: Chains) -> Outside:
    observed = answers.get(held.target.key, _NOT_LOOKED)
    return chain.finding(held, observed, chains)


def _catalog(database: Database, path: str | None, main: str | None) -> Catalog:
    """Files are themselves; what is in memory is nowhere; what else is attached is known by the main file and its name there."""
    if path is not None:
        return Catalog(f"duckdb:{path}", _stem(path))
    in_memory = database.type == "duckdb" or not database.path
    return Catalog(None if in_memory else main, folded(database.name))


def _stem(path: str) -> str:
    """The name DuckDB itself gives to the database of a file."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    return folded(name.rsplit(".", 1)[0] or name)
