"""Times, durations and lists read as people write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from afresh.render.layout import contrasted
from afresh.render.words import display_width, duration_text, failure_text, iso, listed, moment_text, node_text, rough_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.00s"), (0.308, "0.31s"), (1.24, "1.2s"), (9.96, "10.0s"), (41.2, "41s"), (192, "3m 12s"), (3_725, "1h 2m"), (90_061, "1d 1h")],
)
def test_a_measured_time_has_two_units_at_most(seconds, text):
    assert rough_duration(seconds) == text


def test_a_duration_keeps_every_unit():
    assert duration_text(timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)) == "1w 2d 3h 4m 5s"
    assert duration_text(timedelta(0)) == "0s"


def test_a_moment_without_a_reader_is_a_full_date_in_utc():
    tokyo = datetime(2026, 11, 22, 9, 5, tzinfo=timezone(timedelta(hours=9)))
    assert moment_text(tokyo) == "2026-11-22 00:05 UTC"
    assert iso(tokyo) == "2026-11-22T00:05:00Z"


@pytest.mark.parametrize(
    ("unique_id", "text"),
    [
        ("model.shop.orders", "orders"),
        ("model.shop.orders.v2", "orders.v2"),
        ("source.shop.ecom.raw_orders", "source ecom.raw_orders"),
        ("test.shop.unique_orders_id.0f1e2d3c", "test unique_orders_id"),
        ("unit_test.shop.orders.adds_tax", "unit test orders.adds_tax"),
        ("seed.shop.countries", "seed countries"),
        ("raw.orders", "raw.orders"),
        ("db.schema.orders", "db.schema.orders"),
    ],
)
def test_a_node_is_called_what_people_call_it(unique_id, text):
    assert node_text(unique_id) == text


def test_a_list_that_is_one_too_long_is_not_cut():
    assert listed(["a", "b", "c", "d"]) == "a, b, c, d"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_wide_and_combining_characters_are_measured_in_columns():
    assert display_width("売上") == 4
    assert display_width("e\u0301") == 1


@pytest.mark.parametrize(
    ("recorded", "observed"),
    [
        ("a" * 60 + "1", "a" * 60 + "2"),
        ("1" + "a" * 60, "2" + "a" * 60),
        ("a" * 40, "a" * 60),
        ("a" * 30 + "1" + "a" * 30, "a" * 30 + "2" + "a" * 30),
    ],
    ids=["end", "start", "longer", "middle"],
)
def test_two_values_that_are_cut_still_look_different(recorded, observed):
    before, after = contrasted(recorded, observed, 16)
    assert before != after
    assert max(len(before), len(after)) <= 16


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ('relation:["duckdb:/srv/shop.duckdb", "shop", "raw", "orders"]', "shop.raw.orders (a table named without ref or source)"),
        ('relation:["files", "", "", "data/*.csv"]', "data/*.csv (a file named in its SQL)"),
        ("undeclared:it calls `f`, which may read relations", "what else it reads"),
    ],
)
def test_an_input_beyond_the_graph_is_called_in_words(name, told):
    assert node_text(name) == told


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            'Runtime Error in model orders (models/orders.sql)\n  Parser Error: syntax error at or near "max"\n\n  LINE 40: select max\n       ^^^',
            'Parser Error: syntax error at or near "max"',
        ),
        (
            'Database Error in model orders (models/orders.sql)\n  column "x" does not exist\n  LINE 3: x\n  HINT: y',
            'column "x" does not exist',
        ),
        ("Runtime Error in snapshot prices (snapshots/prices.sql)", "Runtime Error in snapshot prices (snapshots/prices.sql)"),
        ("division by zero", "division by zero"),
        ("", ""),
    ],
)
def test_a_failure_is_told_without_the_name_of_its_node_and_without_sql(message, told):
    assert failure_text(message) == told
