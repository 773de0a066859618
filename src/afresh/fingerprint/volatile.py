"""Values in SQL that change by themselves: dates, times, random numbers, session facts (semantics §3, ``evaluate_volatile_sql``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from sqlglot import TokenType, exp

from afresh.fingerprint.name_sets import names
from afresh.fingerprint.select_items import only_fills_output, output_name
from afresh.fingerprint.tokens import Word, acting_comments, likely_words_of, words_of
from afresh.fingerprint.trees import parse_query

if TYPE_CHECKING:
    from collections.abc import Iterator


class CallKind(str, Enum):
    """What moves a volatile value."""

    DATE_GRAIN = "date"
    TIME = "time"
    RANDOM = "random"
    SESSION = "session"


class Position(str, Enum):
    """Where a volatile value stands: as a whole output column that decides nothing, or anywhere else."""

    SELECT_ITEM = "select_item"
    OTHER = "other"


class MarkerUse(str, Enum):
    """Whether a rendered volatile value can be seen in the result."""

    IGNORED = "ignored"
    COUNTS = "counts"


@dataclass(frozen=True, slots=True)
class VolatileCall:
    """One volatile value. ``output`` names the column that it is, if it is one: a config (``unique_key``, ``updated_at``) may use it."""

    name: str
    kind: CallKind
    position: Position
    output: str = ""


_DATES = names("current_date curdate today yesterday tomorrow utc_date")
_TIMES = names(
    """
    current_timestamp current_time current_datetime now now64 getdate getutcdate get_current_timestamp get_current_time sysdate
    systimestamp sysdatetime sysutcdatetime sysdatetimeoffset localtimestamp localtime current_localtime current_localtimestamp
    transaction_timestamp statement_timestamp clock_timestamp timeofday utc_timestamp utc_time curtime current_timestamp_ltz
    currenttimestampltz current_timestampltz systime now_in_block nowinblock uptime mz_now pg_postmaster_start_time pg_conf_load_time
    unix_now
    """
)
_RANDOMS = names(
    """
    random rand randn randstr random_normal rand32 rand64 randcanonical randconstant randuniform randnormal randombytes randomblob
    random_bytes gen_random_bytes randomstring randomfixedstring randomprintableascii generateuuidv4 generateuuidv7 generate_uuid uuid
    uuid_string gen_random_uuid uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7 newid newsequentialid sys_guid gen_salt
    shuffle array_shuffle array_sample nextval currval lastval nextvaluefor next_value_for seq1 seq2 seq4 seq8 uniform normal zipf
    monotonically_increasing_id uuid_v4 uuid_v7 ulid generate_ulid random_uuid random_sample
    """
)
_SESSIONS = names(
    """
    current_user session_user system_user current_role current_catalog current_schema current_schemas current_database current_account
    current_account_name current_organization_name current_client current_ip_address current_region current_session current_statement
    current_transaction current_version current_warehouse current_secondary_roles current_available_roles current_setting current_query
    current_query_id current_connection_id current_transaction_id current_timezone current_metastore invoker_role invoker_share
    last_query_id last_transaction pg_backend_pid pg_current_xact_id pg_current_snapshot txid_current txid_current_snapshot
    txid_current_if_assigned connection_id inet_client_addr inet_client_port inet_server_addr inet_server_port suser_sname suser_name
    user_name host_name app_name original_login hostname currentuser currentdatabase sys_context userenv version getvariable
    is_role_in_session is_member is_account_group_member current_groups current_principal sessionuser currentrole currentschema
    currentcatalog session_id query_id pg_is_in_recovery pg_trigger_depth pg_my_temp_schema schema_name db_name user
    """
)
_KINDS = {
    **dict.fromkeys(_DATES, CallKind.DATE_GRAIN),
    **dict.fromkeys(_TIMES, CallKind.TIME),
    **dict.fromkeys(_RANDOMS, CallKind.RANDOM),
    **dict.fromkeys(_SESSIONS, CallKind.SESSION),
}
_SQUEEZED_KINDS = {name.replace("_", ""): kind for name, kind in _KINDS.items()}
"""sqlglot makes names like ``current_timestamp_l_t_z`` out of its classes."""
_ONLY_WITHOUT_ARGUMENTS = frozenset({"unix_timestamp", "to_unix_timestamp", "unixepoch"})
"""The time of now without an argument, a conversion with one."""
_WITHOUT_PARENTHESES = names(
    """
    current_date current_time current_timestamp current_datetime localtime localtimestamp sysdate systimestamp current_user session_user
    system_user current_role current_catalog current_schema utc_date utc_time utc_timestamp nextval currval
    """
)
"""Names that are calls without parentheses in some engine, where they parse as columns."""
_USER_IS_A_CALL = frozenset({"postgres", "redshift", "materialize", "risingwave", "oracle", "duckdb"})
_SPECIAL_DATES = frozenset({"now", "today", "tomorrow", "yesterday"})
_SPECIAL_DATE_DIALECTS = frozenset({"postgres", "redshift", "materialize", "risingwave", "sqlite", "duckdb"})


def volatile_calls(sql: str, dialect: str | None) -> tuple[VolatileCall, ...]:
    """Every volatile value in ``sql``. A text that does not parse is searched for words, all of them in ``OTHER`` position."""
    tree = parse_query(sql, dialect)
    if tree is None:
        return tuple(_in_words(sql, dialect))
    in_tree = [
        VolatileCall(name, kind, *_placed(node)) for node in tree.walk() for name, kind in [_volatile(node, dialect)] if kind is not None
    ]
    in_comments = [call for comment in acting_comments(sql, dialect) for call in _among(re.findall(r"\w+", comment))]
    return (*in_tree, *in_comments)


def _placed(node: exp.Expr) -> tuple[Position, str]:
    position = Position.SELECT_ITEM if only_fills_output(node) else Position.OTHER
    return position, output_name(node) or ""


def _volatile(node: exp.Expr, dialect: str | None) -> tuple[str, CallKind | None]:
    if isinstance(node, exp.Func):
        return _volatile_function(node)
    if isinstance(node, exp.Column):
        return _volatile_column(node, dialect)
    if isinstance(node, exp.TableSample):
        return "tablesample", None if node.args.get("seed") is not None else CallKind.RANDOM
    if isinstance(node, exp.Literal) and dialect in _SPECIAL_DATE_DIALECTS:
        special = node.is_string and node.this.strip().lower() in _SPECIAL_DATES
        return f"'{node.this}'", CallKind.DATE_GRAIN if special else None
    if (
        isinstance(node, (exp.Parameter, exp.SessionParameter))
        and not isinstance(node.parent, exp.Parameter)
        and dialect in ("tsql", "fabric", "mysql", "bigquery", "singlestore")
    ):
        return node.sql(), CallKind.SESSION
    return "", None


def _volatile_function(node: exp.Func) -> tuple[str, CallKind | None]:
    name = (str(node.this) if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
    arguments = node.expressions if isinstance(node, exp.Anonymous) else [item for item in node.args.values() if item]
    if name in _ONLY_WITHOUT_ARGUMENTS:
        return name, None if arguments else CallKind.TIME
    if name == "age":
        return name, CallKind.DATE_GRAIN if len(arguments) == 1 else None
    return name, _kind(name)


def _kind(name: str) -> CallKind | None:
    found = _KINDS.get(name) or _SQUEEZED_KINDS.get(name.replace("_", ""))
    if found is None and name.startswith(("generateuuid", "rand", "dbms_random", "uuid_generate", "nondeterministic")):
        return CallKind.RANDOM
    return found


def _volatile_column(node: exp.Column, dialect: str | None) -> tuple[str, CallKind | None]:
    name = node.name.lower()
    if not isinstance(node.this, exp.Identifier) or node.this.args.get("quoted"):
        return name, None
    if name in ("nextval", "currval"):
        return name, CallKind.RANDOM
    if node.table:
        return name, None
    if name == "user" and dialect in _USER_IS_A_CALL:
        return name, CallKind.SESSION
    return name, _KINDS.get(name) if name in _WITHOUT_PARENTHESES else None


def _in_words(sql: str, dialect: str | None) -> Iterator[VolatileCall]:
    words = likely_words_of(sql, dialect)
    yield from _among([word.text for word in words] if words is not None else re.findall(r"\w+", sql))


def _among(texts: list[str]) -> Iterator[VolatileCall]:
    for name in texts:
        kind = _kind(name.lower()) or (CallKind.TIME if name.lower() in _ONLY_WITHOUT_ARGUMENTS else None)
        if kind is not None:
            yield VolatileCall(name.lower(), kind, Position.OTHER)


# --- markers of volatile Jinja ----------------------------------------------------------------------------------------


def classify_marker(sql: str, marker_regex: str | re.Pattern[str], dialect: str | None) -> MarkerUse:
    """Whether the markers that stand for volatile Jinja values can be seen in the result (semantics §1, "Volatile Jinja").

    ``IGNORED`` when each of them stands in a comment, or in a literal (or as a name) that is a whole select-list item. No marker at all
    is ``IGNORED`` too.
    """
    pattern = re.compile(marker_regex)
    matches = [match.span() for match in pattern.finditer(sql)]
    if not matches:
        return MarkerUse.IGNORED
    words = words_of(sql, dialect)
    if words is None:
        return MarkerUse.COUNTS
    touched = [[word for word in words if word.start < end and start < word.end] for start, end in matches]
    if all(not hits for hits in touched):
        return MarkerUse.IGNORED
    return MarkerUse.IGNORED if _all_fill_output(sql, pattern, touched, dialect) else MarkerUse.COUNTS


def _all_fill_output(sql: str, pattern: re.Pattern[str], touched: list[list[Word]], dialect: str | None) -> bool:
    hits = [word for found in touched for word in found]
    if any(len(found) > 1 for found in touched) or any(word.type not in (TokenType.STRING, TokenType.VAR) for word in hits):
        return False
    tree = parse_query(sql, dialect)
    if tree is None:
        return False
    values = [node for node in tree.find_all(exp.Literal, exp.Column) if pattern.search(node.name)]
    # Every word must be accounted for by a value: a marker that became an alias, a relation or part of something else counts.
    return len(values) == len({word.start for word in hits}) and all(only_fills_output(value) for value in values)
