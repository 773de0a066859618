"""How old an answer of the warehouse may be."""

from __future__ import annotations

import pytest
from tests.conformance.store.examples import FakeClock

from afresh.core.version import Known, Unknown
from afresh.orchestration.readings import Readings
from property.engine.toy_engine import Signal
from property.engine.toy_host import Invocation, ToyHost, relation
from property.engine.toy_project import Project
from property.engine.toy_warehouse import Warehouse

RAW = relation("raw")


@pytest.fixture
def warehouse() -> Warehouse:
    made = Warehouse(by_content=False)
    made.put_table("raw", {1: 1})
    return made


@pytest.fixture
def host(warehouse: Warehouse) -> ToyHost:
    return ToyHost(Project("main", ()), warehouse, Invocation(frozenset()), signal=Signal.VERSION)


@pytest.fixture
def readings(host: ToyHost, store) -> Readings:
    made = Readings(host, store)
    made.read([host.target(RAW, None)])
    return made


def test_an_answer_holds_for_the_whole_run(readings: Readings, warehouse: Warehouse) -> None:
    before = readings.version(RAW.key)
    warehouse.put_table("raw", {1: 2})
    assert readings.version(RAW.key) == before


def test_an_answer_older_than_the_build_that_it_is_compared_with_is_asked_again(readings, warehouse, clock: FakeClock) -> None:
    before = readings.version(RAW.key)
    warehouse.put_table("raw", {1: 2})
    assert readings.version(RAW.key, not_before=clock()) == before, "it is as old as that moment, which is new enough"
    clock.advance(seconds=1)
    after = readings.version(RAW.key, not_before=clock())
    assert after != before
    assert readings.version(RAW.key) == after, "what was asked last is kept"


def test_after_a_wait_everything_is_asked_again(readings, warehouse, clock: FakeClock) -> None:
    before = readings.version(RAW.key)
    warehouse.put_table("raw", {1: 2})
    clock.advance(seconds=1)
    readings.ask_again()
    assert readings.version(RAW.key) != before


def test_what_was_not_asked_for_is_unknown_and_listed_as_missing(readings, host) -> None:
    other = host.target(relation("other"), None)
    assert isinstance(readings.version(other.key), Unknown)
    assert readings.missing([other, host.target(RAW, None)]) == (other,)


def test_a_relation_that_does_not_exist_is_unknown(readings, host) -> None:
    readings.read([host.target(relation("other"), None)])
    assert isinstance(readings.version(relation("other").key), Unknown)
    assert isinstance(readings.version(RAW.key), Known)
