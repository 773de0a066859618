"""PostgreSQL: the token moves with every write, of whatever kind, and stands still otherwise."""

from __future__ import annotations

import pytest

from afresh.core.version import Unknown
from afresh.warehouse.probe import Signal, Strength
from afresh.warehouse.registry import engine
from conformance.warehouse.driver import look, over_postgres, target, token


class Lab:
    """A writer, and a second connection that probes: what one session sees before the others is not the question here."""

    def __init__(self, postgres, db):
        self.db = db
        self.postgres = postgres

    def do(self, script):
        for statement in script.split("; "):
            self.db.execute(statement)
        self.db.execute("select pg_stat_force_next_flush()")

    def target(self, identifier="t", schema="raw", **more):
        return target(self.postgres.name, schema, identifier, **more)

    def look(self, identifier="t", **more):
        with self.postgres.connect() as connection:
            return look(over_postgres(connection), "postgres", self.target(identifier, **more))

    def token(self, identifier="t"):
        with self.postgres.connect() as connection:
            return token(over_postgres(connection), "postgres", self.target(identifier))


@pytest.fixture
def lab(postgres):
    with postgres.connect() as connection:
        made = Lab(postgres, connection)
        made.do(
            "create schema raw; create table raw.t (i integer, s varchar(10)); "
            "insert into raw.t select n, 'x' from generate_series(1, 10) n; create table raw.other (i integer)"
        )
        yield made


@pytest.mark.parametrize(
    "write",
    [
        "insert into raw.t values (99, 'y')",
        "update raw.t set s = 'z' where i = 3",
        "delete from raw.t where i = 3",
        "begin; delete from raw.t where i = 3; insert into raw.t values (3, 'x'); commit",
        "truncate raw.t",
        "begin; truncate raw.t; insert into raw.t select n, 'x' from generate_series(1, 10) n; commit",
        "create table raw.n as select * from raw.t; drop table raw.t; alter table raw.n rename to t",
        "alter table raw.t add column c integer",
        "alter table raw.t add column c integer default 7",
        "alter table raw.t drop column s",
        "alter table raw.t rename column s to ss",
        "alter table raw.t alter i type bigint",
        "alter table raw.t alter s type varchar(20)",
        "alter table raw.t alter s type text",
        "merge into raw.t using (values (3)) v(i) on raw.t.i = v.i when matched then update set s = 'm'",
        "insert into raw.t select * from raw.t",
        "begin; lock table raw.t; savepoint a; insert into raw.t values (1, 'q'); release a; commit",
    ],
)
def test_a_write_moves_the_token(lab, write):
    before = lab.token()
    lab.do(write)
    assert lab.token() != before


def test_a_copy_moves_the_token(lab):
    before = lab.token()
    with lab.db.cursor() as cursor, cursor.copy("copy raw.t from stdin") as copy:
        copy.write_row((1, "c"))
    lab.do("select 1")
    assert lab.token() != before


@pytest.mark.parametrize(
    "statement",
    [
        "select count(*) from raw.t",
        "insert into raw.other values (1)",
        "vacuum raw.t",
        "analyze raw.t",
        "create index on raw.t (i)",
        "comment on table raw.t is 'hello'",
        "grant select on raw.t to public",
        "checkpoint",
        "create view raw.v as select * from raw.t",
    ],
)
def test_what_writes_no_rows_leaves_the_token(lab, statement):
    before = lab.token()
    lab.do(statement)
    assert lab.token() == before


@pytest.mark.parametrize(
    "statement",
    [
        "begin; insert into raw.t values (1, 'r'); rollback",
        "vacuum full raw.t",
        "select pg_stat_reset()",
        "select pg_stat_reset_single_table_counters('raw.t'::regclass)",
    ],
)
def test_the_documented_false_alarms_are_no_more_than_that(lab, statement):
    before = lab.token()
    lab.do(statement)
    assert lab.token() != before


def test_counters_that_return_to_their_old_values_after_a_reset_are_another_version(lab):
    before = lab.token()
    lab.do("select pg_stat_reset(); insert into raw.t select n, 'x' from generate_series(1, 10) n")
    assert lab.token() != before


def test_an_enum_whose_label_is_renamed_moves_the_token(lab):
    lab.do("create type raw.mood as enum ('a', 'b'); create table raw.e (m raw.mood); insert into raw.e values ('a')")
    before = lab.token("e")
    lab.do("alter type raw.mood rename value 'a' to 'c'")
    assert lab.token("e") != before


# --- partitions and children ------------------------------------------------------------------------------------------


@pytest.fixture
def parted(lab):
    lab.do(
        "create table raw.p (i integer, s text) partition by range (i); create table raw.p1 partition of raw.p for values from (0) to (10); "
        "create table raw.p2 partition of raw.p for values from (10) to (20) partition by list (s); "
        "create table raw.p2a partition of raw.p2 default; insert into raw.p values (1, 'a'), (11, 'a')"
    )
    return lab


@pytest.mark.parametrize(
    "write",
    [
        "insert into raw.p values (2, 'b')",
        "update raw.p set s = 'z' where i = 11",
        "delete from raw.p2a",
        "update raw.p set i = 12 where i = 1",
        "truncate raw.p1",
        "alter table raw.p detach partition raw.p1",
        "create table raw.p3 partition of raw.p for values from (20) to (30)",
        "drop table raw.p1",
    ],
)
def test_a_write_to_any_partition_moves_the_token_of_the_whole(parted, write):
    before = parted.token("p")
    parted.do(write)
    assert parted.token("p") != before


def test_partitions_stand_still_by_themselves(parted):
    before = parted.token("p")
    parted.do("analyze raw.p; insert into raw.t values (1, 'x')")
    assert parted.token("p") == before
    assert parted.look("p").relation_type == "table"


def test_a_write_to_a_child_table_moves_its_parent(lab):
    lab.do("create table raw.child () inherits (raw.t)")
    before = lab.token()
    lab.do("insert into raw.child values (5, 'c')")
    assert lab.token() != before


# --- views ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "create",
    [
        "create view raw.v as select * from raw.t",
        "create view raw.v as select i from raw.other where exists (select 1 from raw.t)",
        "create view raw.v as with x as (select * from raw.t) select count(*) from x",
        "create view raw.w as select * from raw.t; create view raw.v as select * from raw.w union all select i, null from raw.other",
        "create view raw.v as select (select max(i) from raw.t) as m, g from generate_series(1, 3) g",
    ],
)
def test_a_view_moves_with_the_tables_under_it(lab, create):
    lab.do(create)
    before = lab.token("v")
    lab.do("create table raw.stranger (i integer)")
    assert lab.token("v") == before
    lab.do("insert into raw.t values (50, 'v')")
    assert lab.token("v") != before


def test_a_view_moves_with_its_definition_and_not_with_being_created_again(lab):
    lab.do("create view raw.v as select * from raw.t")
    before = lab.token("v")
    lab.do("drop view raw.v; create view raw.v as select * from raw.t")
    assert lab.token("v") == before
    lab.do("create or replace view raw.v as select * from raw.t where i > 3")
    assert lab.token("v") != before


def test_a_materialized_view_moves_when_it_is_refreshed(lab):
    lab.do("create materialized view raw.m as select * from raw.t; create unique index on raw.m (i)")
    before = lab.token("m")
    lab.do("insert into raw.t values (50, 'v')")
    assert lab.token("m") == before
    lab.do("refresh materialized view concurrently raw.m")
    middle = lab.token("m")
    lab.do("refresh materialized view raw.m")
    assert len({before, middle, lab.token("m")}) == 3
    assert lab.look("m").relation_type == "materialized_view"


@pytest.mark.parametrize(
    ("create", "why"),
    [
        (
            "create function raw.f() returns bigint language sql stable as 'select count(*) from raw.t'; create view raw.v as select raw.f()",
            "f()",
        ),
        ("create view raw.v as select count(*) from pg_class", "system catalogue"),
        ("create view raw.v as select count(*) from information_schema.tables", "system catalogue"),
        ("create view raw.v as select query_to_xml('select * from raw.t', true, true, '')::text as x", "query_to_xml()"),
        ("create view raw.v as select pg_relation_size('raw.t') as x", "pg_relation_size()"),
        ("create sequence raw.s; create view raw.v as select last_value from raw.s", "no count of writes"),
    ],
)
def test_a_view_that_reads_what_cannot_be_watched_is_unknown_and_says_what(lab, create, why):
    lab.do(create)
    answer = lab.look("v")
    assert isinstance(answer.version, Unknown)
    assert why in answer.version.why
    assert answer.warnings


def test_an_immutable_function_of_a_user_counts_with_its_body(lab):
    lab.do(
        "create function raw.f(integer) returns integer language sql immutable as 'select $1 + 1'; create view raw.v as select raw.f(i) from raw.t"
    )
    before = lab.token("v")
    lab.do("create or replace function raw.f(integer) returns integer language sql immutable as 'select $1 + 2'")
    assert lab.token("v") != before


@pytest.mark.parametrize("expression", ["current_date", "now()", "localtimestamp", "clock_timestamp()", "random()"])
def test_a_view_that_uses_the_moment_has_the_date_in_its_version(lab, expression):
    lab.do(f"create view raw.v as select * from raw.t where ({expression}) is not null; create view raw.w as select * from raw.v")
    assert "date=20" in lab.token("w")
    assert "date=" not in lab.token()


# --- where there is no signal -----------------------------------------------------------------------------------------


def test_a_foreign_table_is_unknown(lab):
    lab.do("create foreign data wrapper none; create server s foreign data wrapper none; create foreign table raw.f (i integer) server s")
    answer = lab.look("f")
    assert "foreign table" in answer.version.why
    assert answer.relation_type == "foreign_table"


def test_without_track_counts_nothing_is_known(lab):
    lab.do(f'alter database "{lab.postgres.name}" set track_counts = off')
    assert "track_counts" in lab.look().version.why


def test_a_missing_relation_says_so(lab):
    answer = lab.look("nowhere")
    assert (answer.exists, answer.signal) == (False, Signal.NONE)


def test_a_relation_of_another_database_is_not_mistaken_for_ours(lab):
    with lab.postgres.connect() as connection:
        answer = look(over_postgres(connection), "postgres", target("elsewhere", "raw", "t"))
    assert "elsewhere" in answer.version.why


def test_what_the_catalogue_says_comes_with_the_answer(lab):
    lab.do("analyze raw.t")
    answer = lab.look()
    assert (answer.signal, answer.strength, answer.exists, answer.relation_type) == (Signal.STATISTICS, Strength.EXACT, True, "table")
    assert answer.signature.columns == (("i", "integer"), ("s", "character varying(10)"))
    assert answer.estimated_rows == 10


def test_names_need_no_care_and_case_counts(lab):
    lab.do(
        'create table raw."Orders" (i integer); create table raw.orders (i integer); create table raw."a ""b"" \'c\' %s {x}" (i integer)'
    )
    before = lab.token("orders")
    lab.do('insert into raw."Orders" values (1)')
    assert lab.token("orders") == before
    assert lab.token("Orders")
    assert lab.token("a \"b\" 'c' %s {x}")


def test_a_thousand_relations_are_one_question(lab):
    lab.db.execute("do $$ begin for n in 1..1000 loop execute format('create table raw.m%s (i integer, s text)', n); end loop; end $$")
    wanted = [lab.target(f"m{n}") for n in range(1, 1001)]
    with lab.postgres.connect() as connection:
        talk = over_postgres(connection)
        answers = talk.hold(engine("postgres").probe(wanted))
    assert len(talk.asked) == 1
    assert len({answers[one.key].version.token for one in wanted}) == 1000


# --- statistics lag ---------------------------------------------------------------------------------------------------


def test_a_probe_sees_through_the_statistics_that_its_transaction_has_kept(lab):
    with lab.postgres.connect(autocommit=False) as connection:
        talk = over_postgres(connection)
        before = token(talk, "postgres", lab.target())
        lab.do("insert into raw.t values (1, 'n')")
        assert token(talk, "postgres", lab.target()) != before


def test_a_writer_that_disconnects_has_published_its_writes(lab):
    before = lab.token()
    lab.postgres.execute("insert into raw.t values (1, 'd')")
    backends = "select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend'"
    while lab.db.execute(backends).fetchone()[0] > 1:
        pass
    assert lab.token() != before
