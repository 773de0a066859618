"""PostgreSQL: which part of a token after a build is ours, and which writes of others into our relations are seen."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from afresh.warehouse.asks import AskSql
from afresh.warehouse.cells import session_date_at
from afresh.warehouse.names import Identity
from afresh.warehouse.probe import Built, Held
from afresh.warehouse.registry import engine
from afresh.warehouse.tokens import token_parts
from conformance.warehouse.driver import look, over_postgres, target

PG = engine("postgres")


@pytest.fixture
def session(postgres):
    """The session that builds."""
    with postgres.connect() as connection:
        connection.execute("create schema m")
        yield connection


@pytest.fixture
def wanted(postgres):
    return target(postgres.name, "m", "t")


def build(session, rows=10):
    """What dbt's table materialization does."""
    with session.transaction():
        session.execute(f"create table m.t__dbt_tmp as select n as i from generate_series(1, {rows}) n")
        session.execute("drop table if exists m.t cascade")
        session.execute("alter table m.t__dbt_tmp rename to t")


def settled(session, wanted, reported=None, before=None):
    built = Built(wanted, "table", reported_rows=reported, before=before)
    return over_postgres(session).hold(PG.post_build([built]))[wanted.key].outside_token


def change(postgres, wanted, recorded):
    with postgres.connect() as connection:
        return over_postgres(connection).hold(PG.outside([Held(wanted, recorded)]))[wanted.key].change


def by_a_stranger(postgres, *statements):
    with postgres.connect() as connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute("select pg_stat_force_next_flush()")
        connection.execute("select 1")


OUTSIDE = [
    "insert into m.t values (1)",
    "update m.t set i = 0 where i = 1",
    "delete from m.t where i = 1",
    "truncate m.t",
    "alter table m.t add column x integer",
    "create table m.n as select * from m.t; drop table m.t; alter table m.n rename to t",
]


@pytest.mark.parametrize("write", OUTSIDE)
def test_a_write_of_others_into_a_table_we_have_just_made_is_seen(postgres, session, wanted, write):
    build(session)
    recorded = settled(session, wanted, reported=10)
    assert "writes=10/0/0" in recorded
    assert change(postgres, wanted, recorded) is None
    by_a_stranger(postgres, *write.split("; "))
    found = change(postgres, wanted, recorded)
    assert found is not None
    assert found.text


@pytest.mark.parametrize("reported", [None, 9, 11])
def test_counters_that_are_not_what_the_build_reported_are_not_ours(session, wanted, reported):
    build(session)
    assert set(token_parts(settled(session, wanted, reported=reported))) == {"algorithm", "oid", "at", "columns"}


def test_a_write_of_others_before_the_token_is_read_is_never_taken_for_ours(postgres, session, wanted):
    build(session)
    by_a_stranger(postgres, "insert into m.t values (1)")
    assert "writes" not in settled(session, wanted, reported=10)


@pytest.mark.parametrize("write", ["truncate m.t", "create table m.n as select * from m.t; drop table m.t; alter table m.n rename to t"])
def test_a_replaced_table_is_seen_even_where_no_counter_is_ours(postgres, session, wanted, write):
    build(session)
    recorded = settled(session, wanted)
    assert change(postgres, wanted, recorded) is None
    by_a_stranger(postgres, "insert into m.t values (1)")
    assert change(postgres, wanted, recorded) is None
    by_a_stranger(postgres, *write.split("; "))
    assert change(postgres, wanted, recorded) is not None


def own_token(session, wanted):
    session.execute("select pg_stat_force_next_flush()")
    return look(over_postgres(session), "postgres", wanted).version.token


def test_rows_appended_by_us_alone_are_ours(postgres, session, wanted):
    build(session)
    before = own_token(session, wanted)
    session.execute("insert into m.t select 1 from generate_series(1, 5)")
    recorded = settled(session, wanted, reported=5, before=before)
    assert "writes=15/0/0" in recorded
    by_a_stranger(postgres, "insert into m.t values (1)")
    assert change(postgres, wanted, recorded) is not None


def test_rows_appended_by_us_and_others_at_once_are_not_ours(postgres, session, wanted):
    build(session)
    before = own_token(session, wanted)
    session.execute("insert into m.t select 1 from generate_series(1, 5)")
    by_a_stranger(postgres, "insert into m.t values (1)")
    assert "writes" not in settled(session, wanted, reported=5, before=before)


def test_a_seed_that_was_truncated_and_filled_again_is_ours(session, wanted):
    build(session)
    before = own_token(session, wanted)
    session.execute("truncate m.t")
    session.execute("insert into m.t select 1 from generate_series(1, 5)")
    assert "writes=15/0/0" in settled(session, wanted, reported=5, before=before)


def test_a_view_of_ours_is_its_definition_and_not_what_is_under_it(postgres, session):
    build(session)
    session.execute("create view m.v as select * from m.t")
    view = target(postgres.name, "m", "v")
    recorded = settled(session, view)
    by_a_stranger(postgres, "insert into m.t values (1)")
    assert change(postgres, view, recorded) is None
    by_a_stranger(postgres, "create or replace view m.v as select * from m.t where i > 3")
    assert "definition" in change(postgres, view, recorded).text


def test_a_reset_of_statistics_means_that_nobody_can_say(postgres, session, wanted):
    build(session)
    recorded = settled(session, wanted, reported=10)
    by_a_stranger(postgres, "select pg_stat_reset()")
    assert "statistics were reset" in change(postgres, wanted, recorded).text


def test_a_relation_that_is_gone_has_changed(postgres, session, wanted):
    build(session)
    recorded = settled(session, wanted, reported=10)
    by_a_stranger(postgres, "drop table m.t")
    assert change(postgres, wanted, recorded) is not None


def test_without_a_recorded_token_the_engine_is_silent(postgres, session, wanted):
    build(session)
    assert change(postgres, wanted, None) is None


def test_the_counters_are_published_in_the_session_that_built(session, wanted):
    build(session)
    talk = over_postgres(session)
    talk.hold(PG.post_build([Built(wanted)]))
    assert [ask.same_session for ask in talk.asked if isinstance(ask, AskSql)] == [True, False]


# --- identity and date ------------------------------------------------------------------------------------------------


def test_the_identity_is_the_servers_own(postgres, session):
    identity = over_postgres(session).hold(PG.warehouse_identity({"host": "localhost", "port": 5432}))
    with postgres.connect() as other:
        assert over_postgres(other).hold(PG.warehouse_identity({"host": "db.example", "port": 1})) == identity
    assert identity.warehouse.startswith("postgres:")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("DB.Example.", "postgres://db.example:5432"), ("localhost", None), ("127.0.0.1", None), ("/var/run/postgresql", None), (None, None)],
)
def test_without_permission_the_host_and_port_stand_for_the_server(postgres, session, host, expected):
    session.execute("revoke execute on function pg_control_system() from public")
    session.execute(f'create role "{postgres.name}"')
    session.execute(f'set role "{postgres.name}"')
    try:
        assert over_postgres(session).hold(PG.warehouse_identity({"host": host})) == Identity(expected)
    finally:
        session.execute("reset role")
        session.execute(f'drop role "{postgres.name}"')


def test_a_role_without_rights_can_still_probe(postgres, session, wanted):
    build(session)
    expected = own_token(session, wanted)
    session.execute(f'create role "{postgres.name}"')
    session.execute(f'set role "{postgres.name}"')
    try:
        assert look(over_postgres(session), "postgres", wanted).version.token == expected
    finally:
        session.execute("reset role")
        session.execute(f'drop role "{postgres.name}"')


def test_the_date_is_the_sessions(session):
    session.execute("set time zone 'Pacific/Kiritimati'")
    east = session.execute(PG.session_date_sql).fetchone()[0]
    session.execute("set time zone 'Etc/GMT+12'")
    assert east > session.execute(PG.session_date_sql).fetchone()[0]
    assert east.startswith("t:20")


def test_the_date_of_a_moment_is_the_sessions_too(session):
    evening = session_date_at(datetime(2026, 12, 1, 18, 0, tzinfo=timezone.utc))
    session.execute("set time zone 'Pacific/Kiritimati'")
    assert session.execute(evening).fetchone() == ("t:2026-12-02",)
    session.execute("set time zone 'UTC'")
    assert session.execute(evening).fetchone() == ("t:2026-12-01",)
