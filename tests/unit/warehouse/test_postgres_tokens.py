"""What no test server does on demand: a standby, and answers as they would be there."""

from __future__ import annotations

from dataclasses import replace

from afresh.core.relation import Relation
from afresh.core.version import Unknown
from afresh.warehouse.names import Name
from afresh.warehouse.postgres_sql import PgRelation, Server
from afresh.warehouse.postgres_token import answer_of, attributable
from afresh.warehouse.probe import Built, ProbeAnswer, Purpose, Target
from afresh.warehouse.registry import engine
from afresh.warehouse.tokens import token_parts

SERVER = Server("d", recovering=False, counting=True, today="2026-01-01", since="s")
TABLE = PgRelation("1", "s", "t", "r", "1", 5, (5, 0, 0), (("i", "integer"),), "shape", None, dated=False, opaque=None, is_root=True)
T = Target(Relation("w", "d", "s", "t"), Name("d", "s", "t"))


def version(server=SERVER, *reached):
    return answer_of(T, server, reached or [TABLE]).version


def test_on_a_standby_nothing_is_known():
    answer = answer_of(T, replace(SERVER, recovering=True), [TABLE])
    assert isinstance(answer.version, Unknown)
    assert "standby" in answer.version.why
    assert answer.exists


def test_a_crash_or_reset_is_another_version():
    assert version(replace(SERVER, since="other")) != version()


def test_the_day_alone_is_not():
    assert version(replace(SERVER, today="2026-01-02")) == version()


def test_counters_of_two_partitions_that_add_up_alike_are_two_versions():
    root = replace(TABLE, kind="p", file="0", writes=(0, 0, 0))
    a, b = replace(TABLE, oid="2", is_root=False), replace(TABLE, oid="3", is_root=False)
    one = version(SERVER, root, replace(a, writes=(1, 0, 0)), replace(b, writes=(2, 0, 0)))
    other = version(SERVER, root, replace(a, writes=(2, 0, 0)), replace(b, writes=(1, 0, 0)))
    assert one != other


def test_partitions_are_never_taken_for_rows_we_reported():
    root = replace(TABLE, kind="p", file="0", writes=(0, 0, 0))
    token = version(SERVER, root, replace(TABLE, oid="2", is_root=False)).token
    assert "writes" not in token_parts(attributable(Built(T, reported_rows=5), token))


def test_counters_that_stand_on_another_table_or_before_a_reset_are_not_ours():
    after = version(SERVER, replace(TABLE, writes=(9, 0, 0))).token
    ours = Built(T, reported_rows=4, before=version().token)
    assert "writes" in token_parts(attributable(ours, after))
    for before in (
        version(SERVER, replace(TABLE, oid="7")),
        version(replace(SERVER, since="x")),
        version(SERVER, replace(TABLE, writes=(5, 1, 0))),
    ):
        assert "writes" not in token_parts(attributable(replace(ours, before=before.token), after))


def test_what_cannot_be_observed_counts_as_changed():
    change = engine("postgres").outside_change("pg1 at=1", ProbeAnswer(Unknown("the server is a standby")))
    assert "standby" in change.text


def test_parts_that_were_not_recorded_are_not_compared():
    own = replace(T, purpose=Purpose.OWN)
    observed = answer_of(own, SERVER, [replace(TABLE, writes=(99, 0, 0))])
    structural = attributable(Built(own), version().token)
    assert engine("postgres").outside_change(structural, observed) is None
    assert engine("postgres").outside_change(version().token, observed).text == "rows were written"
