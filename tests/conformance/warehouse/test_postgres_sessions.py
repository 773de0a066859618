"""PostgreSQL: the sessions of a run are found by their name and ended, and nobody else's."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from afresh.warehouse.fence import Gone, Left, Session
from afresh.warehouse.postgres_sessions import name_of_session
from afresh.warehouse.registry import engine
from conformance.warehouse.driver import over_postgres
from support.postgres import USER

PG = engine("postgres")
DEAD = "01JDEADDEADDEADDEADDEADDEA"
OTHER = "01JOTHEROTHEROTHEROTHEROTH"


def session(postgres, name, user=USER):
    return psycopg.connect(host=postgres.host, port=postgres.port, dbname=postgres.name, user=user, application_name=name, autocommit=True)


def fence(connection, run_id=DEAD):
    return over_postgres(connection).hold(PG.fence(run_id))


def fence_until_gone(connection, run_id=DEAD):
    """What the protocol does, with a limit."""
    for _ in range(200):
        if fence(connection, run_id) == Gone():
            return
        time.sleep(0.05)
    pytest.fail("the sessions did not end")


def is_open(connection):
    try:
        connection.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def login(postgres):
    """Makes a role that may log in and nothing else."""
    made = []

    def make(suffix, *more):
        name = f"{postgres.name}_{suffix}"
        postgres.execute(f'create role "{name}" login', *(statement.format(f'"{name}"') for statement in more))
        made.append(name)
        return name

    yield make
    postgres.execute(*(f'drop role "{name}"' for name in reversed(made)))


def test_nothing_is_there_where_no_session_carries_the_run(postgres):
    with postgres.connect() as successor, session(postgres, name_of_session("dbt", OTHER)) as other:
        assert fence(successor) == Gone()
        assert is_open(other)


@pytest.mark.parametrize("own", ["dbt", "", "x" * 80, "ünïcode " * 10])
def test_the_sessions_of_a_run_are_ended_and_those_of_others_are_not(postgres, own):
    with (
        postgres.connect() as successor,
        session(postgres, name_of_session(own, DEAD)) as one,
        session(postgres, name_of_session(own, DEAD)) as two,
        session(postgres, name_of_session(own, OTHER)) as other,
    ):
        told = fence(successor)
        assert isinstance(told, Left)
        assert {found.pid for found in told.sessions} == {one.info.backend_pid, two.info.backend_pid}
        assert {found.refused for found in told.sessions} == {""}
        fence_until_gone(successor)
        assert (is_open(one), is_open(two), is_open(other)) == (False, False, True)


def test_what_an_ended_session_had_not_committed_is_not_written(postgres):
    postgres.execute("create table t (i int)")
    with postgres.connect() as successor, session(postgres, name_of_session("dbt", DEAD)) as dead:
        dead.execute("begin")
        dead.execute("insert into t values (1)")
        fence_until_gone(successor)
        with pytest.raises(psycopg.OperationalError):
            dead.execute("commit")
    assert postgres.query("select * from t") == []


def test_a_query_at_work_is_ended_with_its_session(postgres):
    with postgres.connect() as successor, session(postgres, name_of_session("dbt", DEAD)) as dead:
        ended = []

        def work():
            with pytest.raises(psycopg.OperationalError) as error:
                dead.execute("select pg_sleep(600)")
            ended.append(str(error.value))

        thread = threading.Thread(target=work)
        thread.start()
        while postgres.query("select 1 from pg_stat_activity where query like 'select pg_sleep(600)%' and state = 'active'") == []:
            time.sleep(0.02)
        fence_until_gone(successor)
        thread.join(timeout=60)
        assert "administrator command" in ended[0]


def test_a_run_does_not_end_the_session_that_asks(postgres):
    with session(postgres, name_of_session("dbt", DEAD)) as own:
        assert fence(own) == Gone()
        assert is_open(own)


def test_a_session_that_is_not_ours_to_end_stays_and_says_why(postgres, login):
    with (
        session(postgres, "another", user=login("other")) as successor,
        session(postgres, name_of_session("dbt", DEAD)) as dead,
    ):
        told = fence(successor)
        assert isinstance(told, Left)
        (left,) = told.sessions
        assert (left.pid, left.user) == (dead.info.backend_pid, USER)
        assert left.refused
        assert "\n" not in left.refused
        assert is_open(dead)
        dead.close()
        fence_until_gone(successor)


def test_a_role_that_is_set_does_not_keep_a_login_from_ending_its_own_sessions(postgres, login):
    owner = login("owner")
    user = login("user", f'grant "{owner}" to {{}}')
    with (
        session(postgres, "another", user=user) as successor,
        session(postgres, name_of_session("dbt", DEAD), user=user) as dead,
    ):
        successor.execute(f'set role "{owner}"')
        told = fence(successor)
        assert told == Left((Session(dead.info.backend_pid, user),))
        fence_until_gone(successor)
        assert successor.execute("select current_user").fetchone() == (owner,)


def test_a_warehouse_that_does_not_answer_is_not_taken_for_empty(postgres):
    connection = postgres.connect()
    connection.close()
    told = fence(connection)
    assert isinstance(told, Left)
    assert "closed" in told.error


@pytest.mark.parametrize("own", ["dbt", "", "x" * 80, "ünïcode " * 10, "a\tb"])
def test_the_server_keeps_the_name_as_it_is(postgres, own):
    name = name_of_session(own, DEAD)
    assert name.endswith(f"afresh:{DEAD}")
    assert len(name.encode()) <= 63
    with session(postgres, name) as connection:
        assert connection.execute("show application_name").fetchone() == (name,)
