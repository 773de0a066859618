"""State that cannot be used: plain dbt with one loud warning, or nothing at all, as `on_state_error` says; never a reuse."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from integration.bad_input.refusal import assert_refused
from integration.seam.zoo import event_loops_left_open

FILES = {
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/b.sql": "select * from {{ ref('a') }}",
}
STATE = ".afresh/state.db"


def _garbage(project):
    (project.root / STATE).write_bytes(b"this is no database at all, whatever it is called" * 100)


def _newer(project):
    with closing(sqlite3.connect(project.root / STATE)) as file, file:
        (table,) = file.execute("select name from sqlite_master where name like '%version%'").fetchone()
        file.execute(f"update {table} set version_num = '9999'")


def _cut_short(project):
    with closing(sqlite3.connect(project.root / STATE)) as file:
        file.execute("pragma wal_checkpoint(truncate)")
    whole = (project.root / STATE).read_bytes()
    (project.root / STATE).write_bytes(whole[: len(whole) // 2])


def _folder(project):
    for path in (project.root / ".afresh").glob("state.db*"):
        path.unlink()
    (project.root / STATE).mkdir()


BROKEN = {"damaged": _garbage, "has schema 9999": _newer, "cut short": _cut_short, "is a folder": _folder}


@pytest.fixture
def built(shop):
    project = shop(FILES)
    project.afresh("build")
    return project


@pytest.mark.smoke
@pytest.mark.parametrize("told", BROKEN)
def test_a_state_that_cannot_be_read_means_plain_dbt_and_one_warning(built, told):
    BROKEN[told](built)

    outcome = built.afresh("build")

    assert (outcome.exit_code, outcome.executed, outcome.reused) == (0, {"a", "b"}, set())
    assert outcome.stdout.count("[WARNING] Afresh:") == 1
    assert told in outcome.stdout or told == "cut short"
    assert "Traceback" not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("told", BROKEN)
def test_a_state_that_cannot_be_read_stops_everything_where_that_is_wanted(built, told):
    BROKEN[told](built)
    built.write({"afresh.yml": "on_state_error: fail\n"})
    built.execute("delete from a")

    assert_refused(built.afresh("build"), STATE)
    assert built.rows("a") == []


@pytest.mark.parametrize("told", BROKEN)
def test_a_plan_and_an_explanation_need_a_state_that_can_be_read(built, told):
    BROKEN[told](built)

    for command in ("plan", "explain"):
        assert_refused(built.afresh(command), STATE)


def test_what_was_built_without_state_is_built_again_when_it_is_back(built):
    kept = (built.root / STATE).rename(built.root / "kept.db")
    for rest in (built.root / ".afresh").glob("state.db-*"):
        rest.unlink()
    built.write({STATE: "no database"})
    built.replace("models/a.sql", "1 as id", "2 as id")
    built.afresh("run", "-s", "a")
    built.replace("models/a.sql", "2 as id", "1 as id")
    kept.replace(built.root / STATE)

    back = built.afresh("build")

    assert "1 relation was built while the state could not be reached" in back.stdout
    assert "tainted" in back.reasons("a")
    assert built.rows("b") == [(1,)]
    assert built.afresh("build").executed == set()


@pytest.mark.parametrize(
    ("url", "place"), [("sqlite:///afile/state.db", "/afile:"), ("sqlite:////proc/nowhere/state.db", "/proc/nowhere:")]
)
def test_a_place_where_nobody_can_write_means_plain_dbt_with_a_warning(shop, url, place):
    project = shop({**FILES, "afile": "no folder"})

    outcome = project.afresh("build", "--state-url", url)

    assert (outcome.exit_code, outcome.executed) == (0, {"a", "b"})
    assert outcome.stdout.count("[WARNING] Afresh:") == 1
    assert_refused(project.afresh("build", "--state-url", url, env={"AFRESH_ON_STATE_ERROR": "fail"}), place)


def test_where_not_even_a_note_can_be_kept_that_is_said_too(shop):
    project = shop({**FILES, ".afresh": "a file where the folder should be"})

    outcome = project.afresh("build")

    assert (outcome.exit_code, outcome.executed) == (0, {"a", "b"})
    assert "cannot even be noted down" in outcome.stdout
    assert "Traceback" not in outcome.stdout + outcome.stderr


def test_a_shared_state_that_is_down_stops_the_run_unless_told_otherwise(shop):
    project = shop(FILES)
    url = "postgresql://someone:hidden@127.0.0.1:1/state"

    stopped = project.afresh("build", "--state-url", url)
    goes_on = project.afresh("build", "--state-url", url, env={"AFRESH_ON_STATE_ERROR": "build"})

    assert_refused(stopped, "Connection refused")
    assert (goes_on.exit_code, goes_on.executed) == (0, {"a", "b"})
    assert "hidden" not in stopped.stdout + stopped.stderr + goes_on.stdout + goes_on.stderr


def test_an_empty_file_is_a_new_state(shop):
    project = shop({**FILES, STATE: ""})

    assert project.afresh("build").reasons("a") == ("never_built",)
    assert project.afresh("build").reused == {"a", "b"}


def test_state_that_is_gone_builds_everything(built):
    for path in (built.root / ".afresh").iterdir():
        path.unlink()

    assert built.afresh("build").reasons("a") == ("never_built",)
    assert built.afresh("build").executed == set()


# --- in the middle of a run -------------------------------------------------------------------------------------------


def _destroys(project):
    """A model that writes over the state file while it is built: the run knows nothing of it."""
    write = f"copy (select repeat('garbage', 20000)) to '{project.root / STATE}'"
    project.write({"models/a.sql": "{{ config(materialized='table', pre_hook=\"" + write + '") }} select 2 as id'})


def test_a_state_file_that_is_destroyed_in_mid_run_costs_builds_and_nothing_else(built):
    _destroys(built)

    assert built.afresh("build").exit_code == 0
    assert built.rows("b") == [(2,)]
    built.write({"models/a.sql": "{{ config(materialized='table') }} select 3 as id"})

    after = built.afresh("build")
    assert (after.exit_code, after.executed, after.reused) == (0, {"a", "b"}, set())
    assert "the file is damaged" in after.stdout
    assert "Traceback" not in after.stdout + after.stderr


DROPPED = """
    def model(dbt, session):
        import psycopg
        dbt.config(materialized="table")
        dbt.ref("a")
        with psycopg.connect(host="{host}", port={port}, user="postgres", dbname="postgres", autocommit=True) as admin:
            admin.execute("alter database {name} with allow_connections false")
            admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
        return session.sql("select 2 as id")
    """


@pytest.mark.parametrize("on_state_error", ["build", "fail"])
def test_a_shared_state_that_goes_away_in_mid_run_is_told_once_and_what_was_built_is_built_again(shop, postgres, on_state_error):
    project = shop({**FILES, "models/z.sql": "{{ config(materialized='table') }} select id + 1 as id from {{ ref('drop') }}"})
    project.write({"afresh.yml": "lease_ttl: 2s\n"})
    project.write({"models/drop.py": DROPPED.format(host=postgres.host, port=postgres.port, name=postgres.name)})
    flags = ("build", "--state-url", postgres.url, "--threads", "1")

    with event_loops_left_open():
        lost = project.afresh(*flags, env={"AFRESH_ON_STATE_ERROR": on_state_error})

    assert lost.statuses["a"] == "success"
    assert "Traceback" not in lost.stdout + lost.stderr
    if on_state_error == "build":
        assert (lost.exit_code, lost.statuses["drop"], lost.statuses["z"]) == (0, "success", "success")
        assert lost.stdout.count("[WARNING] Afresh: the state c") == 1
    else:
        assert (lost.exit_code, lost.statuses["drop"], lost.statuses["z"]) == (1, "error", "skipped")
        assert "on_state_error" in lost.stdout or "the state could not be written" in lost.stdout
    noted = "".join(file.read_text() for file in (project.root / ".afresh").glob("built-without-state-*"))
    assert "drop" in noted
