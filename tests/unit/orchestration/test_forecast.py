"""How long a plan takes with threads, and which chain decides it."""

from __future__ import annotations

import pytest

from afresh.orchestration.forecast import Queue, schedule_of

DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}
TOOK = {"a": 10.0, "b": 30.0, "c": 20.0, "d": 5.0}


@pytest.mark.parametrize(("threads", "seconds"), [(1, 65.0), (2, 45.0), (8, 45.0)])
def test_nodes_that_do_not_need_each_other_are_built_side_by_side(threads, seconds):
    found = schedule_of(TOOK, Queue(threads, DIAMOND))
    assert (found.threads, found.seconds) == (threads, seconds)
    assert (found.path_seconds, found.path) == (45.0, ("a", "b", "d"))


def test_what_is_reused_takes_no_time_and_passes_the_order_on():
    found = schedule_of({"a": 10.0, "d": 5.0}, Queue(4, DIAMOND))
    assert (found.seconds, found.path) == (15.0, ("a", "d"))


def test_few_threads_are_given_to_nodes_in_the_order_of_the_plan():
    side_by_side = dict.fromkeys("abc", ())
    assert schedule_of({"a": 1.0, "b": 1.0, "c": 5.0}, Queue(2, side_by_side)).seconds == 6.0


@pytest.mark.parametrize("took", [{}, {"a": 0.0}])
def test_a_plan_that_takes_no_time_has_no_chain(took):
    found = schedule_of(took, Queue(4, {"a": ()}))
    assert (found.seconds, found.path_seconds, found.path) == (0.0, 0.0, ())


def test_an_order_that_closes_a_circle_loses_no_node():
    assert schedule_of({"a": 1.0, "b": 2.0}, Queue(4, {"a": ("b",), "b": ("a",)})).seconds == 3.0
