"""What PostgreSQL's catalogue and statistics say of one relation, as one token.

Per partition the oid and file (truncate, replace and rewrite move them) and the counters of rows inserted, updated and
deleted (which the former do not move); the columns, because adding one with a default rewrites nothing; and the moment
the statistics were last reset. Measured false alarms: writes that were rolled back, VACUUM FULL, resets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.trace import Signature
from afresh.core.version import Known, Unknown
from afresh.warehouse.probe import MISSING, ProbeAnswer, Purpose, Signal, Strength
from afresh.warehouse.tokens import digest, token_parts, write_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.core.version import DataVersion
    from afresh.warehouse.postgres_sql import PgRelation, Server
    from afresh.warehouse.probe import Built, Target

ALGORITHM = "pg1"

_TYPES = {"r": "table", "p": "table", "v": "view", "m": "materialized_view", "f": "foreign_table", "S": "sequence"}
_HOLDING_ROWS = frozenset({"r", "p", "m"})
_SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast"})
_OF_THE_MOMENT = frozenset({"writes", "since"})


def answer_of(target: Target, server: Server, reached: Sequence[PgRelation]) -> ProbeAnswer:
    """The answer for one target, given everything it reaches."""
    if target.name.database and target.name.database != server.database:
        why = f"it is in database {target.name.database}, and the connection is to {server.database}"
        return ProbeAnswer(Unknown(why), warnings=(f"{target.relation.name}: {why}",))
    root = next((relation for relation in reached if relation.is_root), None)
    if root is None:
        return MISSING
    version = _version(target, server, root, reached)
    known = isinstance(version, Known)
    rows = sum(relation.rows for relation in reached if relation.rows >= 0 and relation.kind in "rm")
    return ProbeAnswer(
        version,
        signal=Signal.STATISTICS if known else Signal.NONE,
        strength=Strength.EXACT if known else Strength.NONE,
        warnings=() if isinstance(version, Known) else (f"{target.relation.name}: {version.why}",),
        exists=True,
        relation_type=_TYPES.get(root.kind, ""),
        signature=Signature(root.columns),
        estimated_rows=rows if root.rows >= 0 or root.kind != "r" else None,
    )


def _version(target: Target, server: Server, root: PgRelation, reached: Sequence[PgRelation]) -> DataVersion:
    if target.purpose is Purpose.OWN and root.kind == "v":
        return Known(write_token(ALGORITHM, {"columns": _columns([root]), "definition": root.definition or ""}))
    why = _why_unknown(server, reached)
    if why is not None:
        return Unknown(why)
    return Known(write_token(ALGORITHM, _parts(server, root, reached)))


def _why_unknown(server: Server, reached: Sequence[PgRelation]) -> str | None:
    if server.recovering:
        return "the server is a standby, where writes are not counted"
    if not server.counting:
        return "track_counts is off, so writes are not counted"
    for relation in reached:
        why = _why_opaque(relation)
        if why is not None:
            return why
    return None


def _why_opaque(relation: PgRelation) -> str | None:
    if relation.schema in _SYSTEM_SCHEMAS:
        return f"it reads the system catalogue ({relation.schema}.{relation.name})"
    if relation.kind == "f":
        return f"{relation.name} is a foreign table, whose writes are not counted here: add loaded_at_field"
    if relation.kind == "v":
        return None if relation.opaque is None else f"the view {relation.name} calls {relation.opaque}(), which may read anything"
    return None if relation.kind in _HOLDING_ROWS else f"it reads {relation.name}, which keeps no count of writes"


def _parts(server: Server, root: PgRelation, reached: Sequence[PgRelation]) -> dict[str, str]:
    views = sorted((relation for relation in reached if relation.kind == "v"), key=lambda view: view.oid)
    tables = sorted((relation for relation in reached if relation.kind in _HOLDING_ROWS), key=lambda table: table.oid)
    parts = {"oid": root.oid} if len(reached) == 1 and tables else {}
    parts |= {
        "at": digest(*((table.oid, table.file) for table in tables)),
        "columns": _columns([root, *tables]),
        "writes": _writes(tables),
        "since": server.since,
    }
    if views:
        parts["definition"] = digest(*sorted(view.definition or "" for view in views))
    if any(view.dated for view in views):
        parts["date"] = server.today
    return parts


def _columns(relations: Sequence[PgRelation]) -> str:
    return digest(*(relation.shape for relation in relations))


def _writes(tables: Sequence[PgRelation]) -> str:
    inserted, updated, deleted = (sum(table.writes[at] for table in tables) for at in range(3))
    total = f"{inserted}/{updated}/{deleted}"
    return total if len(tables) <= 1 else f"{total}/{digest(*((table.oid, table.writes) for table in tables))}"


def attributable(built: Built, token: str) -> str:
    """The parts of a token read after a build that are ours alone.

    Counters are ours if they say just what the build reported: nobody else can have written then. Else only what the
    table *is* stays: its oid, file and columns.
    """
    parts = token_parts(token)
    algorithm = parts.pop("algorithm")
    if "writes" in parts and not _counters_are_ours(built, parts):
        parts = {name: value for name, value in parts.items() if name not in _OF_THE_MOMENT}
    return write_token(algorithm, parts)


def _counters_are_ours(built: Built, after: dict[str, str]) -> bool:
    now = _counters(after)
    if built.reported_rows is None or now is None:
        return False
    if now == (built.reported_rows, 0, 0):
        return True
    before = token_parts(built.before) if built.before else {}
    then = _counters(before)
    continued = then is not None and before.get("oid") == after.get("oid") and before.get("since") == after.get("since")
    return continued and then is not None and now == (then[0] + built.reported_rows, then[1], then[2])


def _counters(parts: dict[str, str]) -> tuple[int, int, int] | None:
    """The counters of a relation that is one table; ``None`` for others."""
    numbers = parts.get("writes", "").split("/")
    if "oid" not in parts or len(numbers) != 3:  # noqa: PLR2004 - inserted, updated, deleted
        return None
    return int(numbers[0]), int(numbers[1]), int(numbers[2])
