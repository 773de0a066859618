"""Which configs are code, which only describe, and which never count (semantics §1, "Parts").

What is not known counts: a key of an adapter or a package that this table has never heard of is code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from afresh.core.node import ResourceType
from afresh.core.version import Part, PartGroup
from afresh.fingerprint.digest import digest_of, shown, spelled
from afresh.fingerprint.macros import macro_digest
from afresh.fingerprint.python_model import python_config_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afresh.fingerprint.node_code import NodeCode

NEVER_COUNTED: frozenset[str] = frozenset(
    {
        # What people and tools sort nodes by.
        "tags", "meta", "group", "access", "docs", "owner", "enabled",
        # When to build, and what to do afterwards; never what.
        "freshness", "state", "full_refresh", "on_error", "concurrent_batches", "loaded_at_field", "loaded_at_query", "event_time",
        # Where to build: the relation's name says it, with generate_*_name applied.
        "alias", "schema", "database", "target_schema", "target_database",
        # Settings of dbt's own linters and of other engines for the same project.
        "static_analysis",
    }
)  # fmt: skip
"""Configs whose value never changes what is built. Where code reads one of them, the depfile records that."""

METADATA_KEYS: frozenset[str] = frozenset(
    {
        "grants", "grant_access_to", "labels", "labels_from_meta", "resource_tags", "databricks_tags", "query_tag", "query_comment",
        "persist_docs",
    }
)  # fmt: skip
"""Configs that describe or open the relation without changing its rows or columns."""

_WITHOUT_ORDER = frozenset({"grants", "grant_access_to", "packages"})
"""Configs whose lists are sets to dbt and to every engine. `unique_key`, `partition_by` and the like keep their order: a custom
strategy may use it, and only people reorder them."""

_CORE_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    # dbt-core fills these in by itself, newer versions more of them: a default is as good as nothing said.
    "batch_size": (None,),
    "begin": (None,),
    "check_cols": (None,),
    "column_types": (None, {}),
    "contract": (None, {}, {"enforced": False}, {"enforced": False, "alias_types": True}),
    "dbt_valid_to_current": (None,),
    "delimiter": (None, ","),
    "entry_point": (None,),
    "error_if": (None, "!= 0"),
    "fail_calc": (None, "count(*)"),
    "grants": (None, {}),
    "hard_deletes": (None,),
    "incremental_strategy": (None,),
    "invalidate_hard_deletes": (None, False),
    "latest_version_pointer": (None, {}),
    "limit": (None,),
    "lookback": (None, 1),
    "on_configuration_change": (None, "apply"),
    "on_schema_change": (None, "ignore"),
    "packages": (None, []),
    "persist_docs": (None, {}),
    "post-hook": (None, []),
    "pre-hook": (None, []),
    "quote_columns": (None,),
    "quoting": (None, {}),
    "runtime_version": (None,),
    "severity": (None, "ERROR", "error"),
    "snapshot_meta_column_names": (None, {}),
    "snowflake": (None, {}, {"quote_args": True}),
    "sql_header": (None,),
    "store_failures": (None,),
    "store_failures_as": (None,),
    "strategy": (None,),
    "type": (None, "scalar"),
    "unique_key": (None,),
    "updated_at": (None,),
    "volatility": (None,),
    "warn_if": (None, "!= 0"),
    "where": (None,),
}
_HOOKS = {"pre_hook": "pre-hook", "pre-hook": "pre-hook", "post_hook": "post-hook", "post-hook": "post-hook"}
_SPARSE = frozenset({"contract", "snapshot_meta_column_names", "latest_version_pointer", "quoting"})
"""Configs whose fields are all optional to dbt: one that is ``None`` says nothing."""
_MICROBATCH_ONLY = frozenset({"batch_size", "begin", "lookback"})
_META_READERS = ("labels_from_meta",)


def config_parts(code: NodeCode) -> dict[str, Part]:
    """One part per config that counts, ``config.<key>``, with its value in short."""
    return dict(_counted(code))


def _counted(code: NodeCode) -> Iterator[tuple[str, Part]]:
    read = _read_by_python(code)
    for raw_key, raw_value in code.config.items():
        key = _HOOKS.get(raw_key, raw_key)
        value = _normal(key, raw_value)
        if key in read or _counts(key, value, code):
            yield f"config.{key}", _part(key, value)
    if any(code.config.get(key) for key in _META_READERS):
        yield "config.meta", Part(digest_of(code.config.get("meta")), PartGroup.METADATA, shown(code.config.get("meta")))
    if code.is_microbatch and code.config.get("event_time") is not None:
        yield "config.event_time", Part(digest_of(code.config["event_time"]), shown=shown(code.config["event_time"]))


def _read_by_python(code: NodeCode) -> frozenset[str]:
    """The configs that a Python model asks for: those count, whatever they are. What Jinja asks for is in the depfile."""
    if code.language != "python":
        return frozenset()
    keys = python_config_keys(code.raw_code)
    return frozenset(code.config) if keys is None else keys


def _counts(key: str, value: object, code: NodeCode) -> bool:
    if key in NEVER_COUNTED or (key in _MICROBATCH_ONLY and not code.is_microbatch):
        return False
    if key == "packages" and code.language != "python" and code.resource_type is not ResourceType.FUNCTION:
        return False
    said_nothing = {spelled(default) for default in _CORE_DEFAULTS.get(key, ())}
    return spelled(value) not in said_nothing


def _part(key: str, value: object) -> Part:
    if key in ("pre-hook", "post-hook"):
        return Part(_hooks_digest(value), shown=shown(value))
    if key in _WITHOUT_ORDER:
        value = _unordered(value)
    group = PartGroup.METADATA if key in METADATA_KEYS else PartGroup.CODE
    return Part(digest_of(value), group, shown(value))


def _normal(key: str, value: object) -> object:
    """The value without what dbt leaves in or out from version to version."""
    if isinstance(value, Mapping) and key in _SPARSE:
        # `checksum` repeats the columns, which are parts of their own.
        return {name: item for name, item in value.items() if item is not None and name != "checksum"}
    if isinstance(value, Mapping) and key == "persist_docs":
        return {name: item for name, item in value.items() if item}
    if key == "severity" and isinstance(value, str):
        return value.lower()
    return value


def _hooks_digest(value: object) -> str:
    """Hooks in order: their SQL without Jinja comments, and whether they share the transaction."""
    hooks = value if isinstance(value, (list, tuple)) else [value]
    return digest_of([_hook(hook) for hook in hooks])


def _hook(hook: object) -> object:
    if isinstance(hook, str):
        return [macro_digest(hook), True]
    if isinstance(hook, Mapping):
        return [macro_digest(str(hook.get("sql", ""))), bool(hook.get("transaction", True))]
    return [macro_digest(str(getattr(hook, "sql", hook))), bool(getattr(hook, "transaction", True))]


def _unordered(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _unordered([item] if isinstance(item, str) else item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return sorted((_unordered(item) for item in value), key=spelled)
    return value
