from __future__ import annotations

import pytest

from afresh.core.relation import Relation
from afresh.core.version import Known, Unknown
from afresh.warehouse.engine import Engine, ViewBinding
from afresh.warehouse.fence import CannotTell, Gone
from afresh.warehouse.names import Name
from afresh.warehouse.probe import NO_CHAINS, Built, FileChain, Held, ProbeAnswer, Target
from afresh.warehouse.registry import _ENGINES, engine

SOMEWHERE = engine("somewhere")
T = Target(Relation("w", "d", "s", "t"), Name("d", "s", "t"))


def hold(talk):
    with pytest.raises(StopIteration) as end:
        next(talk)
    return end.value.value


@pytest.mark.parametrize("adapter", [*sorted(_ENGINES), "somewhere"])
def test_every_engine_offers_the_same(adapter):
    found: Engine = engine(adapter)
    assert found.adapter_type == adapter
    assert found.view_binding in ViewBinding
    assert isinstance(found.replaces_drop_views, bool)
    assert found.session_date_sql.startswith("select ")


def test_it_asks_nothing_and_says_that_it_does_not_know():
    answer = hold(SOMEWHERE.probe([T]))[T.key]
    assert isinstance(answer.version, Unknown)
    assert "loaded_at_field" in answer.version.why
    assert answer.exists is None


def test_it_is_silent_about_writes_of_others():
    assert not SOMEWHERE.sees_outside_writes
    assert hold(SOMEWHERE.post_build([Built(T)]))[T.key].outside_token is None
    assert hold(SOMEWHERE.outside([Held(T, "anything")]))[T.key].change is None
    assert SOMEWHERE.outside_change("anything", ProbeAnswer(Known("else"))) is None


@pytest.mark.parametrize(("adapter", "expected"), [("duckdb", Gone()), ("somewhere", CannotTell())])
def test_without_sessions_of_a_server_to_end_nothing_is_asked(adapter, expected):
    assert hold(engine(adapter).fence("01JDA")) == expected
    assert engine(adapter).session_name("dbt", "01JDA") is None


def test_it_keeps_no_chains():
    assert hold(SOMEWHERE.arrive({"f": FileChain(1, "x")})) == NO_CHAINS
    assert hold(SOMEWHERE.leave(NO_CHAINS)) == NO_CHAINS


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ({"host": "H.example", "port": 1}, "somewhere://h.example:1"),
        ({"server": "h"}, "somewhere://h"),
        ({"host": "localhost"}, None),
        ({}, None),
    ],
)
def test_its_identity_is_host_and_port(credentials, expected):
    assert hold(SOMEWHERE.warehouse_identity(credentials)).warehouse == expected


@pytest.mark.parametrize(
    ("adapter", "credentials", "expected"),
    [
        ("oneofmany", {"account": "Ab12345.eu-west-1"}, "oneofmany://ab12345.eu-west-1"),
        ("another", {"project": "shop-prod"}, "another://shop-prod"),
    ],
)
def test_a_cloud_warehouse_is_its_account_or_project(adapter, credentials, expected):
    assert hold(engine(adapter).warehouse_identity(credentials)).warehouse == expected
