"""A PostgreSQL server that answers but refuses is one clear error too."""

from __future__ import annotations

import pytest

from afresh.errors import StateUnavailableError
from afresh.store import RunRecord, open_store
from support.postgres import PostgresDatabase

RUN = RunRecord("r1", "afresh build", "shop", "prod")


def test_a_database_that_does_not_exist_is_named(postgres: PostgresDatabase) -> None:
    with pytest.raises(StateUnavailableError, match="does not exist") as refused:
        open_store(postgres.url.replace(postgres.name, "nowhere"))
    assert refused.value.hint is not None
    assert "unused" not in str(refused.value)


def test_a_user_who_may_not_create_tables_is_told_so(postgres: PostgresDatabase) -> None:
    postgres.execute("create role afresh_guest login", "revoke create on schema public from public")
    try:
        with pytest.raises(StateUnavailableError, match="may not create or use the state tables"):
            open_store(postgres.url.replace("postgres:unused", "afresh_guest"))
    finally:
        postgres.execute("drop role afresh_guest")


def test_a_primary_that_became_read_only_is_told_so(postgres: PostgresDatabase) -> None:
    with open_store(postgres.url):
        postgres.execute(f'alter database "{postgres.name}" set default_transaction_read_only = on')
    with open_store(postgres.url) as store, pytest.raises(StateUnavailableError, match="accepts no writes"):
        store.begin_run(RUN)


def test_a_connection_that_the_server_closed_is_replaced(postgres: PostgresDatabase) -> None:
    with open_store(postgres.url) as store:
        store.begin_run(RUN)
        postgres.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert store.run("r1") is not None


def test_two_states_live_side_by_side_in_two_schemas(postgres: PostgresDatabase) -> None:
    postgres.execute("create schema one", "create schema two")
    for schema in ("one", "two"):
        with open_store(f"{postgres.url}&options=-csearch_path%3D{schema}") as store:
            assert store.begin_run(RUN).number == 1
