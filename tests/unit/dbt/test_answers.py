"""Answers of the warehouse: kept, given again, and put into the recorded order."""

from __future__ import annotations

import datetime as dt
import decimal
import json

import agate
import pytest

from afresh.dbt.answers import given_again, in_order, kept_table, question_of, row_digests
from afresh.dbt.own_content import OwnQuestions


def _table(rows, names=("id", "t"), types=None):
    return agate.Table(rows, names, types or [agate.Number(), agate.Text()])


def _make(rows, names, types):
    return agate.Table(rows, names, [getattr(agate, name)() for name in types])


def test_a_table_survives_being_kept_with_the_types_of_its_values():
    rows = [
        [decimal.Decimal("1.50"), "x", None, True, dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3, 4, tzinfo=dt.timezone.utc)],
        [None] * 6,
    ]
    types = [agate.Number(), agate.Text(), agate.Text(), agate.Boolean(), agate.Date(), agate.DateTime()]
    table = agate.Table(rows, list("abcdef"), types)
    again = given_again(json.loads(json.dumps(kept_table(table))), _make)
    assert [tuple(row) for row in again.rows] == [tuple(row) for row in table.rows]
    assert again.column_names == table.column_names


def test_a_table_with_values_that_cannot_be_kept_is_not_kept():
    table = agate.Table([[dt.timedelta(seconds=3)]], ["d"], [agate.TimeDelta()])
    assert kept_table(table) is None


def test_the_same_rows_come_in_the_recorded_order_and_other_rows_as_they_are():
    recorded = row_digests(_table([(1, "a"), (2, "b"), (1, "a")]))
    shuffled = _table([(2, "b"), (1, "a"), (1, "a")])
    other = _table([(2, "b"), (1, "a"), (3, "c")])
    assert [tuple(row) for row in in_order(shuffled, recorded).rows] == [(1, "a"), (2, "b"), (1, "a")]
    assert in_order(other, recorded) is other


@pytest.mark.parametrize(
    ("method", "question", "is_own"),
    [
        ("execute", "select max(at) from db.s.mine", True),
        ("execute", 'select max(at) from "db"."s"."mine" as x', True),
        ("execute", "select max(at) from mine", True),
        ("execute", "select max(at) from other.mine", False),
        ("execute", "select 'mine' from db.s.other", False),
        ("execute", "with mine as (select 1) select * from mine", False),
        ("get_relation", json.dumps(["db", "s", "mine"]), True),
        ("get_relation", json.dumps(["db", "s", "other"]), False),
        ("get_columns_in_relation", '"db"."s"."mine"', True),
        ("get_columns_in_relation", '"db"."s"."other"', False),
    ],
)
def test_questions_about_the_own_relation_are_told_from_others(method, question, is_own):
    class Node:
        database, schema, alias = "db", "s", "mine"

    assert OwnQuestions(Node(), "duckdb").asks_own(method, question) is is_own


def test_a_question_for_a_relation_is_the_same_by_position_and_by_name():
    assert question_of("get_relation", ("d", "s", "i"), {}) == question_of(
        "get_relation", (), {"identifier": "i", "schema": "s", "database": "d"}
    )
