"""SQL whose answer is the moment at which it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

if TYPE_CHECKING:
    from collections.abc import Iterator

VOLATILE_NAMES = frozenset(
    {
        "clock_timestamp",
        "current_date",
        "current_datetime",
        "current_localtime",
        "current_localtimestamp",
        "current_time",
        "current_timestamp",
        "current_timestamp_l_t_z",
        "current_timestamp_ltz",
        "datetime_now",
        "gen_random_uuid",
        "get_current_time",
        "get_current_timestamp",
        "getdate",
        "getutcdate",
        "localtime",
        "localtimestamp",
        "newid",
        "now",
        "rand",
        "randn",
        "random",
        "shuffle",
        "statement_timestamp",
        "sysdate",
        "sysdatetime",
        "sysdatetimeoffset",
        "systimestamp",
        "sysutcdatetime",
        "timeofday",
        "today",
        "transaction_timestamp",
        "unix_timestamp",
        "utc_date",
        "utc_time",
        "utc_timestamp",
        "uuid",
        "uuid_string",
        "uuidv4",
        "uuidv7",
        "yesterday",
    }
)
_WITHOUT_PARENTHESES = frozenset(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "sysdate", "systimestamp"}
)
_FILTERS = (exp.Where, exp.Having, exp.Qualify, exp.Join)


def answers_with_now(sql: str, dialect: str) -> str | None:
    """The volatile call that a query *answers with*, or ``None``.

    A call in a filter does not count: ``max(loaded_at) … where loaded_at > now() - interval '3 days'`` stands still while
    nothing arrives. SQL that cannot be read gives ``None`` too: whoever needs certainty asks twice and compares.
    """
    try:
        tree = sqlglot.parse_one(sql, read=dialect or None)
    except (SqlglotError, ValueError, RecursionError):
        return None
    return next(_calls_outside_filters(tree), None)


def volatile_calls(tree: exp.Expr) -> Iterator[str]:
    """Every volatile call of a query, filters included."""
    return (name for node in tree.walk() if (name := _call_name(node)) in VOLATILE_NAMES)


def _calls_outside_filters(tree: exp.Expr) -> Iterator[str]:
    for node in tree.walk(prune=lambda found: isinstance(found, _FILTERS)):
        name = _call_name(node)
        if name in VOLATILE_NAMES:
            yield name


def _call_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    if isinstance(node, exp.Column) and not node.table and not node.this.quoted:
        return node.name.lower() if node.name.lower() in _WITHOUT_PARENTHESES else ""
    return node.sql_name().lower() if isinstance(node, exp.Func) else ""
