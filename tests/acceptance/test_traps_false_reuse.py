"""Every known way in which a state-aware tool leaves stale or wrong data behind, as a history in which this one does not.

After each run the warehouse is compared with a twin where plain dbt built everything that was selected.
"""

from datetime import datetime, timezone

import pytest

from acceptance.shop import NEW_ROW, SETUP, SHOP, SOURCES, TESTED, built, nothing_ran


@pytest.fixture
def shop(make_twins):
    return make_twins(SHOP, setup=SETUP)


# --- T1: an earlier version is not the latest one ---------------------------------------------------------------------


def test_t1_code_that_goes_back_to_an_earlier_version_is_built_again(shop):
    shop.afresh("build")
    shop.replace("models/orders.sql", "amount * 1", "amount * 2")
    assert built(shop.afresh("build")) == {"orders", "customers"}
    shop.replace("models/orders.sql", "amount * 2", "amount * 1")

    again = shop.afresh("build")

    assert built(again) == {"orders", "customers"}
    assert again.reasons("orders") == ("code_changed",)


def test_t1_data_that_goes_back_to_an_earlier_state_is_built_again(shop):
    shop.afresh("build")
    shop.execute(NEW_ROW)
    shop.afresh("build")
    shop.execute("delete from raw.orders where id = 4")

    assert built(shop.afresh("build")) == {"orders", "customers"}


# --- T2, T3: what changes while a model is being built ----------------------------------------------------------------


def test_t2_a_row_that_arrives_after_a_model_has_read_its_source_is_built_into_it_by_the_next_run(make_twins):
    late = "{{ config(post_hook=\"insert into raw.orders select 9, 'late', 90 where not exists (from raw.orders where id = 9)\") }}"
    shop = make_twins({**SHOP, "models/orders.sql": late + SHOP["models/orders.sql"]}, setup=SETUP)
    assert shop.afresh("build").exit_code == 0
    assert (9,) not in shop.ours.query("select id from orders")

    assert built(shop.afresh("build")) == {"orders", "customers"}

    assert (9,) in shop.ours.query("select id from orders")
    assert nothing_ran(shop.afresh("build"))


def test_t3_a_parent_that_is_written_after_its_child_has_read_it_is_read_again_by_the_next_run_of_the_child(make_twins):
    hook = "update orders set amount = 0 where id = 1"
    shop = make_twins(SHOP, setup=SETUP, settings={"on-run-end": [hook]})
    shop.afresh("build")

    child = shop.afresh("build", "--select", "customers")

    assert built(child) == {"customers"}
    assert child.reasons("customers") == ("new_data",)


# --- T5, T6: where a relation is, and whether ---------------------------------------------------------------------------


def test_t5_a_relation_with_another_alias_or_schema_is_built_there(shop):
    shop.afresh("build")

    shop.replace("models/orders.sql", "materialized='table'", "materialized='table', alias='sales'")
    moved = shop.afresh("build")
    assert built(moved) == {"orders", "customers"}
    assert "never_built" in moved.reasons("orders")
    shop.replace("models/orders.sql", "materialized='table'", "materialized='table', schema='mart'")
    assert built(shop.afresh("build")) == {"orders", "customers"}


def test_t5_a_changed_rule_for_schemas_moves_what_it_names(shop):
    shop.afresh("build")
    shop.write({"macros/schemas.sql": "{% macro generate_schema_name(name, node) %}elsewhere{% endmacro %}"})

    assert built(shop.afresh("build")) == {"stg_orders", "orders", "customers", "rates"}
    assert nothing_ran(shop.afresh("build"))


@pytest.mark.parametrize(("kind", "name"), [("table", "orders"), ("view", "stg_orders")])
def test_t6_a_relation_that_was_dropped_outside_is_built(shop, kind, name):
    shop.afresh("build")
    shop.execute(f"drop {kind} {name}")

    after = shop.afresh("build")

    assert name in built(after)
    assert after.reasons(name)[0] == "relation_missing"
    assert nothing_ran(shop.afresh("build"))


def test_t6_a_relation_of_another_type_under_the_same_name_is_built(shop):
    shop.afresh("build")
    shop.execute("drop table orders", "create view orders as select 1 as id, 'x' as customer, 1 as amount")

    after = shop.afresh("build")

    assert built(after) == {"orders", "customers"}
    assert after.reasons("orders")[0] == "relation_type_changed"


@pytest.mark.parametrize("statement", ["update orders set amount = 0", "truncate orders", "alter table orders add column extra integer"])
def test_t6_a_relation_that_somebody_wrote_to_is_built_and_its_children_too(shop, statement):
    shop.afresh("build")
    shop.execute(statement)

    after = shop.afresh("build")

    assert built(after) == {"orders", "customers"}
    assert after.reasons("orders")[0] == "changed_outside"


def test_t6_what_plain_dbt_built_meanwhile_is_noticed(shop):
    shop.afresh("build")
    shop.execute(NEW_ROW)
    shop.plain_dbt("run", "--select", "orders")

    assert built(shop.afresh("build", "--select", "customers")) == {"customers"}
    assert "orders" in built(shop.afresh("build"))
    assert nothing_ran(shop.afresh("build"))


def test_t6_an_empty_run_is_never_taken_for_a_real_one(shop):
    shop.afresh("build")
    shop.only_afresh("run", "--empty")

    after = shop.afresh("build")

    assert {"orders", "customers", "rates"} <= built(after)
    assert "partial_build" in after.reasons("orders")


# --- T7, T8: tests ----------------------------------------------------------------------------------------------------


@pytest.fixture
def tested_shop(make_twins):
    return make_twins({**SHOP, **TESTED}, setup=SETUP)


def test_t7_a_model_whose_test_failed_is_built_once_more_and_the_test_goes_on_blocking(tested_shop):
    tested_shop.afresh("build")
    tested_shop.execute("insert into raw.orders select * from raw.orders where id = 1")

    first, second, third = (tested_shop.afresh("build") for _ in range(3))

    assert [run.exit_code for run in (first, second, third)] == [1, 1, 1]
    assert [run.statuses["customers"] for run in (first, second, third)] == ["skipped"] * 3
    assert second.reasons("orders") == ("failed_test",)
    assert "orders" in third.reused
    assert third.statuses["unique_orders_id"] == "fail"


def test_t7_what_a_failed_test_held_back_is_built_when_it_passes_again(tested_shop):
    tested_shop.afresh("build")
    tested_shop.execute("insert into raw.orders select * from raw.orders where id = 1")
    tested_shop.afresh("build")
    tested_shop.execute("delete from raw.orders where id = 1")

    assert built(tested_shop.afresh("build")) == {"orders", "customers"}
    assert nothing_ran(tested_shop.afresh("build"))


def test_t7_a_test_that_warns_runs_every_time(make_twins):
    test = "{{ config(severity='warn') }} select * from {{ ref('orders') }} where amount > 15"
    shop = make_twins({**SHOP, "tests/small.sql": test}, setup=SETUP)
    shop.afresh("build")

    again = shop.afresh("build")

    assert again.executed == {"small"}
    assert again.statuses["small"] == "warn"


def test_t8_a_changed_test_of_a_reused_model_runs(tested_shop):
    tested_shop.afresh("build")
    tested_shop.replace(
        "models/schema.yml", "columns: [{name: id, data_tests: [unique]}]", "columns: [{name: amount, data_tests: [not_null]}]"
    )

    assert tested_shop.afresh("build").executed == {"not_null_orders_amount"}


def test_t8_a_test_runs_when_any_of_the_relations_it_reads_was_built(make_twins):
    test = "select * from {{ ref('customers') }} where not exists (select * from {{ ref('rates') }})"
    shop = make_twins({**SHOP, "tests/there_are_rates.sql": test}, setup=SETUP)
    shop.afresh("build")
    shop.execute("truncate raw.rates")

    after = shop.afresh("build")

    assert after.executed == {"rates", "there_are_rates"}
    assert after.statuses["there_are_rates"] == "fail"


def test_t8_a_test_of_a_source_runs_when_the_source_changed(make_twins):
    sources = SOURCES.replace("{name: orders}", "{name: orders, columns: [{name: id, data_tests: [unique]}]}")
    shop = make_twins({**SHOP, "models/sources.yml": sources}, setup=SETUP)
    shop.afresh("build")
    shop.execute("insert into raw.orders select * from raw.orders where id = 1")

    after = shop.afresh("build", "--select", "source:*")

    assert after.statuses == {"source_unique_raw_orders_id": "fail"}


def test_t8_a_test_that_may_change_its_answer_by_itself_is_never_reused(make_twins):
    test = "select * from {{ ref('orders') }} where current_timestamp < '2000-01-01'"
    shop = make_twins({**SHOP, "tests/recent.sql": test}, setup=SETUP)
    shop.afresh("build")

    assert shop.afresh("build").executed == {"recent"}


# --- T9, T10, T11: parts of the graph ---------------------------------------------------------------------------------


def test_t9_a_child_catches_up_with_a_parent_that_a_narrower_job_advanced(shop):
    shop.afresh("build")
    shop.execute(NEW_ROW)
    shop.afresh("build", "--select", "orders")

    after = shop.afresh("build")

    assert built(after) == {"customers"}
    assert after.reasons("customers") == ("new_data",)


def test_t9_a_child_catches_up_alone_however_often_its_parent_was_built_without_it(shop):
    shop.afresh("build")
    shop.execute(NEW_ROW)
    for number in range(2):
        shop.replace("models/orders.sql", f"amount * {number + 1}", f"amount * {number + 2}")
        shop.afresh("build", "--select", "orders")

    assert built(shop.afresh("build", "--select", "customers")) == {"customers"}
    assert nothing_ran(shop.afresh("build"))


AS_SOURCE = (
    SOURCES
    + """
      - name: shop
        schema: main
        tables: [{name: rates}]
"""
)


@pytest.mark.parametrize("rates", ["{{ source('shop', 'rates') }}", "main.rates"])
def test_t9_a_table_that_is_read_without_a_ref_is_read_after_the_node_of_the_same_run_that_writes_it(make_twins, rates):
    files = {
        **SHOP,
        "models/sources.yml": AS_SOURCE,
        "models/a_reader.sql": f"{{{{ config(materialized='table') }}}} select * from {rates}",
    }
    shop = make_twins(files, setup=(*SETUP, "create table rates as from raw.rates"))
    for _ in range(2):
        shop.only_afresh("build")
    shop.execute("insert into raw.rates values ('gbp', 3)")

    assert shop.plan()["model.twin.a_reader"] == "undetermined"
    assert built(shop.only_afresh("build")) == {"rates", "a_reader"}
    assert shop.rows("a_reader") == shop.rows("rates")
    assert nothing_ran(shop.only_afresh("build"))


def test_t10_jobs_with_other_selections_do_not_forget_each_other_s_work(shop):
    for model in ("stg_orders", "orders", "customers", "rates"):
        shop.afresh("build", "--select", model)

    assert nothing_ran(shop.afresh("build"))


def test_t11_a_model_that_waits_for_inputs_makes_those_below_it_wait_in_the_same_run(make_twins):
    both = """
        {{ config(materialized='table', freshness={'build_after': {'count': 0, 'period': 'minute', 'updates_on': 'all'}}) }}
        select o.id, r.rate from {{ source('raw', 'orders') }} as o, {{ source('raw', 'rates') }} as r
    """
    below = "{{ config(materialized='table') }} select count(*) as n from {{ ref('both') }}"
    shop = make_twins({"models/sources.yml": SOURCES, "models/both.sql": both, "models/below.sql": below}, setup=SETUP)
    shop.afresh("build")
    shop.execute(NEW_ROW)

    waiting = shop.only_afresh("build")
    assert built(waiting) == set()
    assert waiting.reasons("both")[0] == "waiting_for_inputs"
    assert waiting.reasons("below") == ("upstream_tolerated",)

    shop.execute("insert into raw.rates values ('gbp', 3)")
    assert built(shop.afresh("build")) == {"both", "below"}


# --- T12: late rows ---------------------------------------------------------------------------------------------------


def test_t12_a_row_that_is_late_by_its_own_time_is_taken_by_a_model_that_looks_back(make_twins):
    looking_back = """
        {{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='id') }}
        select id, amount, loaded from {{ source('raw', 'orders') }}
        {% if is_incremental() %}where loaded >= (select max(loaded) from {{ this }}) - interval 3 day{% endif %}
    """
    files = {
        "models/sources.yml": SOURCES.replace("{name: orders}", "{name: orders, loaded_at_field: loaded}"),
        "models/kept.sql": looking_back,
    }
    shop = make_twins(files, setup=(*SETUP, "alter table raw.orders add column loaded timestamp default '2026-01-10'"))
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.execute("insert into raw.orders values (4, 'cleo', 40, '2026-01-08')")

    assert built(shop.afresh("build")) == {"kept"}
    assert (4,) in shop.ours.query("select id from kept")


# --- T13: the date ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["where current_date > '2000-01-01'", "where {{ day() }} is not null"])
def test_t13_yesterday_s_rows_are_built_again_today(make_twins, where):
    model = f"{{{{ config(materialized='table') }}}} select id, amount from {{{{ ref('stg_orders') }}}} {where}"
    shop = make_twins({**SHOP, "models/recent.sql": model, "macros/day.sql": "{% macro day() %}current_date{% endmacro %}"}, setup=SETUP)
    set_time_zone(shop, "Etc/GMT+12")
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    set_time_zone(shop, "Pacific/Kiritimati")  # 26 hours ahead: always another date

    after = shop.afresh("build")
    assert built(after) == {"recent"}
    assert after.reasons("recent") == ("volatile_value",)


def set_time_zone(shop, zone):
    for project in (shop.ours, shop.twin):
        lines = [line for line in project.read("profiles.yml").splitlines() if "settings" not in line]
        at = next(number for number, line in enumerate(lines) if "type: duckdb" in line)
        indent = " " * (len(lines[at]) - len(lines[at].lstrip()))
        project.write({"profiles.yml": "\n".join([*lines[: at + 1], f"{indent}settings: {{TimeZone: '{zone}'}}", *lines[at + 1 :]])})


# --- T16: permissions to lag add up -----------------------------------------------------------------------------------


def test_t16_a_plan_says_how_far_a_model_may_be_behind_its_sources_in_all(shop):
    rule = "materialized='table', freshness={'build_after': {'count': %d, 'period': 'hour'}}"
    shop.replace("models/orders.sql", "materialized='table'", rule % 2)
    shop.replace("models/customers.sql", "materialized='table'", rule % 6)

    planned = shop.ours.afresh("plan", "--output", "json").json()["nodes"]

    bounds = {node["unique_id"].removeprefix("model.twin."): node["lag_bound_seconds"] for node in planned}
    assert bounds == {"stg_orders": 0, "orders": 2 * 3600, "customers": 8 * 3600, "rates": 0}


# --- T17, T18, T19, T20, T21, T22 ------------------------------------------------------------------------------------------


def test_t17_a_run_in_which_something_due_could_not_be_built_fails_and_the_rest_is_built_later(shop):
    shop.afresh("build")
    shop.execute(NEW_ROW)
    shop.replace("models/orders.sql", "amount * 1", "error('no')")

    failed = shop.afresh("build")
    assert failed.exit_code == 1
    assert failed.statuses["customers"] == "skipped"

    shop.replace("models/orders.sql", "error('no')", "amount * 1")
    assert built(shop.afresh("build")) == {"orders", "customers"}


def test_t17_a_failed_model_is_built_by_the_next_run_although_nothing_changed_since(make_twins):
    files = {**SHOP, "models/orders.sql": SHOP["models/orders.sql"] + " where {{ 'true' if var('well', true) else \"error('no')\" }}"}
    shop = make_twins(files, setup=SETUP)
    assert shop.afresh("build", "--vars", "{well: false}").exit_code == 1

    assert built(shop.afresh("build")) == {"orders", "customers"}


def test_t17_readers_of_a_model_that_failed_are_built_from_what_it_left_and_then_left_alone(shop):
    shop.afresh("build")
    shop.replace("models/orders.sql", "amount * 1", "error('no')")
    assert shop.afresh("build").exit_code == 1

    assert built(shop.afresh("build", "--select", "customers")) == {"customers"}
    assert nothing_ran(shop.afresh("build", "--select", "customers"))
    shop.replace("models/orders.sql", "error('no')", "amount * 3")
    assert built(shop.afresh("build")) == {"orders", "customers"}


def test_t17_what_a_failed_build_of_a_deleted_model_left_is_a_table_like_any_other(shop):
    shop.afresh("build")
    shop.replace("models/orders.sql", "amount * 1", "error('no')")
    assert shop.afresh("build").exit_code == 1
    shop.delete("models/orders.sql")
    shop.replace("models/customers.sql", "{{ ref('orders') }}", "main.orders")

    assert built(shop.afresh("build")) == {"customers"}
    assert nothing_ran(shop.afresh("build"))
    shop.execute("insert into orders values (7, 'eve', 70)")
    assert built(shop.afresh("build")) == {"customers"}
    assert nothing_ran(shop.afresh("build"))


def test_t17_a_first_build_that_failed_is_told_beside_that_there_never_was_one(make_twins):
    shop = make_twins(
        {**SHOP, "models/orders.sql": "{{ config(materialized='table') }} select error('no') as id from {{ ref('stg_orders') }}"},
        setup=SETUP,
    )
    assert shop.afresh("build").exit_code == 1

    assert shop.afresh("build").reasons("orders") == ("never_built", "last_build_failed")


def test_t17_a_retry_builds_what_failed_and_what_was_held_back_and_is_remembered(shop):
    shop.afresh("build")
    shop.execute(NEW_ROW)
    shop.replace("models/orders.sql", "amount * 1", "error('no')")
    shop.afresh("build")
    for project in (shop.ours, shop.twin):
        (project.root / "target").rename(project.root / "failed")
    shop.replace("models/orders.sql", "error('no')", "amount * 1")

    assert built(shop.afresh("retry", "--state", "failed")) == {"orders", "customers"}
    assert nothing_ran(shop.afresh("build"))


def test_t18_a_feed_that_is_late_is_no_reason_to_build_and_one_in_time_no_reason_to_reuse(make_twins):
    late = "{name: orders, loaded_at_field: loaded, freshness: {warn_after: {count: 1, period: day}}}"
    setup = (*SETUP, "alter table raw.orders add column loaded timestamp default '2020-01-01'")
    shop = make_twins({**SHOP, "models/sources.yml": SOURCES.replace("{name: orders}", late)}, setup=setup)
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.execute("insert into raw.orders values (4, 'cleo', 40, '2019-01-01')")
    assert built(shop.afresh("build")) == {"orders", "customers"}
    shop.execute(f"update raw.orders set loaded = '{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S}'")
    assert built(shop.afresh("build")) == {"orders", "customers"}


@pytest.mark.parametrize(
    "write",
    [
        NEW_ROW,
        "update raw.orders set amount = 11 where id = 1",
        "delete from raw.orders where id = 1",
        "truncate raw.orders",
        "create or replace table raw.orders as select id, customer, amount + 1 as amount from raw.orders",
    ],
)
def test_t19_a_source_without_any_setting_is_never_taken_for_unchanged(shop, write):
    shop.afresh("build")
    shop.execute(write)

    assert built(shop.afresh("build")) == {"orders", "customers"}
    assert nothing_ran(shop.afresh("build"))


def test_t19_a_source_that_cannot_be_observed_is_built_from_every_time_and_said_so(make_twins):
    setup = (*SETUP, "create view raw.dice as select * from query('select 1 as n')")
    files = {
        "models/sources.yml": SOURCES.replace("{name: rates}", "{name: rates}, {name: dice}"),
        "models/rolls.sql": "{{ config(materialized='table') }} select count(n) as n from {{ source('raw', 'dice') }}",
    }
    shop = make_twins(files, setup=setup)
    shop.afresh("build")

    again = shop.afresh("build")

    assert built(again) == {"rolls"}
    assert again.stdout.count("raw.dice has new data cannot be told") == 1


def test_t20_what_our_own_jobs_built_is_known_by_their_record_and_not_by_what_a_catalogue_says_of_it(make_twins):
    files = {
        **SHOP,
        "models/sources.yml": AS_SOURCE,
        "models/reader.sql": "{{ config(materialized='table') }} select * from {{ source('shop', 'rates') }}",
    }
    shop = make_twins(files, setup=(*SETUP, "create table rates as from raw.rates"))
    shop.only_afresh("build")
    shop.only_afresh("build")
    assert nothing_ran(shop.only_afresh("build"))

    shop.only_afresh("build", "--force", "--select", "rates")

    after = shop.only_afresh("build")  # the same rows as before: only the record tells of another build
    assert built(after) == {"reader"}
    assert nothing_ran(shop.only_afresh("build"))


def test_t21_a_source_that_is_spelled_in_another_case_is_the_same_table_and_not_another_one(make_twins):
    shop = make_twins(
        {
            **SHOP,
            "models/sources.yml": SOURCES.replace("name: rates", "name: RATES, identifier: Rates"),
            "models/rates.sql": SHOP["models/rates.sql"].replace("'rates'", "'RATES'"),
        },
        setup=SETUP,
    )
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.execute("insert into raw.rates values ('gbp', 3)")

    assert built(shop.afresh("build")) == {"rates"}


def test_t21_a_table_that_another_node_wrote_last_is_built_by_its_new_owner(make_twins):
    shop = make_twins(
        {"models/sources.yml": SOURCES, "models/one.sql": "{{ config(materialized='table', alias='sales') }} select 1 as id"}, setup=SETUP
    )
    shop.afresh("build")
    shop.delete("models/one.sql")
    shop.write({"models/two.sql": "{{ config(materialized='table', alias='sales') }} select 1 as id"})

    taken_over = shop.afresh("build")

    assert built(taken_over) == {"two"}
    assert taken_over.reasons("two")[0] == "built_by_other_node"
    assert nothing_ran(shop.afresh("build"))


def test_t22_an_interval_between_builds_delays_data_and_never_code(make_twins):
    rested = SHOP["models/orders.sql"].replace(
        "materialized='table'", "materialized='table', freshness={'build_after': {'count': 1, 'period': 'day'}}"
    )
    shop = make_twins({**SHOP, "models/orders.sql": rested}, setup=SETUP)
    shop.afresh("build")
    shop.execute(NEW_ROW)

    resting = shop.only_afresh("build")
    assert built(resting) == set()
    assert resting.reasons("orders")[0] == "too_soon"

    shop.replace("models/orders.sql", "amount * 1", "amount * 2")
    assert built(shop.afresh("build")) == {"orders", "customers"}
