from __future__ import annotations

from types import SimpleNamespace

import pytest

from afresh.core.relation import Relation
from afresh.core.version import Known
from afresh.orchestration.watch import Watch
from afresh.warehouse.asks import AskSql, Rows, ask_one
from afresh.warehouse.names import Name
from afresh.warehouse.probe import ProbeAnswer, Target

ORDERS = Target(Relation("w", "d", "s", "orders"), Name("d", "s", "orders"))


class Engine:
    def __init__(self, sees):
        self.sees_outside_writes = sees

    def probe(self, targets):
        yield from ask_one(AskSql("counters", None, "counters"))
        return {target.key: ProbeAnswer(Known("n=1")) for target in targets}


@pytest.mark.parametrize(("sees", "asked"), [(True, ["counters"]), (False, [])])
def test_before_a_build_counters_are_read_only_where_they_can_tell_whose_writes_they_count(sees, asked):
    heard = []

    def perform(asks):
        heard.extend(ask.sql for ask in asks)
        return tuple(Rows((), ()) for _ in asks)

    host = SimpleNamespace(engine=Engine(sees), target_of_key=lambda _key, purpose: ORDERS if purpose else None, perform=perform)
    watch = Watch(host, None, "run")
    node, last = SimpleNamespace(materialized="incremental"), SimpleNamespace(key=ORDERS.key, outside_token="x created=1")
    watch.about_to_build(node, last)
    assert heard == asked
