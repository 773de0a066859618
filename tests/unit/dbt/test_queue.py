"""dbt's queue as Afresh leaves it: nodes may come back, and no wait outlasts Ctrl-C."""

from __future__ import annotations

import _thread
import threading
from types import SimpleNamespace

import networkx as nx
import pytest

from afresh.dbt.compat import queue

PATIENCE = 20


class Manifest:
    """Knows every node, as what it is not: a model."""

    def expect(self, unique_id):
        return SimpleNamespace(unique_id=unique_id, resource_type="seed")


@pytest.fixture
def nodes():
    """The queue of two nodes, one above the other."""
    graph = nx.DiGraph([("first", "second")])
    task = SimpleNamespace(job_queue=SimpleNamespace(graph=graph, manifest=Manifest()))
    queue.replace_queue(task, without=(), after={})
    return task.job_queue


def test_a_node_that_is_put_back_is_given_out_again_before_what_is_below_it(nodes):
    assert nodes.get().unique_id == "first"
    nodes.put_back("first")
    assert nodes.get().unique_id == "first"
    nodes.mark_done("first")
    assert nodes.get().unique_id == "second"
    nodes.mark_done("second")
    assert nodes.empty()
    nodes.join()


def test_the_last_node_may_still_come_back(nodes):
    nodes.get()
    nodes.mark_done("first")
    nodes.get()
    threading.Timer(0.05, nodes.put_back, ["second"]).start()
    assert not nodes.empty()
    assert nodes.get().unique_id == "second"
    nodes.settle("second")
    assert nodes.empty()


@pytest.mark.parametrize("wait", ["get", "empty", "join"])
def test_a_signal_that_wakes_nobody_ends_the_wait_all_the_same(nodes, wait):
    nodes.get()
    if wait == "empty":
        nodes.mark_done("first")
        nodes.get()
    # What a signal leaves behind that comes just before the main thread begins to wait: it is noted, and wakes nobody.
    threading.Timer(0.2, _thread.interrupt_main).start()
    give_up = threading.Timer(PATIENCE, end, [nodes])
    give_up.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            getattr(nodes, wait)()
    finally:
        give_up.cancel()


def end(nodes):
    """Ends every wait, so that a test that fails does not hang."""
    for node in list(nodes.in_progress):
        nodes.mark_done(node)
    while nodes.inner.unfinished_tasks:
        nodes.inner.task_done()
