"""One suite for every engine that is asked through its catalogue, played from recorded answers (``recorded.py``)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from afresh.core.version import Known, Unknown
from afresh.warehouse.names import Ambiguous, Name, Quoting
from afresh.warehouse.probe import Purpose, Signal, Strength, token_of
from afresh.warehouse.registry import engine
from conformance.warehouse.recorded import ENGINES, Thing, World, target_of

ADAPTERS = sorted(ENGINES)


@pytest.fixture(params=ADAPTERS)
def world(request) -> World:
    return World(request.param)


def name_in(world, identifier, schema="raw", database="shop") -> Name:
    folded = engine(world.adapter).normalise(Name(database, schema, identifier), Quoting(False, False, False))
    assert isinstance(folded, Name)
    return folded if folded.database else replace(folded, schema=f"{database}_{schema}")


def spelled(world, name) -> str:
    """A name as SQL spells it in full."""
    return engine(world.adapter).words.dotted((name.database, name.schema, name.identifier))


def view_of(world, *names, where="") -> Thing:
    selects = " union all ".join(f"select id from {spelled(world, name)}{where}" for name in names)
    return Thing("view", definition=selects)


def of_all(asked):
    """The questions that are not about one table alone."""
    return [sql for sql in asked if not re.search(r"^describe |\$snapshots|\$history", sql)]


def known(answer) -> str:
    assert isinstance(answer.version, Known), answer
    return answer.version.token


def test_what_stands_still_keeps_its_token(world):
    target = world.add(name_in(world, "orders"))
    (first,), (second,) = world.look(target), world.look(target)
    assert known(first) == known(second)
    assert (first.exists, first.relation_type) == (True, "table")
    assert first.strength in (Strength.EXACT, Strength.COARSE, Strength.LATE)
    assert first.warnings == ()


def test_a_write_moves_the_token(world):
    target = world.add(name_in(world, "orders"))
    (before,) = world.look(target)
    world.things[target.name].version += 1
    (after,) = world.look(target)
    assert known(before) != known(after)


def test_a_replaced_table_has_another_token_though_it_counts_as_many_writes(world):
    target = world.add(name_in(world, "orders"))
    (before,) = world.look(target)
    world.things[target.name].made += 1
    assert known(before) != known(world.look(target)[0])


def test_a_table_that_does_not_exist_is_missing_or_unknown_but_never_known(world):
    world.add(name_in(world, "orders"))
    missing, elsewhere = world.look(target_of(name_in(world, "returns")), target_of(name_in(world, "orders", schema="nowhere")))
    assert (missing.exists, token_of(missing)) == (False, None)
    assert token_of(elsewhere) is None
    assert elsewhere.exists is not True


def test_a_database_that_does_not_exist_spoils_no_other(world):
    target = world.add(name_in(world, "orders"))
    good, bad = world.look(target, target_of(name_in(world, "orders", database="gone")))
    assert known(good)
    assert token_of(bad) is None


def test_tables_of_one_name_in_other_schemas_and_databases_are_told_apart(world):
    places = [("shop", "raw"), ("shop", "stage"), ("lake", "raw")]
    targets = [world.add(name_in(world, "orders", schema, database), Thing(version=at)) for at, (database, schema) in enumerate(places, 1)]
    before = [known(answer) for answer in world.look(*targets)]
    assert len(set(before)) == 3
    world.things[targets[1].name].version += 10
    after = [known(answer) for answer in world.look(*targets)]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]


@pytest.mark.parametrize("odd", ["it's", 'say "x"', "a`b", "a\\b", "x]y", "with space", "-- no"])
def test_odd_names_are_quoted(world, odd):
    target = world.add(name_in(world, odd))
    world.add(name_in(world, "other"))
    (answer,) = world.look(target)
    assert known(answer)


def test_many_tables_cost_no_more_questions_of_the_catalogue_than_one(world):
    targets = [world.add(name_in(world, f"t{n}")) for n in range(40)]
    world.look(targets[0])
    alone = len(of_all(world.asked))
    world.asked.clear()
    assert len({known(answer) + target.name.identifier for target, answer in zip(targets, world.look(*targets), strict=True)}) == 40
    assert len(of_all(world.asked)) == alone


def test_where_the_engine_does_not_tell_the_version_is_unknown_and_one_warning_says_why(world):
    target = world.add(name_in(world, "orders"), Thing(tells=False))
    (answer,) = world.look(target)
    assert isinstance(answer.version, Unknown)
    assert answer.exists is True
    assert [answer.version.why in warning for warning in answer.warnings] == [True]


def test_a_catalogue_that_refuses_makes_everything_unknown(world):
    target = world.add(name_in(world, "orders"))
    world.refuses = "permission denied\nmore of it"
    (answer,) = world.look(target)
    assert isinstance(answer.version, Unknown)
    assert "permission denied" in answer.version.why
    assert "more of it" not in answer.version.why
    assert answer.exists is None


def test_what_is_no_ordinary_table_is_unknown(world):
    target = world.add(name_in(world, "orders"), Thing("external"))
    (answer,) = world.look(target)
    assert isinstance(answer.version, Unknown)
    assert "loaded_at_field" in answer.version.why


def test_files_that_sql_reads_in_place_are_unknown_and_not_looked_up(world):
    target = target_of(Name("", "", "s3://bucket/*.csv"), location="'s3://bucket/*.csv'")
    (answer,) = world.look(target)
    assert "files" in answer.version.why
    assert answer.exists is None
    assert world.asked == []


# --- views ------------------------------------------------------------------------------------------------------------


def test_a_view_has_the_version_of_the_tables_under_it(world):
    table, other = world.add(name_in(world, "orders")), world.add(name_in(world, "other"))
    inner = world.add(name_in(world, "inner_view"), view_of(world, table.name))
    outer = world.add(name_in(world, "outer_view", "marts", "lake"), view_of(world, inner.name))
    (before,) = world.look(outer)
    assert known(before) == known(world.look(outer)[0])
    assert before.relation_type == "view"
    world.things[other.name].version += 1
    assert known(before) == known(world.look(outer)[0])
    world.things[table.name].version += 1
    assert known(before) != known(world.look(outer)[0])


def test_another_definition_is_another_version(world):
    table, other = world.add(name_in(world, "orders")), world.add(name_in(world, "other"))
    view = world.add(name_in(world, "v"), view_of(world, table.name))
    (before,) = world.look(view)
    world.things[view.name] = view_of(world, other.name)
    (elsewhere,) = world.look(view)
    world.things[view.name] = view_of(world, table.name, where=" where id > 1")
    assert len({known(before), known(elsewhere), known(world.look(view)[0])}) == 3


def test_the_names_of_ctes_are_no_tables(world):
    table = world.add(name_in(world, "orders"))
    text = f"with recent as (select id from {spelled(world, table.name)}) select id from recent"
    view = world.add(name_in(world, "v"), Thing("view", definition=text))
    assert known(world.look(view)[0])


def test_a_view_over_something_unknown_is_unknown(world):
    outside = world.add(name_in(world, "outside"), Thing("external"))
    gone = name_in(world, "gone")
    over_outside = world.add(name_in(world, "v1"), view_of(world, outside.name))
    over_nothing = world.add(name_in(world, "v2"), view_of(world, gone))
    hidden = world.add(name_in(world, "v3"), Thing("view", definition=None))
    for answer, why in zip(
        world.look(over_outside, over_nothing, hidden), ["it reads", "gone: it was not found", "may not read its definition"], strict=True
    ):
        assert isinstance(answer.version, Unknown)
        assert why.lower() in answer.version.why.lower()


def test_a_view_that_calls_what_nobody_knows_is_unknown(world):
    table = world.add(name_in(world, "orders"))
    text = f"select my_function(id) from {spelled(world, table.name)}"
    view = world.add(name_in(world, "v"), Thing("view", definition=text))
    (answer,) = world.look(view)
    assert isinstance(answer.version, Unknown)
    assert "my_function()" in answer.version.why


def test_a_view_that_reads_itself_through_others_ends(world):
    one, two = name_in(world, "v1"), name_in(world, "v2")
    target = world.add(one, view_of(world, two))
    world.add(two, view_of(world, one))
    world.look(target)
    assert len(world.asked) < 20


def test_a_view_that_depends_on_the_date_changes_with_it(world):
    table = world.add(name_in(world, "orders"))
    view = world.add(name_in(world, "v"), view_of(world, table.name, where=" where day = current_date()"))
    (before,) = world.look(view)
    assert known(before) == known(world.look(view)[0])
    world.today = "2026-11-27"
    assert known(before) != known(world.look(view)[0])


@pytest.mark.parametrize("adapter", ["snowflake", "bigquery"])
def test_our_own_view_is_its_definition_alone(adapter):
    world = World(adapter)
    table = world.add(name_in(world, "orders"))
    view = replace(world.add(name_in(world, "v"), view_of(world, table.name)), purpose=Purpose.OWN)
    (before,) = world.look(view)
    world.things[table.name].version += 1
    assert known(before) == known(world.look(view)[0])


def test_no_table_of_ours_costs_a_question_of_its_own(world):
    """They are looked at before and after the hooks at the end of a run, however many they are."""
    targets = [replace(world.add(name_in(world, f"t{n}")), purpose=Purpose.OWN) for n in range(30)]
    before = world.look(*targets)
    assert len(world.asked) <= 3
    assert before == world.look(*targets)
    assert [answer.warnings for answer in before] == [()] * 30
    assert {answer.exists for answer in before} == ({True} if engine(world.adapter).lasting else {None})


@pytest.mark.parametrize(("adapter", "is_seen"), [("snowflake", True), ("bigquery", True), ("clickhouse", False)])
def test_what_hooks_write_into_our_tables_is_seen_where_nothing_else_moves_the_answer(adapter, is_seen):
    world = World(adapter)
    target = replace(world.add(name_in(world, "orders")), purpose=Purpose.OWN)
    (before,) = world.look(target)
    world.things[target.name].touched += 1
    assert known(before) == known(world.look(target)[0])
    world.things[target.name].version += 1
    assert (known(before) != known(world.look(target)[0])) is is_seen


# --- beside the probe -------------------------------------------------------------------------------------------------


def test_loaded_at_counts_beside_the_engine_s_own_token(world):
    target = replace(world.add(name_in(world, "orders")), loaded_at_field="loaded_at", filter="id > 1")
    (before,) = world.look(target)
    world.loaded_at = "2026-11-26 07:30:00"
    (loaded,) = world.look(target)
    world.things[target.name].version += 1
    (written,) = world.look(target)
    assert len({known(before), known(loaded), known(written)}) == 3
    assert before.warnings == ()


def test_loaded_at_decides_alone_where_the_engine_tells_nothing(world):
    target = replace(world.add(name_in(world, "orders"), Thing("external")), loaded_at_query="select max(loaded_at) from somewhere")
    (before,) = world.look(target)
    world.loaded_at = "2026-11-26 07:30:00"
    assert known(before) != known(world.look(target)[0])
    assert (before.strength, before.signal) == (Strength.DECLARED, Signal.LOADED_AT)


def test_its_own_words_about_itself(world):
    found = engine(world.adapter)
    assert found.adapter_type == world.adapter
    assert found.dialect == found.words.name
    assert not found.sees_outside_writes


@pytest.mark.parametrize(
    ("adapter", "written", "quoted", "folded"),
    [
        ("snowflake", "Orders", False, "ORDERS"),
        ("snowflake", "Orders", True, "Orders"),
        ("snowflake", "straße", False, "STRAßE"),
        ("bigquery", "Orders", False, "Orders"),
        ("bigquery", "Orders", True, "Orders"),
        ("databricks", "Orders", True, "orders"),
        ("databricks", "Orders", False, "orders"),
        ("athena", "Orders", True, "orders"),
        ("trino", "Orders", True, "orders"),
        ("redshift", "Orders", False, "orders"),
        ("redshift", "orders", True, "orders"),
    ],
)
def test_names_fold_as_the_engine_folds_them(adapter, written, quoted, folded):
    assert engine(adapter).normalise(Name(written, written, written), Quoting(quoted, quoted, quoted)) == Name(folded, folded, folded)


@pytest.mark.parametrize(("adapter", "folded"), [("spark", Name("", "raw", "orders")), ("clickhouse", Name("", "Raw", "Orders"))])
def test_where_databases_are_schemas_a_name_has_two_parts(adapter, folded):
    assert engine(adapter).normalise(Name("Raw", "Raw", "Orders"), Quoting()) == folded


def test_names_whose_case_only_the_cluster_knows_are_ambiguous():
    found = engine("redshift").normalise(Name("dev", "raw", "Orders"), Quoting(False, False, True))
    assert isinstance(found, Ambiguous)
    assert "enable_case_sensitive_identifier" in found.why
