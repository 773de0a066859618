"""Two first runs at once: PostgreSQL's ``create schema if not exists`` fails where another session has just made the schema."""

from __future__ import annotations

from typing import Any

from dbt_common.exceptions import DbtDatabaseError

_MADE_MEANWHILE = "pg_namespace_nspname_index"
"""The index whose uniqueness the error names."""


def create_schemas_beside_others(adapter: Any) -> None:
    """From now on the adapter asks once more, and finds the schema that another run has made."""
    create = type(adapter).create_schema

    def create_or_find(relation: Any) -> None:
        try:
            create(adapter, relation)
        except DbtDatabaseError as error:
            if _MADE_MEANWHILE not in str(error):
                raise
            create(adapter, relation)

    adapter.create_schema = create_or_find
