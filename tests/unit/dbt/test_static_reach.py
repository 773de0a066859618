"""What the execution of a node may reach, by the words in texts: more than it does, never less."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from afresh.dbt.static_reach import reach_of


@dataclass(frozen=True)
class Macro:
    name: str
    macro_sql: str = ""
    package_name: str = "shop"

    @property
    def unique_id(self) -> str:
        return f"macro.{self.package_name}.{self.name}"


MACROS = (
    Macro("materialization_table_default", "{{ create_table_as(sql) }}", "dbt"),
    Macro("create_table_as", "{{ adapter.dispatch('create_table_as')(sql) }}", "dbt"),
    Macro("duckdb__create_table_as", "{{ options() }}", "dbt_duckdb"),
    Macro("options", "{{ var('options') }} {{ env_var('HOME', '') }} {{ config.get('tier') }}"),
    Macro("get_incremental_upside_down_sql"),
    Macro("snapshot_hash_strategy"),
    Macro("note", "{{ deeper() }}"),
    Macro("deeper"),
    Macro("never_named"),
    Macro("secret", "{{ var(name_of_it) }}"),
)


def reach(*hooks: str, materialized: str = "table"):
    macros = {macro.unique_id: macro for macro in MACROS}
    return reach_of(
        "shop", materialized, hooks, macros, adapter_types=["duckdb"], is_engine=lambda macro: macro.package_name.startswith("dbt")
    )


def names(reached) -> set[str]:
    return {macro.rpartition(".")[2] for macro in reached.macros}


BY_COMPUTED_NAMES = {"get_incremental_upside_down_sql", "snapshot_hash_strategy"}


def test_macros_are_followed_from_the_materialization_through_dispatch():
    reached = reach()
    assert names(reached) == {"materialization_table_default", "create_table_as", "duckdb__create_table_as", "options"} | BY_COMPUTED_NAMES
    assert (reached.vars, reached.env, reached.config) == ({("shop", "options")}, {"HOME"}, {"tier"})


def test_macros_are_followed_from_hooks():
    assert names(reach("{{ note() }}", materialized="seed")) == {"note", "deeper"} | BY_COMPUTED_NAMES


@pytest.mark.parametrize("hook", ["{{ var( 'day' ) }}", '{{ var("day", 1) }}'])
def test_variables_of_hooks_are_found(hook):
    assert reach(hook, materialized="seed").vars == {("shop", "day")}


@pytest.mark.parametrize("hook", ["{{ secret() }}", "{{ env_var(x) }}", "{{ var('a' ~ b) }}", "{{ config.get(key) }}"])
def test_a_name_that_is_computed_cannot_be_told(hook):
    assert reach(hook) is None
