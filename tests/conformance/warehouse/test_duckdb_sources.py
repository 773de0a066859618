"""DuckDB: files that vouch for tokens, views that are looked through, databases attached beside the main one, files read in place."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from afresh.core.version import Known, Unknown
from afresh.warehouse.probe import Signal, Strength
from conformance.warehouse.driver import look, over_duckdb, target, token

T = target("d", "main", "t")
V = target("d", "main", "v")


@pytest.fixture
def path(tmp_path):
    with duckdb.connect(tmp_path / "d.duckdb") as connection:
        connection.execute("create table t as select range as i from range(10); create table other (i integer)")
    return tmp_path / "d.duckdb"


@pytest.fixture
def db(path):
    with duckdb.connect(path, config={"autoinstall_known_extensions": "false"}) as connection:
        yield connection


def at_the_moment_of(connection, file):
    """A conversation that looks at files one millisecond after this one was written."""
    talk = over_duckdb(connection)
    moment = Path(file).stat().st_mtime_ns + 1_000_000
    talk.clock = lambda: moment
    return talk


def memo_of(connection, wanted=T):
    answer = look(over_duckdb(connection), "duckdb", wanted)
    assert answer.memo is not None, answer
    return {wanted.key: answer.memo}


# --- the file vouches -------------------------------------------------------------------------------------------------


def test_an_unchanged_file_spares_the_hashing(path):
    with duckdb.connect(path) as connection:
        memos = memo_of(connection)
    with duckdb.connect(path) as connection:
        talk = over_duckdb(connection)
        answer = look(talk, "duckdb", T, memos)
    assert (answer.signal, answer.strength, talk.read_tables) == (Signal.FILE, Strength.EXACT, [])
    assert answer.version == Known(memos[T.key].token)
    assert answer.signature.columns == (("i", "BIGINT"),)


@pytest.mark.parametrize("statement", ["insert into t values (1)", "insert into other values (1)", "update t set i = 5 where i = 4"])
def test_after_any_commit_the_content_is_read_again(path, statement):
    with duckdb.connect(path) as connection:
        memos = memo_of(connection)
        connection.execute(statement)
        talk = over_duckdb(connection)
        answer = look(talk, "duckdb", T, memos)
    assert talk.read_tables
    assert (answer.version == Known(memos[T.key].token)) is ("other" in statement)


def test_a_commit_that_is_only_in_the_log_is_seen(db):
    memos = memo_of(db)
    db.execute("delete from t where i = 3")
    assert look(over_duckdb(db), "duckdb", T, memos).version != Known(memos[T.key].token)


def test_a_file_that_was_written_this_moment_vouches_for_nothing(db, path):
    db.execute("insert into t values (1)")
    assert look(at_the_moment_of(db, f"{path}.wal"), "duckdb", T).memo is None


def test_reopening_checkpointing_and_reading_leave_the_token(path):
    with duckdb.connect(path) as connection:
        connection.execute("insert into t values (1)")
        before = token(over_duckdb(connection), "duckdb", T)
        connection.execute("checkpoint")
        assert token(over_duckdb(connection), "duckdb", T) == before
    with duckdb.connect(path, read_only=True) as connection:
        assert token(over_duckdb(connection), "duckdb", T) == before


def test_each_attached_database_is_vouched_for_by_its_own_file(path, tmp_path):
    side = tmp_path / "side.duckdb"
    with duckdb.connect(side) as connection:
        connection.execute("create table t as select 1 as i")
    wanted = target("other_name", "main", "t")
    with duckdb.connect(path) as connection:
        connection.execute(f"attach '{side}' as other_name (read_only)")
        memos = memo_of(connection, wanted)
        connection.execute("insert into t values (1)")
        talk = over_duckdb(connection)
        answer = look(talk, "duckdb", wanted, memos)
        assert talk.read_tables == []
    with duckdb.connect(side) as connection:
        connection.execute("update t set i = 2")
    with duckdb.connect(path) as connection:
        connection.execute(f"attach '{side}' as other_name (read_only)")
        assert look(over_duckdb(connection), "duckdb", wanted, memos).version != answer.version


def test_a_database_in_memory_is_read_every_time():
    with duckdb.connect() as connection:
        connection.execute("create table t as select 1 as i")
        assert look(over_duckdb(connection), "duckdb", target("memory", "main", "t")).memo is None


# --- views ------------------------------------------------------------------------------------------------------------

VIEWS = [
    "create view v as select * from t",
    "create view v as with t as (select * from t) select * from t",
    "create view v as select i, (select count(*) from t) as n from other",
    "create view v as select * from (from t)",
    "create view v as select * from d.main.t",
    "create view v as select * from main.t as x join other using (i)",
    "create view v as select * from t union all select * from other",
    "create view v as select * from other where exists (select 1 from t where t.i = 1)",
    "create view w as select * from t; create view v as select * from w",
    "create view v as select * from t, range(3)",
]


@pytest.mark.parametrize("create", VIEWS)
def test_a_view_moves_with_the_tables_under_it(db, create):
    db.execute(create)
    before = token(over_duckdb(db), "duckdb", V)
    db.execute("create table stranger as select 1 as i")
    assert token(over_duckdb(db), "duckdb", V) == before
    db.execute("insert into t values (99)")
    assert token(over_duckdb(db), "duckdb", V) != before


def test_a_view_moves_with_its_definition(db):
    db.execute("create view v as select * from t")
    before = token(over_duckdb(db), "duckdb", V)
    db.execute("create or replace view v as select * from t where i > 3")
    assert token(over_duckdb(db), "duckdb", V) != before


def test_a_view_reads_its_own_schema_first_whatever_stands_elsewhere(db):
    db.execute("create schema s; create table s.t as select 5 as i; create view s.v as select * from t")
    wanted = target("d", "s", "v")
    before = token(over_duckdb(db), "duckdb", wanted)
    db.execute("insert into main.t values (1)")
    assert token(over_duckdb(db), "duckdb", wanted) == before
    db.execute("insert into s.t values (1)")
    assert token(over_duckdb(db), "duckdb", wanted) != before


def test_a_view_between_that_changes_in_a_third_database_is_seen(path, tmp_path):
    with duckdb.connect(path) as connection:
        connection.execute(f"attach '{tmp_path / 'mid.duckdb'}' as mid; create view mid.main.w as select * from d.main.t")
        connection.execute("create view v as select * from mid.main.w")
        connection.execute("checkpoint d; checkpoint mid")
        memos = memo_of(connection, V)
        connection.execute("create or replace view mid.main.w as select * from d.main.t where i > 5; checkpoint mid")
        assert look(over_duckdb(connection), "duckdb", V, memos).version != Known(memos[V.key].token)


def test_a_view_over_an_unchanged_file_is_not_read(path):
    with duckdb.connect(path) as connection:
        connection.execute("create view v as select * from t")
    with duckdb.connect(path) as connection:
        memos = memo_of(connection, V)
        talk = over_duckdb(connection)
        look(talk, "duckdb", V, memos)
        assert talk.read_tables == []


@pytest.mark.parametrize(
    ("create", "why"),
    [
        ("create macro m() as table select * from t; create view v as select * from m()", "m()"),
        ("create macro f() as (select max(i) from t); create view v as select f() as n from other", "f()"),
        ("create view v as select * from query('select 1')", "query()"),
        ("create view v as select getvariable('x') as x from other", "getvariable()"),
        ("create table gone (i integer); create view v as select * from gone; drop table gone", "gone"),
    ],
)
def test_a_view_that_may_read_anything_is_unknown_and_says_what(db, create, why):
    db.execute(create)
    answer = look(over_duckdb(db), "duckdb", V)
    assert isinstance(answer.version, Unknown)
    assert why in answer.version.why
    assert answer.warnings


def test_a_view_that_uses_the_date_has_the_date_in_its_version(db):
    db.execute("create view v as select * from t where current_date > date '2020-01-01'")
    assert "date=20" in token(over_duckdb(db), "duckdb", V)
    assert look(over_duckdb(db), "duckdb", V).memo is None


# --- files read in place ----------------------------------------------------------------------------------------------


@pytest.fixture
def csv(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("i\n1\n")
    return tmp_path


def located(folder, text):
    return target("d", "raw", "x", location=text.replace("$", str(folder)))


@pytest.mark.parametrize(
    "location",
    ["'$/a.csv'", "read_csv('$/a.csv')", "read_csv(['$/a.csv', '$/b.csv'], header = true)", "'$/*.csv'", "read_csv('$/**/a.csv')"],
)
def test_a_source_that_is_a_file_moves_with_the_file(db, csv, location):
    wanted = located(csv, location)
    talk = over_duckdb(db)
    answer = look(talk, "duckdb", wanted)
    assert (answer.signal, answer.strength) == (Signal.FILE, Strength.EXACT)
    assert look(talk, "duckdb", wanted).version == answer.version
    (csv / "a.csv").write_text("i\n2\n")
    assert look(talk, "duckdb", wanted).version != answer.version


def test_a_new_file_under_a_pattern_moves_the_version(db, csv):
    wanted = located(csv, "'$/*.csv'")
    before = look(over_duckdb(db), "duckdb", wanted).version
    (csv / "c.csv").write_text("i\n1\n")
    assert look(over_duckdb(db), "duckdb", wanted).version != before


@pytest.mark.parametrize(
    "location", ["'$/none.csv'", "postgres_scan('x', 'y', 'z')", "read_csv(getvariable('x'))", "'s3://bucket/x.parquet'"]
)
def test_a_location_that_cannot_be_vouched_for_is_unknown(db, csv, location):
    answer = look(over_duckdb(db), "duckdb", located(csv, location))
    assert isinstance(answer.version, Unknown)
    assert answer.warnings


@pytest.mark.parametrize(
    "create", ["create view v as select * from '$/a.csv'", "create view v as from read_csv(['$/a.csv'])", 'create view v as from "$/a.csv"']
)
def test_a_view_over_a_file_moves_with_the_file(db, csv, create):
    db.execute(create.replace("$", str(csv)))
    before = token(over_duckdb(db), "duckdb", V)
    (csv / "a.csv").write_text("i\n2\n")
    assert token(over_duckdb(db), "duckdb", V) != before


def test_a_file_that_changed_this_moment_gets_a_version_of_its_own(db, csv):
    wanted = located(csv, "'$/a.csv'")
    (csv / "a.csv").write_text("i\n7\n")
    soon = look(at_the_moment_of(db, csv / "a.csv"), "duckdb", wanted).version
    assert look(over_duckdb(db), "duckdb", wanted).version != soon


def test_many_sources_cost_one_question_about_the_catalog(db):
    db.execute("create table u as select 1 as i")
    from afresh.warehouse.registry import engine

    talk = over_duckdb(db)
    talk.hold(engine("duckdb").probe([T, target("d", "main", "u"), target("d", "main", "other")]))
    assert len([ask for ask in talk.asked if "tables and views" in getattr(ask, "label", "")]) == 1
