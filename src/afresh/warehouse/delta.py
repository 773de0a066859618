"""Delta tables: the version of the last commit that may have changed rows, as the table's own log tells it.

Commits that only compact, clean up or describe are passed over, so that maintenance is no new data.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from afresh.warehouse.asks import Answer, AskSql, Failed, Rows
from afresh.warehouse.catalogue import TABLE, Seen, refused
from afresh.warehouse.probe import Signal, Strength

if TYPE_CHECKING:
    from collections.abc import Iterable

    from afresh.warehouse.dialect import Dialect
    from afresh.warehouse.names import Name

COMMITS = 50
"""How many commits are looked at. If all of them left the rows alone, the last of them counts, which is only a needless build."""

_LEAVE_ROWS_ALONE = frozenset(
    {
        "ADD CONSTRAINT",
        "CLUSTER BY",
        "COMPUTE STATS",
        "DROP CONSTRAINT",
        "OPTIMIZE",
        "REORG",
        "SET TBLPROPERTIES",
        "UNSET TBLPROPERTIES",
        "UPGRADE PROTOCOL",
        "VACUUM END",
        "VACUUM START",
    }
)
_MISSING = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "table or view not found", "DELTA_TABLE_NOT_FOUND")


def ask_history(words: Dialect, name: Name) -> AskSql:
    """The last commits of one table, newest first."""
    named = words.dotted((name.database, name.schema, name.identifier))
    return AskSql(f"describe history {named} limit {COMMITS}", name.database or None, f"history of {name.schema}.{name.identifier}")


def is_missing(answer: Answer) -> bool:
    """Whether an error says that there is no such table."""
    return isinstance(answer, Failed) and any(sign.lower() in answer.error.lower() for sign in _MISSING)


def read_history(answer: Answer) -> Seen:
    """The version that the answer to :func:`ask_history` comes to."""
    if not isinstance(answer, Rows):
        return refused(answer, "its history")
    at = {column.lower(): index for index, column in enumerate(answer.columns)}
    if not {"version", "timestamp", "operation"} <= at.keys():
        return Seen(TABLE, why="its history has another form than expected")
    return seen_of_commits((row[at["version"]], row[at["timestamp"]], row[at["operation"]]) for row in answer.rows)


def seen_of_commits(commits: Iterable[tuple[object, object, object]]) -> Seen:
    """The last of these commits (version, time, operation) that may have changed rows."""
    numbered = sorted(
        (int(str(version)), _spelled(at), str(operation).upper()) for version, at, operation in commits if version is not None
    )
    if not numbered:
        return Seen(TABLE, why="its history is empty")
    telling = [commit for commit in numbered if commit[2] not in _LEAVE_ROWS_ALONE] or numbered
    version, at, _ = telling[-1]
    return Seen(TABLE, {"version": str(version), "at": at}, signal=Signal.TABLE_VERSION, strength=Strength.EXACT)


def _spelled(at: object) -> str:
    if isinstance(at, datetime):
        return (at if at.tzinfo is None else at.astimezone(timezone.utc)).isoformat()
    return str(at)
