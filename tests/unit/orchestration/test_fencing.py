"""What a run does about the sessions of runs that died, over a warehouse whose answers are given."""

# ruff: noqa: ARG002 - the signatures are the protocol's

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from afresh.core.node import NodeId
from afresh.errors import OrphanedQueryError
from afresh.orchestration.fencing import Fencing
from afresh.warehouse.asks import settled
from afresh.warehouse.fence import CannotTell, Fence, Gone, Left, Session

ORDERS, LINES = NodeId("model.shop.orders"), NodeId("model.shop.lines")
BUSY = Left((Session(42, "etl"),))
REFUSED = Left((Session(42, "etl", "permission denied"),))


class Host:
    """A host whose warehouse gives the answers in turn; the last one for ever."""

    def __init__(self, *answers: Fence) -> None:
        self._answers = list(answers)
        self.engine = self
        self.adapter_type = "somewhere"
        self.asked: list[str] = []
        self.reread: list[NodeId] = []
        self.said: dict[str, str] = {}
        self.waits: list[str] = []

    def fence(self, run_id: str) -> Iterator[object]:
        self.asked.append(run_id)
        return settled(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])

    def perform(self, asks: Sequence[object]) -> tuple[object, ...]:
        return ()

    def label(self, node_id: NodeId) -> str:
        return node_id.rsplit(".", 1)[-1]

    def reread_relations(self, node_id: NodeId) -> None:
        self.reread.append(node_id)

    def say(self, code: str, text: str, *, is_error: bool = False) -> None:
        self.said.setdefault(code, text)

    def say_waiting(self, node_id: NodeId, text: str) -> None:
        self.waits.append(text)


def fencing(host: Host, *, limit: float = 60.0, ends: bool = False) -> Fencing:
    def pause(seconds: float) -> bool:
        time.sleep(min(seconds, 0.001))
        return ends

    return Fencing(host, "us", pause=pause, limit=timedelta(seconds=limit))


def test_where_nobody_died_nothing_is_asked() -> None:
    host = Host(BUSY)
    fencing(host).fence(ORDERS, ())
    fencing(host).fence(ORDERS, {"us"})
    assert (host.asked, host.reread, host.said) == ([], [], {})


def test_each_dead_run_is_ended_once_and_the_relations_are_read_again_for_every_node() -> None:
    host = Host(Gone())
    ours = fencing(host)
    ours.fence(ORDERS, {"a", "b", "us"})
    ours.fence(LINES, {"a"})
    assert (host.asked, host.reread, host.said) == (["a", "b"], [ORDERS, LINES], {})


def test_it_is_asked_again_until_the_session_is_gone() -> None:
    host = Host(BUSY, BUSY, BUSY, Gone())
    fencing(host).fence(ORDERS, {"a"})
    assert host.asked == ["a"] * 4
    assert host.said == {"fenced:a": "run a is gone and had left its query behind: session 42 ended in the warehouse"}
    assert host.waits == ["for run a, which is gone, to leave the warehouse (session 42 of etl)"]
    assert host.reread == [ORDERS]


def test_what_cannot_be_ended_fails_the_node_with_the_sessions_and_what_to_do() -> None:
    host = Host(REFUSED)
    ours = fencing(host, limit=0.05)
    with pytest.raises(OrphanedQueryError) as error:
        ours.fence(ORDERS, {"a"})
    assert "session 42 of etl: permission denied" in str(error.value)
    assert "select pg_terminate_backend(42)" in str(error.value)
    assert error.value.run_id == "a"
    assert host.reread == []
    asked = len(host.asked)
    assert asked > 1
    with pytest.raises(OrphanedQueryError):
        ours.fence(LINES, {"a"})
    assert len(host.asked) == asked + 1


def test_a_refused_session_that_ends_by_itself_in_time_is_no_failure() -> None:
    host = Host(REFUSED, REFUSED, Gone())
    fencing(host).fence(ORDERS, {"a"})
    assert host.reread == [ORDERS]


def test_a_node_that_failed_for_it_does_not_keep_the_next_one_from_going_on_once_it_is_gone() -> None:
    host = Host(REFUSED, Gone())
    ours = fencing(host, limit=0.0)
    with pytest.raises(OrphanedQueryError):
        ours.fence(ORDERS, {"a"})
    ours.fence(LINES, {"a"})
    assert host.reread == [LINES]


def test_a_warehouse_that_does_not_answer_fails_the_node() -> None:
    with pytest.raises(OrphanedQueryError, match=r"cannot be looked for: no route to host.*see that the warehouse answers"):
        fencing(Host(Left(error="no route to host")), limit=0.0).fence(ORDERS, {"a"})


def test_a_run_that_is_ended_meanwhile_waits_no_longer() -> None:
    host = Host(BUSY)
    with pytest.raises(OrphanedQueryError):
        fencing(host, ends=True).fence(ORDERS, {"a"})
    assert host.asked == ["a"]


def test_where_nobody_can_tell_it_is_said_once_and_the_build_goes_on() -> None:
    host = Host(CannotTell())
    ours = fencing(host)
    ours.fence(ORDERS, {"a"})
    ours.fence(LINES, {"a"})
    (text,) = host.said.values()
    assert "run a died while it was building orders" in text
    assert "cannot tell on somewhere" in text
    assert host.asked == ["a"]
