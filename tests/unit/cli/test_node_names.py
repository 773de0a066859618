"""What people call nodes is found, and what means nothing or too much is one sentence."""

from __future__ import annotations

import pytest

from afresh.cli.node_names import named, resolved
from afresh.errors import UsageError

IDS = (
    "model.shop.stg_orders",
    "model.shop.stg_items",
    "model.shop.orders",
    "model.other.orders_by_day",
    "test.shop.unique_orders_id.0a1b2c3d4e",
    "seed.shop.countries",
)


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("orders", "model.shop.orders"),
        ("model.shop.orders", "model.shop.orders"),
        ("orders_by", "model.other.orders_by_day"),
        ("unique_orders_id", "test.shop.unique_orders_id.0a1b2c3d4e"),
        ("seed.", "seed.shop.countries"),
    ],
)
def test_a_name_an_id_or_their_beginning_means_one_node(name, node):
    assert resolved(name, IDS, hint="") == node


def test_a_pattern_means_all_that_fit_each_once():
    assert named(["stg_*", "model.shop.stg_?tems"], IDS, hint="") == ("model.shop.stg_orders", "model.shop.stg_items")
    assert named(["*_orders", "stg_orders"], IDS, hint="") == ("model.shop.stg_orders",)


@pytest.mark.parametrize(
    ("name", "what", "hint"),
    [
        ("stg_", "`stg_` is the beginning of the names of 2 nodes", "model.shop.stg_items, model.shop.stg_orders"),
        ("ordesr", "nothing was ever decided about a node called `ordesr`", "Did you mean `orders`?"),
        ("qqq", "nothing was ever decided about a node called `qqq`", "look there"),
        ("", "nothing was ever decided about a node called ``", "look there"),
        ("stg_order*z", "nothing was ever decided about a node that fits `stg_order*z`", "Did you mean `stg_orders`?"),
    ],
)
def test_a_name_that_means_none_or_several_is_refused_with_the_nearest(name, what, hint):
    with pytest.raises(UsageError) as refused:
        named([name], IDS, hint="look there")
    assert refused.value.what == what
    assert hint in str(refused.value.hint)
