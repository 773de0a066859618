"""dbt's own cache of relations, read again while a thread builds: the thread's relations stay as the thread left them."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from dbt.adapters.base.relation import BaseRelation
from dbt.adapters.cache import RelationsCache
from dbt.adapters.contracts.relation import RelationType
from dbt_common.context import set_invocation_context

from afresh.core.observation import Existence, Missing
from afresh.dbt.compat.relation_cache import RelationCache
from afresh.dbt.compat.warehouse_access import WarehouseAccess


def relation(name: str, kind: RelationType = RelationType.Table) -> BaseRelation:
    return BaseRelation.create(database="shop", schema="main", identifier=name, type=kind)


ORDERS, LINES = relation("orders"), relation("lines")
TMP, BACKUP = relation("orders__dbt_tmp"), relation("orders__dbt_backup")
VIEW = relation("shown", RelationType.View)


@dataclass
class Adapter:
    """What the warehouse says, and what dbt believes; ``links`` are pairs of a relation and what is over it."""

    live: list[BaseRelation]
    links: list[tuple[BaseRelation, BaseRelation]] = field(default_factory=list)
    cache: RelationsCache = field(default_factory=RelationsCache)

    connections = SimpleNamespace(TYPE="duckdb")

    def list_relations_without_caching(self, _schema: BaseRelation) -> list[BaseRelation]:
        return self.live

    def _link_cached_database_relations(self, _schemas: set[str]) -> None:
        for below, above in self.links:
            self.cache.add_link(below, above)

    def believes(self) -> dict[str, str]:
        return {found.identifier: found.type for found in self.cache.get_relations("shop", "main")}


@pytest.fixture
def adapter() -> Adapter:
    made = Adapter([ORDERS, LINES])
    made.cache.update_schemas([("shop", "main")])
    for known in made.live:
        made.cache.add(known)
    return made


def test_what_other_runs_did_is_known_afterwards(adapter: Adapter) -> None:
    adapter.live = [ORDERS, VIEW]
    RelationCache(adapter).reread(ORDERS)
    assert adapter.believes() == {"orders": "table", "shown": "view"}


@pytest.mark.parametrize("is_building", [True, False])
def test_a_table_that_a_thread_is_replacing_is_not_found_again_in_the_warehouse(adapter: Adapter, *, is_building: bool) -> None:
    """Nothing is committed yet, so the warehouse still shows the old table under its name; dbt refuses to rename onto it then."""
    cache = RelationCache(adapter)
    with cache.building(ORDERS) if is_building else nullcontext():
        adapter.cache.add(TMP)
        adapter.cache.rename(ORDERS, BACKUP)
        cache.reread(LINES)
        assert adapter.believes() == (
            {"orders__dbt_tmp": "table", "orders__dbt_backup": "table", "lines": "table"}
            if is_building
            else {"orders": "table", "lines": "table"}
        )
        if is_building:
            adapter.cache.rename(TMP, ORDERS)
    assert "orders" in adapter.believes()


def test_a_build_that_begins_and_ends_while_the_warehouse_answers_counts_too(adapter: Adapter) -> None:
    cache, listed = RelationCache(adapter), adapter.list_relations_without_caching

    def meanwhile(schema: BaseRelation) -> list[BaseRelation]:
        found = listed(schema)
        with cache.building(ORDERS):
            adapter.cache.drop(ORDERS)
            adapter.cache.add(relation("orders", RelationType.View))
        return found

    adapter.list_relations_without_caching = meanwhile  # type: ignore[method-assign]
    cache.reread(LINES)
    assert adapter.believes() == {"orders": "view", "lines": "table"}


def test_a_view_over_a_table_that_is_being_replaced_stays_gone(adapter: Adapter) -> None:
    adapter.cache.add(VIEW)
    adapter.links = [(ORDERS, VIEW)]
    cache = RelationCache(adapter)
    adapter.live = [ORDERS, LINES, VIEW]
    cache.reread(LINES)
    listed = adapter.list_relations_without_caching

    def dropped_meanwhile(schema: BaseRelation) -> list[BaseRelation]:
        found = listed(schema)
        adapter.cache.drop(ORDERS)
        adapter.links = []
        return found

    adapter.list_relations_without_caching = dropped_meanwhile  # type: ignore[method-assign]
    with cache.building(ORDERS):
        cache.reread(LINES)
        assert adapter.believes() == {"lines": "table"}


def test_nobody_sees_what_is_invented_while_links_are_made(adapter: Adapter) -> None:
    set_invocation_context({})
    access = WarehouseAccess(adapter)
    adapter.links = [(ORDERS, VIEW)]
    link = adapter._link_cached_database_relations
    with ThreadPoolExecutor(1) as other:
        seen: list[Future[Existence]] = []

        def linked(schemas: set[str]) -> None:
            link(schemas)
            assert "shown" in adapter.believes()
            seen.append(other.submit(access.existence, VIEW))
            assert not wait(seen, timeout=0.2).done

        adapter._link_cached_database_relations = linked  # type: ignore[method-assign]
        RelationCache(adapter).reread(ORDERS)
        assert isinstance(seen[0].result(), Missing)
    access.close()


def test_no_relation_is_invented_for_the_sake_of_a_link(adapter: Adapter) -> None:
    adapter.links = [(ORDERS, VIEW), (relation("gone"), LINES)]
    RelationCache(adapter).reread(ORDERS)
    assert adapter.believes() == {"orders": "table", "lines": "table"}
