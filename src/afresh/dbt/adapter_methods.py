"""What the methods that dbt offers to Jinja as ``adapter.…`` do: nothing but compute, read the warehouse, or more.

A method that is not named here may do anything: a rendering that may only read stops at it.
"""

from __future__ import annotations

READS_WAREHOUSE = frozenset(
    {
        "already_exists", "check_schema_exists", "execute", "get_column_schema_from_query", "get_columns_in_relation",
        "get_columns_in_table", "get_common_options", "get_dataset_location", "get_missing_columns", "get_partitions_metadata",
        "get_relation", "get_table_options", "get_view_options", "is_replaceable", "list_relations", "list_schemas",
        "location_exists", "table_type",
    }
)  # fmt: skip
"""Methods whose answer depends on what is in the warehouse (or its cache). Their SQL passes the guard like any other."""

_PURE = frozenset(
    {
        "Column", "Relation", "assert_valid_snapshot_target_given_strategy", "batch_id_for_model", "behavior",
        "build_catalog_relation", "catalog_supports_foreign_keys", "compare_dbr_version", "config", "convert_datetimes_to_strs",
        "convert_type", "date_function", "disable_transactions", "dispatch", "escape_sql_string", "existing_key_constraint_types",
        "external_read_location", "external_root", "external_write_options", "get_binding_char", "get_catalog_integration",
        "get_hard_deletes_behavior", "get_incremental_strategy_macro", "get_seed_file_path", "get_temp_relation_path", "is_cluster",
        "is_ducklake", "is_motherduck", "is_uniform", "nice_connection_name", "parse_columns_and_constraints", "parse_index",
        "parse_partition_by", "quote", "quote_as_configured", "quote_seed_column", "render_raw_columns_constraints",
        "render_raw_model_constraints", "standardize_grants_dict", "type", "use_ducklake_table_workarounds", "valid_incremental_strategies",
        "valid_snapshot_target", "verify_database", "warn_once",
    }
)  # fmt: skip


def is_pure(name: str) -> bool:
    """Whether a member of ``adapter`` answers the same whatever the warehouse holds, and changes nothing."""
    return name in _PURE


def may_read(name: str) -> bool:
    """Whether a rendering that may only read may use a member of ``adapter``."""
    return name in _PURE or name in READS_WAREHOUSE
