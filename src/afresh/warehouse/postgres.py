"""PostgreSQL: names, identity, and the engine as a whole. Its signal is the statistics that the server counts by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.core.version import Known
from afresh.warehouse.asks import AskSql, Failed, Rows, ask_one
from afresh.warehouse.cells import marked, unmarked_rows
from afresh.warehouse.dialect import Dialect
from afresh.warehouse.engine import ViewBinding
from afresh.warehouse.loaded_at import with_loaded_at
from afresh.warehouse.names import Identity, Name
from afresh.warehouse.postgres_sessions import end_sessions, name_of_session
from afresh.warehouse.postgres_sql import ask_relations, read_relations
from afresh.warehouse.postgres_token import answer_of, attributable
from afresh.warehouse.probe import (
    MISSING,
    NO_CHAINS,
    NO_LIMITS,
    NO_MEMOS,
    AfterBuild,
    Chains,
    Outside,
    ProbeAnswer,
    Purpose,
    unknown,
)
from afresh.warehouse.server import host_and_port
from afresh.warehouse.server_engine import ServerEngine
from afresh.warehouse.tokens import compare_recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from afresh.core.observation import OutsideChange
    from afresh.core.relation import TraceKey
    from afresh.warehouse.asks import Answer, Probing
    from afresh.warehouse.fence import Fence
    from afresh.warehouse.names import Ambiguous, Quoting
    from afresh.warehouse.probe import Answers, Built, Held, Limits, Memos, Target

_DIALECT = Dialect("postgres")
_LONGEST_NAME = 63

_SYSTEM_IDENTIFIER = AskSql(f"select {marked('system_identifier')} as answer from pg_control_system()", None, "the server's identity")
_FLUSH = AskSql(
    "select 't:' || coalesce(cast(pg_stat_force_next_flush() as varchar), '') as answer",
    None,
    "publish this session's counters",
    same_session=True,
)


@dataclass(frozen=True, slots=True)
class Postgres(ServerEngine):
    """dbt-postgres on PostgreSQL 12 and later."""

    adapter_type: str = "postgres"
    dialect: str = "postgres"
    view_binding: ViewBinding = ViewBinding.BY_OID
    replaces_drop_views: bool = True
    sees_outside_writes: bool = True
    session_date_sql: str = f"select {marked('current_date')} as answer"
    end_of_session: AskSql | None = _FLUSH

    def normalise(self, name: Name, quoting: Quoting) -> Name | Ambiguous:
        """Unquoted names fold to lower case (ASCII letters); all names are cut at 63 bytes, as the server does."""
        return Name(
            _folded(name.database, is_quoted=quoting.database),
            _folded(name.schema, is_quoted=quoting.schema),
            _folded(name.identifier, is_quoted=quoting.identifier),
        )

    def warehouse_identity(self, credentials: Mapping[str, object]) -> Probing[Identity]:
        """The system identifier where the role may read it, else host and port; ``None`` for a local server without either."""
        answer = yield from ask_one(_SYSTEM_IDENTIFIER)
        identifier = unmarked_rows(answer)[0][0] if isinstance(answer, Rows) and answer.rows else None
        if identifier:
            return Identity(f"postgres:{identifier}")
        place = host_and_port(credentials, default_port=5432)
        return Identity(f"postgres://{place}" if place else None)

    def probe(self, targets: Sequence[Target], memos: Memos = NO_MEMOS, limits: Limits = NO_LIMITS) -> Probing[Answers]:  # noqa: ARG002 - one shape
        """One statement per database for all targets, then ``loaded_at_*``."""
        return with_loaded_at(targets, _probe(targets), _DIALECT)

    def post_build(
        self,
        built: Sequence[Built],
        chains: Chains = NO_CHAINS,  # noqa: ARG002 - one shape for all engines
        limits: Limits = NO_LIMITS,  # noqa: ARG002 - one shape for all engines
    ) -> Probing[Mapping[TraceKey, AfterBuild]]:
        """Publish the session's counters, then read them, and keep what only our build can have caused.

        Each ask in a transaction of its own, in the session that built: counters are published between transactions.
        """
        if not built:
            return {}
        yield from ask_one(_FLUSH)
        answers = yield from _probe([_own(entry.target) for entry in built])
        return {entry.target.key: _after_build(entry, answers[entry.target.key]) for entry in built}

    def outside(
        self,
        held: Sequence[Held],
        chains: Chains = NO_CHAINS,  # noqa: ARG002 - one shape for all engines
        limits: Limits = NO_LIMITS,  # noqa: ARG002 - one shape for all engines
    ) -> Probing[Mapping[TraceKey, Outside]]:
        """One statement for all relations that have a token."""
        answers = yield from _probe([_own(entry.target) for entry in held if entry.recorded is not None])
        return {entry.target.key: Outside(self.outside_change(entry.recorded, answers.get(entry.target.key, MISSING))) for entry in held}

    def session_name(self, own: str, run_id: str) -> str:
        """In ``application_name``."""
        return name_of_session(own, run_id)

    def fence(self, run_id: str) -> Probing[Fence]:
        """Sessions of every database of the server, found by their name and terminated."""
        return end_sessions(run_id)

    def outside_change(self, recorded: str | None, observed: ProbeAnswer) -> OutsideChange | None:
        """By the parts that were recorded as ours; silent where none were."""
        return None if recorded is None else compare_recorded(recorded, observed)


def _folded(name: str, *, is_quoted: bool) -> str:
    text = name if is_quoted else "".join(char.lower() if char.isascii() else char for char in name)
    return text.encode()[:_LONGEST_NAME].decode(errors="ignore")


def _own(target: Target) -> Target:
    return replace(target, purpose=Purpose.OWN, loaded_at_field=None, loaded_at_query=None)


def _probe(targets: Sequence[Target]) -> Probing[Answers]:
    by_database: dict[str, list[Target]] = {}
    for target in targets:
        by_database.setdefault(target.name.database, []).append(target)
    if not by_database:
        return {}
    answers = yield tuple(_ask(database, group) for database, group in by_database.items())
    found: dict[TraceKey, ProbeAnswer] = {}
    for group, answer in zip(by_database.values(), answers, strict=True):
        found.update(_read(group, answer))
    return found


def _ask(database: str, targets: Sequence[Target]) -> AskSql:
    names = [(target.name.schema, target.name.identifier, target.purpose is Purpose.INPUT) for target in targets]
    return ask_relations(names, database or None)


def _read(targets: Sequence[Target], answer: Answer) -> dict[TraceKey, ProbeAnswer]:
    if not isinstance(answer, Rows):
        why = f"the catalogue could not be read: {answer.error if isinstance(answer, Failed) else 'no rows came back'}"
        return {target.key: unknown(why, warnings=(f"{target.relation.name}: {why}",)) for target in targets}
    server, reached = read_relations(answer)
    return {target.key: answer_of(target, server, reached.get(n, ())) for n, target in enumerate(targets)}


def _after_build(built: Built, observed: ProbeAnswer) -> AfterBuild:
    token = attributable(built, observed.version.token) if isinstance(observed.version, Known) else None
    return AfterBuild(token, observed.relation_type, observed.signature)
