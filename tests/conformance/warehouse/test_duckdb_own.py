"""DuckDB: nothing is read while only our jobs have written to the file; once others have, the content decides."""

from __future__ import annotations

import os
from datetime import datetime, timezone

import duckdb
import pytest

from afresh.warehouse.cells import session_date_at
from afresh.warehouse.names import Name
from afresh.warehouse.probe import NO_LIMITS, Built, Held, Limits
from afresh.warehouse.registry import engine
from conformance.warehouse.driver import over_duckdb, target

DUCK = engine("duckdb")
T = target("d", "main", "t")
V = target("d", "main", "v")


class Jobs:
    """Runs of ours and of others against one file, with what a state store would keep between them."""

    def __init__(self, folder):
        self.path = folder / "d.duckdb"
        self.chains = {}
        self.tokens = {}

    def run(self, build="", *wanted, limits=NO_LIMITS, dies=False):
        """One run of ours. Returns what it found changed outside, by name, and how many tables it read for that."""
        with duckdb.connect(self.path) as connection:
            talk = over_duckdb(connection)
            chains = talk.hold(DUCK.arrive(self.chains))
            self.chains = dict(chains.files)
            held = [Held(one, self.tokens[one.key]) for one in (T, V) if one.key in self.tokens]
            found = talk.hold(DUCK.outside(held, chains))
            read = len(talk.read_tables)
            self.tokens.update({key: finding.refreshed for key, finding in found.items() if finding.refreshed})
            for statement in build.split("; "):
                if statement:
                    connection.execute(statement)
            after = talk.hold(DUCK.post_build([Built(one) for one in wanted], chains, limits))
            self.tokens.update({key: built.outside_token for key, built in after.items()})
            if dies:
                return {}, read
            connection.execute("checkpoint")
            self.chains = dict(talk.hold(DUCK.leave(chains)).files)
        return {key: finding.change for key, finding in found.items() if finding.change}, read

    def stranger(self, *statements):
        with duckdb.connect(self.path) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture
def jobs(tmp_path):
    made = Jobs(tmp_path)
    made.stranger("create table other (i integer)")
    made.run("create table t as select range as i from range(10); create view v as select * from t", T, V)
    return made


def test_while_only_our_jobs_write_nothing_is_read_and_nothing_has_changed(jobs):
    assert jobs.run("insert into other values (1)") == ({}, 0)
    assert jobs.run("create or replace table t as select 1 as i", T) == ({}, 0)
    assert jobs.run() == ({}, 0)


@pytest.mark.parametrize(
    "write",
    [
        "insert into t values (1)",
        "update t set i = 0 where i = 1",
        "delete from t",
        "create or replace table t as select 5 as i",
        "drop table t",
    ],
)
def test_a_write_of_others_into_our_table_is_seen(jobs, write):
    jobs.stranger("drop view v", write, "create view v as select 1 as i" if "drop" in write else "create view v as select * from t")
    changed, _ = jobs.run()
    assert T.key in changed


def test_a_write_of_others_elsewhere_in_the_file_is_told_apart_and_settled_for_good(jobs):
    jobs.stranger("insert into other values (1)")
    assert jobs.run() == ({}, 1)
    assert jobs.run() == ({}, 0)


def test_a_change_stays_seen_until_the_relation_is_built_again(jobs):
    jobs.stranger("insert into t values (1)")
    assert T.key in jobs.run()[0]
    assert T.key in jobs.run()[0]
    assert T.key in jobs.run("create or replace table t as select 1 as i", T)[0]
    assert jobs.run()[0] == {}


def test_a_view_replaced_by_others_is_seen(jobs):
    jobs.stranger("create or replace view v as select 5 as i")
    assert set(jobs.run()[0]) == {V.key}


def test_after_a_job_that_died_everything_is_looked_at_again(jobs):
    jobs.run("insert into other values (2)", dies=True)
    assert jobs.run() == ({}, 1)


def test_what_was_not_recorded_counts_as_changed_once_others_have_written(jobs):
    jobs.run("create or replace table t as select range as i from range(10)", T, limits=Limits(max_hash_rows=1))
    assert jobs.run() == ({}, 0)
    jobs.stranger("insert into other values (1)")
    changed, read = jobs.run()
    assert set(changed) == {T.key}
    assert read == 0


def test_a_file_put_back_from_a_backup_is_noticed(jobs):
    backup = jobs.path.read_bytes()
    jobs.run("create or replace table t as select 1 as i", T)
    jobs.path.write_bytes(backup)
    assert T.key in jobs.run()[0]


def test_a_view_of_ours_over_a_file_is_not_changed_by_the_file(jobs, tmp_path):
    (tmp_path / "x.csv").write_text("i\n1\n")
    jobs.run(f"create or replace view v as select * from '{tmp_path}/x.csv'", V)
    (tmp_path / "x.csv").write_text("i\n22\n")
    jobs.stranger("insert into other values (1)")
    assert jobs.run()[0] == {}


# --- identity ---------------------------------------------------------------------------------------------------------


def identity(connection, **credentials):
    return over_duckdb(connection).hold(DUCK.warehouse_identity(credentials))


def test_a_warehouse_is_the_real_path_of_its_file(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = []
    for folder in ("real", "link"):
        path = tmp_path / folder / "Shop.duckdb"
        with duckdb.connect(path) as connection:
            found.append(identity(connection, path=str(path)).locate(Name("shop", "main", "t")))
    assert found[0] == found[1]
    assert found[0].warehouse == f"duckdb:{os.path.realpath(tmp_path)}/real/Shop.duckdb"
    assert found[0].database == "shop"


def test_a_file_is_the_same_place_whatever_name_it_is_attached_under(tmp_path):
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        alone = identity(connection, path=str(tmp_path / "a.duckdb")).locate(Name("a", "main", "t"))
    with duckdb.connect(tmp_path / "b.duckdb") as connection:
        connection.execute(f"attach '{tmp_path / 'a.duckdb'}' as side")
        beside = identity(connection, path=str(tmp_path / "b.duckdb"))
    assert beside.locate(Name("side", "main", "t")) == alone
    assert beside.locate(Name("b", "main", "t")) != alone


def test_what_is_in_memory_is_never_remembered(tmp_path):
    with duckdb.connect() as connection:
        assert identity(connection, path=":memory:", database="memory").locate(Name("memory", "main", "t")) is None
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        connection.execute("attach ':memory:' as fleeting")
        known = identity(connection, path=str(tmp_path / "a.duckdb"))
        assert known.locate(Name("fleeting", "main", "t")) is None
        assert known.locate(Name("temp", "main", "t")) is None


def test_the_date_is_the_sessions():
    with duckdb.connect() as connection:
        assert connection.execute(DUCK.session_date_sql).fetchone()[0].startswith("t:20")


def test_the_date_of_a_moment_is_the_sessions_too():
    evening = session_date_at(datetime(2026, 12, 1, 18, 0, tzinfo=timezone.utc))
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'Pacific/Kiritimati'")
        assert connection.execute(evening).fetchone() == ("t:2026-12-02",)
        connection.execute("set TimeZone = 'UTC'")
        assert connection.execute(evening).fetchone() == ("t:2026-12-01",)


def test_columns_of_what_was_just_built_are_told_without_reading_it_and_as_they_are_told_at_the_end(jobs):
    with duckdb.connect(jobs.path) as connection:
        connection.execute("create or replace table t as select 1::bigint as i, 'x' as note; create or replace view v as select * from t")
        talk = over_duckdb(connection)
        columns = talk.hold(DUCK.columns([T, V, target("d", "main", "nowhere")]))
        assert talk.read_tables == []
        after = talk.hold(DUCK.post_build([Built(T), Built(V)]))

    assert columns[T.key].columns == columns[V.key].columns == (("i", "BIGINT"), ("note", "VARCHAR"))
    assert columns == {key: built.signature for key, built in after.items()}
