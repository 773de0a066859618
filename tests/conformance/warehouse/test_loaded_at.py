"""``loaded_at_field`` and ``loaded_at_query`` against DuckDB and PostgreSQL, one suite for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from afresh.core.relation import Relation
from afresh.core.version import Known, Unknown
from afresh.warehouse.names import Name
from afresh.warehouse.probe import Signal, SourceSignal, Strength, Target
from conformance.warehouse.driver import Conversation, look, over_duckdb, over_postgres


@dataclass
class Warehouse:
    adapter: str
    database: str
    connection: Any

    def do(self, *statements):
        for statement in statements:
            self.connection.execute(statement)
        if self.adapter == "postgres":
            self.connection.execute("select pg_stat_force_next_flush()")

    def talk(self) -> Conversation:
        return (over_duckdb if self.adapter == "duckdb" else over_postgres)(self.connection)

    def look(self, name="t", adapter=None, **more):
        wanted = Target(Relation("w", self.database, "raw", name), Name(self.database, "raw", name), **more)
        return look(self.talk(), adapter or self.adapter, wanted)


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request):
    if request.param == "duckdb":
        with duckdb.connect() as connection:
            yield filled(Warehouse("duckdb", "memory", connection))
    else:
        database = request.getfixturevalue("postgres")
        with database.connect() as connection:
            yield filled(Warehouse("postgres", database.name, connection))


def filled(warehouse):
    warehouse.do("create schema raw", "create table raw.t (i integer, ts timestamp, zoned timestamptz)")
    warehouse.do("insert into raw.t values (1, timestamp '2026-01-01 10:00:00', timestamptz '2026-01-01 10:00:00+02')")
    return warehouse


LATER = "insert into raw.t values (2, timestamp '2026-01-02 10:00:00.25', timestamptz '2026-01-02 10:00:00+02')"
LATE = "insert into raw.t values (3, timestamp '2025-01-02', timestamptz '2025-01-02 10:00:00+02')"
ALONE = {"source_signal": SourceSignal.LOADED_AT}


@pytest.mark.parametrize(
    "how",
    [
        {"loaded_at_field": "ts"},
        {"loaded_at_query": "select max(ts) from raw.t;"},
        {"loaded_at_query": "-- newest\nwith x as (select ts from raw.t) select max(ts) from x -- end"},
    ],
)
def test_alone_it_moves_with_its_maximum_only_and_says_what_it_cannot_see(warehouse, how):
    first = warehouse.look(**how, **ALONE)
    assert first.version == Known("loaded_at=2026-01-01T10:00:00.000000")
    assert (first.signal, first.strength) == (Signal.LOADED_AT, Strength.DECLARED)
    assert any("late rows" in warning for warning in first.warnings)
    warehouse.do(LATE)
    assert warehouse.look(**how, **ALONE).version == first.version
    warehouse.do(LATER)
    assert warehouse.look(**how, **ALONE).version == Known("loaded_at=2026-01-02T10:00:00.250000")


def test_beside_the_engines_own_token_either_may_move(warehouse):
    first = warehouse.look(loaded_at_field="ts")
    assert first.signal in {Signal.STATISTICS, Signal.CONTENT}
    assert first.warnings == ()
    assert warehouse.look(loaded_at_field="ts").version == first.version
    warehouse.do(LATE)
    assert warehouse.look(loaded_at_field="ts").version != first.version


def test_on_an_adapter_without_a_signal_it_decides_alone(warehouse):
    first = warehouse.look(adapter="somewhere", loaded_at_field="ts")
    assert first.version == Known("loaded_at=2026-01-01T10:00:00.000000")
    warehouse.do(LATER)
    assert warehouse.look(adapter="somewhere", loaded_at_field="ts").version != first.version
    assert isinstance(warehouse.look(adapter="somewhere").version, Unknown)


def test_a_moment_with_a_zone_does_not_depend_on_the_sessions_zone(warehouse):
    warehouse.do("set timezone = 'Asia/Kathmandu'")
    first = warehouse.look(loaded_at_field="zoned", **ALONE)
    assert first.version == Known("loaded_at=2026-01-01T08:00:00.000000+00:00")
    warehouse.do("set timezone = 'UTC'")
    assert warehouse.look(loaded_at_field="zoned", **ALONE).version == first.version


def test_the_filter_bounds_what_is_looked_at(warehouse):
    warehouse.do(LATER)
    assert warehouse.look(loaded_at_field="ts", filter="i < 2", **ALONE).version == Known("loaded_at=2026-01-01T10:00:00.000000")


def test_an_empty_table_is_a_version_like_any_other(warehouse):
    warehouse.do("delete from raw.t")
    assert warehouse.look(loaded_at_field="ts", **ALONE).version == Known("loaded_at=null")


def test_a_future_value_is_a_version_with_a_warning(warehouse):
    warehouse.do("insert into raw.t values (1, timestamp '9999-01-01', null)")
    found = warehouse.look(loaded_at_field="ts", **ALONE)
    assert found.version == Known("loaded_at=9999-01-01T00:00:00.000000")
    assert any("future" in warning for warning in found.warnings)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_a_local_time_without_a_zone_is_no_future_value_in_any_session(warehouse, zone):
    warehouse.do(f"set timezone = '{zone}'", "insert into raw.t values (1, cast(now() as timestamp), null)")
    found = warehouse.look(loaded_at_field="ts", **ALONE)
    assert isinstance(found.version, Known)
    assert not any("future" in warning for warning in found.warnings)


LOOK_BACK = "select max(zoned) from raw.t where ts > now() - interval '3 days'"
"""When the newest row of the last three days was loaded: ``ts`` is when it happened, ``zoned`` when it was loaded."""


def test_a_query_that_looks_back_sees_late_rows_within_its_window_only(warehouse):
    def load(happened, loaded):
        warehouse.do(f"insert into raw.t values (9, now() - interval '{happened}', now() - interval '{loaded}')")
        return warehouse.look(loaded_at_query=LOOK_BACK, **ALONE).version

    first = load("2 days", "30 hours")
    assert isinstance(first, Known)
    assert load("60 hours", "20 hours") != first, "late by its own time, and within the window"
    second = warehouse.look(loaded_at_query=LOOK_BACK, **ALONE).version
    assert load("40 days", "1 hour") == second, "later than the window looks back"
    warehouse.do("delete from raw.t where ts > now() - interval '59 hours'")
    assert warehouse.look(loaded_at_query=LOOK_BACK, **ALONE).version == second, "a row goes, and another one was loaded last"


def test_a_window_that_runs_empty_is_one_new_version_and_then_stands_still(warehouse):
    warehouse.do("insert into raw.t values (9, now() - interval '1 day', now())")
    filled = warehouse.look(loaded_at_query=LOOK_BACK, **ALONE).version
    warehouse.do("update raw.t set ts = ts - interval '9 days'")
    empty = warehouse.look(loaded_at_query=LOOK_BACK, **ALONE).version
    assert empty == Known("loaded_at=null") != filled
    assert warehouse.look(loaded_at_query=LOOK_BACK, **ALONE).version == empty
    warehouse.do("insert into raw.t values (9, now(), now())")
    assert warehouse.look(loaded_at_query=LOOK_BACK, **ALONE).version not in (empty, filled)


def test_a_column_that_holds_nothing_but_null_is_as_empty_as_a_table_without_rows(warehouse):
    warehouse.do("update raw.t set ts = null")
    assert warehouse.look(loaded_at_field="ts", **ALONE).version == Known("loaded_at=null")
    warehouse.do("create table raw.n as select 'null' as batch")
    assert warehouse.look("n", loaded_at_field="batch", **ALONE).version != Known("loaded_at=null")


def test_the_hour_that_comes_twice_when_the_clocks_go_back_is_two_hours(warehouse):
    warehouse.do("set timezone = 'Europe/Berlin'", "insert into raw.t values (1, null, timestamptz '2026-10-25 02:30:00+02')")
    first = warehouse.look(loaded_at_field="zoned", **ALONE).version
    assert first == Known("loaded_at=2026-10-25T00:30:00.000000+00:00")
    warehouse.do("insert into raw.t values (1, null, timestamptz '2026-10-25 02:30:00+01')")
    assert warehouse.look(loaded_at_field="zoned", **ALONE).version == Known("loaded_at=2026-10-25T01:30:00.000000+00:00")


@pytest.mark.parametrize(
    "how",
    [
        {"loaded_at_query": "select now()"},
        {"loaded_at_query": "select current_timestamp"},
        {"loaded_at_query": "select coalesce(max(ts), current_timestamp) from raw.t"},
        {"loaded_at_field": "now()"},
        {"loaded_at_field": "current_timestamp"},
        {"loaded_at_query": "select x from (select now() as x) as y"},
    ],
)
def test_now_as_an_answer_says_nothing_and_is_called_out(warehouse, how):
    found = warehouse.look(**how)
    assert isinstance(found.version, Unknown)
    assert any("says nothing about new data" in warning for warning in found.warnings)


def test_now_behind_a_view_is_found_by_asking_twice(warehouse):
    warehouse.do("create view raw.v as select i, now() as ts from raw.t")
    found = warehouse.look("v", loaded_at_field="ts")
    assert isinstance(found.version, Unknown)
    assert "moves between two readings" in found.version.why


def test_now_in_a_filter_is_no_answer(warehouse):
    query = "select max(ts) from raw.t where ts < now()"
    assert warehouse.look(loaded_at_query=query, **ALONE).version == Known("loaded_at=2026-01-01T10:00:00.000000")


def test_a_field_of_a_table_is_asked_once_and_a_query_twice(warehouse):
    def statements(**how):
        talk = warehouse.talk()
        wanted = Target(Relation("w", warehouse.database, "raw", "t"), Name(warehouse.database, "raw", "t"), **how)
        look(talk, warehouse.adapter, wanted)
        return len([ask for ask in talk.asked if ask.label.startswith("loaded_at")])

    assert statements(loaded_at_field="ts") == 1
    assert statements(loaded_at_query="select max(ts) from raw.t") == 2


@pytest.mark.parametrize(
    "how", [{"loaded_at_field": "nowhere"}, {"loaded_at_query": "select ts from raw.nowhere"}, {"loaded_at_query": "selec"}]
)
def test_sql_that_fails_is_unknown_with_the_reason(warehouse, how):
    found = warehouse.look(**how)
    assert isinstance(found.version, Unknown)
    assert any("failed" in warning for warning in found.warnings)


def test_a_value_that_is_no_moment_is_compared_as_text(warehouse):
    warehouse.do("create table raw.n as select 'run 7 of 9' as batch")
    assert warehouse.look("n", loaded_at_field="batch", **ALONE).version == Known("loaded_at=run%207%20of%209")
    assert warehouse.look("t", loaded_at_field="i", **ALONE).version == Known("loaded_at=1")


def test_a_missing_source_is_missing_whatever_it_is_loaded_at(warehouse):
    assert warehouse.look("nowhere", loaded_at_field="ts").exists is False
