"""What is particular to one engine, played from recorded answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from afresh.core.version import Known, Unknown
from afresh.warehouse.asks import Failed, Rows
from afresh.warehouse.delta import read_history
from afresh.warehouse.iceberg import read_snapshots
from afresh.warehouse.names import Name
from afresh.warehouse.probe import Built, Held, Purpose, Signal, Strength
from afresh.warehouse.registry import engine
from conformance.warehouse.driver import Conversation
from conformance.warehouse.recorded import Thing, World, marked_rows, target_of


def known(answer) -> str:
    assert isinstance(answer.version, Known), answer
    return answer.version.token


def why(answer) -> str:
    assert isinstance(answer.version, Unknown), answer
    return answer.version.why


def identity(adapter, answer, **credentials):
    return Conversation(lambda _: answer).hold(engine(adapter).warehouse_identity(credentials)).warehouse


# --- Snowflake --------------------------------------------------------------------------------------------------------


@pytest.fixture
def snowflake() -> World:
    return World("snowflake")


def test_snowflake_sees_what_is_no_dml_by_rows_and_columns(snowflake):
    target = snowflake.add(Name("SHOP", "RAW", "ORDERS"))
    (before,) = snowflake.look(target)
    snowflake.things[target.name].rows = 0
    (emptied,) = snowflake.look(target)
    snowflake.things[target.name].columns += (("added", "TEXT"),)
    (wider,) = snowflake.look(target)
    assert len({known(before), known(emptied), known(wider)}) == 3
    assert before.signature is not None
    assert (before.signal, before.strength, before.estimated_rows) == (Signal.TABLE_VERSION, Strength.EXACT, 10)


def test_snowflake_asks_table_by_table_where_one_of_them_may_not_be_asked(snowflake):
    good = snowflake.add(Name("SHOP", "RAW", "ORDERS"))
    bad = snowflake.add(Name("SHOP", "RAW", "denied"))
    fine, refused = snowflake.look(good, bad)
    assert known(fine)
    assert "not authorized" in why(refused)


def test_snowflake_gives_no_token_to_a_table_that_was_never_written(snowflake):
    target = snowflake.add(Name("SHOP", "RAW", "ORDERS"), Thing(version=-1_761_000_000_000_000_000))
    assert "does not tell when it was last written" in why(snowflake.look(target)[0])


def test_snowflake_says_nothing_of_dynamic_tables(snowflake):
    assert "dynamic table" in why(snowflake.look(snowflake.add(Name("SHOP", "RAW", "D"), Thing("dynamic")))[0])


@pytest.mark.parametrize(("text", "reads"), [("orders", True), ("raw.orders", True), ('"orders"', False), ("stage.orders", False)])
def test_snowflake_names_in_views_without_a_schema_are_in_that_of_the_view(snowflake, text, reads):
    snowflake.add(Name("SHOP", "RAW", "ORDERS"))
    view = snowflake.add(Name("SHOP", "RAW", "V"), Thing("view", definition=f"create or replace secure view v as select * from {text}"))
    (answer,) = snowflake.look(view)
    assert isinstance(answer.version, Known) is reads


@pytest.mark.parametrize("text", ["@stage/file.csv", "table(my.own.f(1))", "raw.orders sample (10)", "identifier($name)"])
def test_snowflake_views_over_something_other_than_tables_are_unknown(snowflake, text):
    snowflake.add(Name("SHOP", "RAW", "ORDERS"))
    view = snowflake.add(Name("SHOP", "RAW", "V"), Thing("view", definition=f"create view v as select * from {text}"))
    assert why(snowflake.look(view)[0])


def test_snowflake_is_known_by_organization_and_account_however_the_profile_spells_it():
    named = marked_rows([("ACME", "PROD_1")])
    assert identity("snowflake", named, account="ab12345.eu-west-1") == "snowflake://acme-prod_1"
    assert identity("snowflake", named, account="acme-prod_1") == "snowflake://acme-prod_1"
    assert identity("snowflake", marked_rows([(None, None)]), account="Ab12345.eu-west-1") == "snowflake://ab12345.eu-west-1"
    assert identity("snowflake", Failed("no"), account="Ab1") == "snowflake://ab1"
    assert identity("snowflake", Failed("no")) is None


# --- BigQuery ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def bigquery() -> World:
    return World("bigquery")


def test_bigquery_takes_the_tables_behind_a_wildcard_for_one(bigquery):
    shards = [bigquery.add(Name("p", "ga", f"events_2026010{n}")) for n in range(1, 4)]
    bigquery.add(Name("p", "ga", "other_1"))
    wanted = target_of(Name("p", "ga", "events_*"))
    (before,) = bigquery.look(wanted)
    assert known(before) == known(bigquery.look(wanted)[0])
    assert before.estimated_rows == 30
    bigquery.things[shards[1].name].version += 1
    (written,) = bigquery.look(wanted)
    bigquery.add(Name("p", "ga", "events_20260104"))
    (longer,) = bigquery.look(wanted)
    assert len({known(before), known(written), known(longer)}) == 3
    bigquery.add(Name("p", "ga", "events_view"), Thing("view", definition="select 1"))
    assert known(bigquery.look(wanted)[0]) == known(longer)
    assert bigquery.look(target_of(Name("p", "ga", "nothing_*")))[0].exists is False


def test_bigquery_wildcards_are_unknown_as_soon_as_one_table_does_not_tell(bigquery):
    bigquery.add(Name("p", "ga", "events_1"))
    bigquery.add(Name("p", "ga", "events_2"), Thing(tells=False))
    assert "last modified" in why(bigquery.look(target_of(Name("p", "ga", "events_*")))[0])


@pytest.mark.parametrize(
    "name", [Name("p", "ga", "t$20260101"), Name("p", "ga", "t@-60"), Name("p", "INFORMATION_SCHEMA", "x"), Name("", "d", "t")]
)
def test_bigquery_says_nothing_of_parts_and_moments_of_tables(bigquery, name):
    bigquery.add(Name("p", "ga", "t"))
    assert why(bigquery.look(target_of(name))[0])
    assert bigquery.asked == []


def test_bigquery_sees_partitions_that_expire_by_the_number_of_rows(bigquery):
    target = bigquery.add(Name("p", "d", "t"))
    (before,) = bigquery.look(target)
    bigquery.things[target.name].rows = 9
    assert known(before) != known(bigquery.look(target)[0])
    assert before.strength is Strength.LATE


def test_bigquery_views_must_name_the_project(bigquery):
    bigquery.add(Name("p", "d", "t"))
    view = bigquery.add(Name("p", "d", "v"), Thing("view", definition="select * from d.t"))
    assert "where that is cannot be told" in why(bigquery.look(view)[0])


def test_bigquery_is_known_by_its_project():
    assert identity("bigquery", Failed("not asked"), project="Shop-Prod") == "bigquery://shop-prod"
    assert identity("bigquery", Failed("not asked"), database="shop") == "bigquery://shop"
    assert identity("bigquery", Failed("not asked")) is None


# --- Databricks -------------------------------------------------------------------------------------------------------


@pytest.fixture
def databricks() -> World:
    return World("databricks")


@pytest.mark.parametrize("catalog", ["main", "hive_metastore"])
def test_databricks_passes_over_maintenance(databricks, catalog):
    target = databricks.add(Name(catalog, "raw", "orders"), Thing(version=3))
    (before,) = databricks.look(target)
    databricks.things[target.name].touched = 5
    (after,) = databricks.look(target)
    assert known(before) == known(after)
    databricks.things[target.name] = Thing(version=4)
    assert known(databricks.look(target)[0]) != known(before)
    assert (before.signal, before.strength) == (Signal.TABLE_VERSION, Strength.EXACT)


def test_databricks_looks_through_views_of_the_hive_metastore(databricks):
    table = databricks.add(Name("hive_metastore", "raw", "orders"))
    view = databricks.add(Name("hive_metastore", "raw", "v"), Thing("view", definition="select * from hive_metastore.raw.orders"))
    (before,) = databricks.look(view)
    databricks.things[table.name].version += 1
    assert known(before) != known(databricks.look(view)[0])


@pytest.mark.parametrize("catalog", ["main", "hive_metastore"])
def test_databricks_knows_no_versions_of_what_is_no_delta_table(databricks, catalog):
    assert "not as Delta" in why(databricks.look(databricks.add(Name(catalog, "raw", "p"), Thing("parquet")))[0])


def test_databricks_tells_a_missing_table_of_the_hive_metastore_from_one_it_may_not_read(databricks):
    missing = target_of(Name("hive_metastore", "raw", "gone"))
    assert databricks.look(missing)[0].exists is False
    databricks.refuses = "[INSUFFICIENT_PERMISSIONS] no"
    assert databricks.look(missing)[0].exists is None


def history_of(*rows, columns=("version", "timestamp", "operation")):
    return read_history(Rows(columns, rows))


def test_a_history_of_maintenance_alone_counts_its_last_commit():
    assert history_of((9, "b", "OPTIMIZE"), (8, "a", "VACUUM END")).parts == {"version": "9", "at": "b"}


def test_a_history_in_any_order_and_of_other_types_is_read_alike():
    assert history_of((1, "a", "WRITE"), (2, "b", "optimize"), (3, "c", "MERGE")).parts["version"] == "3"
    assert history_of(("10", "a", "WRITE"), ("9", "b", "WRITE")).parts["version"] == "10"


def test_a_history_that_is_empty_or_of_another_form_gives_no_version():
    assert "empty" in history_of().why
    assert "form" in history_of((1, "a"), columns=("version", "at")).why


# --- Trino, Athena, Spark ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("adapter", "database"), [("trino", "shop"), ("trino", "lake"), ("athena", "awsdatacatalog"), ("spark", "")])
def test_compaction_is_no_new_data(adapter, database):
    world = World(adapter)
    target = world.add(Name(database, "raw", "orders"), Thing(version=2))
    (before,) = world.look(target)
    world.things[target.name].touched = 3
    assert known(before) == known(world.look(target)[0])
    world.things[target.name] = Thing(version=3, touched=3)
    assert known(before) != known(world.look(target)[0])
    assert (before.signal, before.strength) == (Signal.TABLE_VERSION, Strength.EXACT)


@pytest.mark.parametrize("database", ["shop", "lake"])
def test_trino_sees_columns_that_were_added_without_a_write(database):
    world = World("trino")
    target = world.add(Name(database, "raw", "orders"))
    (before,) = world.look(target)
    world.things[target.name].columns += (("added", "varchar"),)
    (after,) = world.look(target)
    assert before.signature != after.signature
    assert (known(before) == known(after)) is (database == "lake")  # Delta's own log has a commit for it


def test_trino_tables_of_other_connectors_are_unknown_and_not_asked():
    world = World("trino")
    target = world.add(Name("pg", "raw", "orders"))
    assert "the connector postgresql keeps no versions" in why(world.look(target)[0])
    assert not [sql for sql in world.asked if "$" in sql]


def snapshots_of(*rows):
    return read_snapshots(marked_rows(list(rows)), None)


def test_the_current_snapshot_counts_not_the_latest():
    rolled_back = [(3, 2, "append", None), (2, 1, "append", "main"), (1, None, "append", None)]
    assert snapshots_of(*rolled_back).parts == {"snapshot": "2"}


def test_snapshots_that_rewrite_files_are_passed_over_as_far_as_their_parents_are_known():
    assert snapshots_of((3, 2, "replace", "main"), (2, 1, "replace", None), (1, None, "overwrite", None)).parts == {"snapshot": "1"}
    assert snapshots_of((3, 2, "replace", "main")).parts == {"snapshot": "3"}


def test_a_table_without_snapshots_has_a_version_and_one_whose_current_snapshot_is_not_shown_has_none():
    assert snapshots_of().parts == {"snapshot": "none"}
    assert "current snapshot" in snapshots_of((1, None, "append", None)).why


def test_athena_is_known_by_region_and_bucket():
    assert (
        identity("athena", Failed("not asked"), region_name="eu-west-1", s3_staging_dir="s3://acme-results/x/")
        == "athena://eu-west-1/acme-results"
    )
    assert identity("athena", Failed("not asked"), region_name="eu-west-1") is None


@pytest.mark.parametrize(
    ("text", "reads"), [("raw.orders", True), ("spark_catalog.raw.orders", True), ("other.raw.orders", False), ("orders", False)]
)
def test_spark_names_in_views_need_their_schema(text, reads):
    world = World("spark")
    world.add(Name("", "raw", "orders"))
    view = world.add(Name("", "raw", "v"), Thing("view", definition=f"select * from {text}"))
    assert isinstance(world.look(view)[0].version, Known) is reads


def test_spark_views_that_were_made_in_another_catalog_are_unknown():
    world = World("spark")
    world.add(Name("", "raw", "orders"))
    view = world.add(Name("", "raw", "v"), Thing("view", definition="select * from raw.orders", made_in="lake"))
    assert why(world.look(view)[0])


def test_a_description_is_read_up_to_its_first_heading():
    world = World("spark")
    target = world.add(Name("", "raw", "orders"), Thing(columns=(("id", "bigint"), ("day", "date"))))
    (answer,) = world.look(target)
    assert answer.signature is not None
    assert answer.signature.columns == (("id", "bigint"), ("day", "date"))


# --- ClickHouse -------------------------------------------------------------------------------------------------------


@pytest.fixture
def clickhouse() -> World:
    return World("clickhouse")


def test_clickhouse_asks_three_questions_of_all_tables(clickhouse):
    targets = [clickhouse.add(Name("", "raw", f"t{n}")) for n in range(9)]
    clickhouse.look(*targets)
    assert len(clickhouse.asked) == 3


def test_clickhouse_sees_columns_and_an_emptied_table(clickhouse):
    target = clickhouse.add(Name("", "raw", "orders"))
    (before,) = clickhouse.look(target)
    clickhouse.things[target.name].rows = 0
    (emptied,) = clickhouse.look(target)
    clickhouse.things[target.name].columns += (("added", "String"),)
    assert len({known(before), known(emptied), known(clickhouse.look(target)[0])}) == 3
    assert emptied.estimated_rows == 0


def test_clickhouse_says_nothing_of_materialized_views(clickhouse):
    assert "MaterializedView" in why(clickhouse.look(clickhouse.add(Name("", "raw", "feed"), Thing("feed")))[0])


def test_clickhouse_is_known_by_its_address_or_on_this_machine_by_its_own_id():
    server = marked_rows([("6f3c1c1e",)])
    assert identity("clickhouse", server, host="CH.example", port=8443) == "clickhouse://ch.example:8443"
    assert identity("clickhouse", server, host="localhost", port=8123) == "clickhouse:6f3c1c1e"
    assert identity("clickhouse", Failed("no"), host="localhost") is None
    assert identity("clickhouse", marked_rows([("00000000-0000-0000-0000-000000000000",)]), host="localhost") is None


def test_clickhouse_names_in_views_are_in_the_view_s_database(clickhouse):
    clickhouse.add(Name("", "raw", "orders"))
    view = clickhouse.add(Name("", "raw", "v"), Thing("view", definition="select * from orders final where day = today()"))
    assert "date=2026-11-26" in known(clickhouse.look(view)[0])


# --- our own relations ------------------------------------------------------------------------------------------------

SEES_REPLACED = [
    ("snowflake", Name("SHOP", "MARTS", "ORDERS")),
    ("bigquery", Name("p", "marts", "orders")),
    ("clickhouse", Name("", "marts", "orders")),
]


@pytest.fixture(params=SEES_REPLACED, ids=[adapter for adapter, _ in SEES_REPLACED])
def own(request):
    """A table that we have just built, and what was recorded of it."""
    adapter, name = request.param
    world = World(adapter)
    target = replace(world.add(name), purpose=Purpose.OWN)
    after = world.hold(engine(adapter).post_build([Built(target, "table")]))[target.key]
    return world, Held(target, after.outside_token), after


def seen_outside(world, *held):
    found = world.hold(engine(world.adapter).outside(held))
    return [found[entry.target.key].change for entry in held]


def test_a_table_that_is_still_ours_is_silent(own):
    world, held, _ = own
    assert held.recorded
    assert seen_outside(world, held) == [None]
    world.things[held.target.name].version += 1
    world.things[held.target.name].rows = 99
    assert seen_outside(world, held) == [None]  # whose rows they are, nobody can prove


def test_a_table_that_others_replaced_is_seen(own):
    world, held, _ = own
    world.things[held.target.name].made += 1
    (change,) = seen_outside(world, held)
    assert change is not None
    assert change.text == "it was replaced"


def test_a_table_that_others_dropped_or_made_a_view_of_is_seen(own):
    world, held, _ = own
    world.things[held.target.name] = Thing("view", definition="select 1")
    assert seen_outside(world, held) != [None]
    del world.things[held.target.name]
    world.things[replace(held.target.name, identifier="other")] = Thing()
    assert seen_outside(world, held) != [None]


def test_of_many_tables_nobody_is_asked_more_often_than_of_one(own):
    world, held, _ = own
    world.asked.clear()
    seen_outside(world, held)
    alone = len(world.asked)
    more = [Held(world.add(replace(held.target.name, identifier=f"t{n}")), "x created=1") for n in range(20)]
    world.asked.clear()
    assert len(seen_outside(world, held, *more)) == 21
    assert len(world.asked) == alone


def test_what_was_never_recorded_is_silent_and_not_asked(own):
    world, held, _ = own
    world.asked.clear()
    assert seen_outside(world, replace(held, recorded=None)) == [None]
    assert world.asked == []


def test_columns_are_known_after_a_build_where_the_catalogue_tells_them(own):
    world, held, after = own
    if world.adapter == "bigquery":
        assert after.signature is None
    else:
        assert after.signature is not None
        world.things[held.target.name].columns += (("added", "TEXT"),)
        assert "columns" in str(seen_outside(world, held)[0])


@pytest.mark.parametrize("adapter", ["databricks", "spark", "trino", "athena", "redshift", "sqlserver"])
def test_elsewhere_nothing_is_recorded_of_our_own_tables(adapter):
    target = target_of(Name("shop", "marts", "orders"))
    conversation = Conversation(lambda _: pytest.fail("nothing is to be asked"))
    after = conversation.hold(engine(adapter).post_build([Built(target, "table")]))[target.key]
    assert (after.outside_token, after.signature) == (None, None)
    assert conversation.hold(engine(adapter).outside([Held(target, None)]))[target.key].change is None


# --- engines without a signal -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("adapter", "says"),
    [
        ("redshift", "only minutes later"),
        ("sqlserver", "tells of DDL"),
        ("fabric", "tells of DDL"),
        ("teradata", "no signal for teradata"),
    ],
)
def test_an_engine_without_a_signal_asks_nothing_and_says_what_to_do(adapter, says):
    target = target_of(Name("d", "s", "t"))
    conversation = Conversation(lambda _: pytest.fail("nothing is to be asked"))
    (answer,) = conversation.hold(engine(adapter).probe([target])).values()
    assert says in why(answer)
    assert "loaded_at_field" in why(answer)
    assert len(answer.warnings) == 1
    answered = Conversation(lambda _: marked_rows([("2026-11-26", "2026-11-27")])).hold(
        engine(adapter).probe([replace(target, loaded_at_field="at")])
    )
    assert known(answered[target.key])


def test_redshift_is_known_by_its_namespace_whatever_address_it_was_reached_by():
    assert identity("redshift", marked_rows([("86b5169f",)]), host="a.example") == "redshift:86b5169f"
    assert identity("redshift", Failed("no"), host="A.example") == "redshift://a.example:5439"
    assert identity("redshift", Failed("no")) is None
