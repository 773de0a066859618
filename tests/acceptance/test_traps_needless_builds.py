"""Every known way in which a state-aware tool builds what did not change, as a history in which this one does not.

Whatever is reused here is compared with a twin where plain dbt built it anew.
"""

import re
import shutil
import sqlite3

import pytest
from dbt.adapters.duckdb import Plugin

from acceptance.shop import NEW_ROW, SETUP, SHOP, SOURCES, TESTED, built, nothing_ran
from afresh.core import version
from afresh.fingerprint import digest
from afresh.fingerprint.macros import macro_digest


@pytest.fixture
def shop(make_twins):
    return make_twins({**SHOP, **TESTED}, setup=SETUP)


# --- F1: an answer that is always now ---------------------------------------------------------------------------------


def test_f1_a_loaded_at_that_answers_now_is_named_in_one_warning_and_bothers_only_its_readers(make_twins):
    sources = SOURCES.replace("{name: orders}", "{name: orders, loaded_at_field: current_timestamp}")
    shop = make_twins({**SHOP, "models/sources.yml": sources}, setup=SETUP)
    shop.afresh("build")

    again = shop.afresh("build")

    assert built(again) == {"orders", "customers"}
    assert again.stdout.count("it answers with current_timestamp()") == 1


def test_f1_a_loaded_at_that_stands_still_builds_nothing(make_twins):
    sources = SOURCES.replace("{name: orders}", "{name: orders, loaded_at_field: loaded}")
    setup = (*SETUP, "alter table raw.orders add column loaded timestamp default '2020-01-01'")
    shop = make_twins({**SHOP, "models/sources.yml": sources}, setup=setup)
    shop.afresh("build")

    assert nothing_ran(shop.afresh("build"))


# --- F2, F3, F4: what looks like news of a source, and what hides it ---------------------------------------------------


def test_f2_loaded_at_of_a_source_counts_through_a_view(make_twins):
    only = "{name: orders, loaded_at_field: loaded, config: {meta: {afresh: {source_signal: loaded_at}}}}"
    setup = (*SETUP, "alter table raw.orders add column loaded timestamp default '2020-01-01'")
    shop = make_twins({**SHOP, "models/sources.yml": SOURCES.replace("{name: orders}", only)}, setup=setup)
    shop.afresh("build")

    shop.execute("update raw.orders set amount = 11 where id = 1")
    assert nothing_ran(shop.only_afresh("build"))
    shop.execute("insert into raw.orders values (4, 'cleo', 40, '2020-01-02')")
    assert built(shop.afresh("build")) == {"orders", "customers"}


@pytest.mark.parametrize(
    "statement",
    [
        "checkpoint",
        "analyze",
        "vacuum",
        "comment on table raw.orders is 'all of them'",
        "create index by_id on raw.orders (id)",
        "create table raw.more (i integer)",
    ],
)
def test_f3_maintenance_of_a_source_is_no_new_data(make_twins, statement):
    shop = make_twins(SHOP, setup=SETUP)
    shop.afresh("build")
    shop.execute(statement)

    assert nothing_ran(shop.afresh("build"))


def test_f4_a_source_that_is_a_view_is_known_by_what_is_under_it(make_twins):
    setup = (*SETUP, "alter table raw.orders rename to all_orders", "create view raw.orders as select * from raw.all_orders where id < 9")
    shop = make_twins(SHOP, setup=setup)
    assert "cannot be told" not in shop.afresh("build").stdout
    assert nothing_ran(shop.afresh("build"))

    shop.execute("insert into raw.all_orders values (4, 'cleo', 40)")
    assert built(shop.afresh("build")) == {"orders", "customers"}


# --- F5: select * ------------------------------------------------------------------------------------------------------


def test_f5_a_view_that_selects_everything_is_reused_and_its_tests_too(make_twins):
    files = {
        **SHOP,
        "models/everything.sql": "{{ config(materialized='view') }} select * from {{ ref('rates') }}",
        "models/schema.yml": "{version: 2, models: [{name: everything, columns: [{name: currency, data_tests: [not_null]}]}]}",
    }
    shop = make_twins(files, setup=SETUP)
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.execute("insert into raw.rates values ('gbp', 3)")
    assert shop.afresh("build").executed == {"rates", "not_null_everything_currency"}

    shop.execute("alter table raw.rates add column note varchar default 'n'")
    changed = shop.afresh("build")
    assert changed.executed == {"rates", "everything", "not_null_everything_currency"}
    assert changed.reasons("everything") == ("view_stale",)


# --- F6: macros that look at the warehouse ----------------------------------------------------------------------------


def test_f6_a_macro_that_asks_the_warehouse_builds_nothing_while_the_answer_is_the_same(make_twins):
    macro = """
        {% macro per_currency() %}
          {% set found = run_query("select distinct currency from raw.rates") %}
          {% if execute %}{% for value in found.columns[0].values() | sort %}, '{{ value }}' as {{ value }}{% endfor %}{% endif %}
        {% endmacro %}
    """
    columns = """
        {{ config(materialized='table') }}
        select {% for column in adapter.get_columns_in_relation(ref('orders')) %}{{ column.name }}, {% endfor %} 1 as one from {{ ref('orders') }}
    """
    pivot = "{{ config(materialized='table') }} select id {{ per_currency() }} from {{ ref('orders') }}"
    shop = make_twins({**SHOP, "macros/per.sql": macro, "models/pivot.sql": pivot, "models/copied.sql": columns}, setup=SETUP)
    shop.afresh("build")

    assert nothing_ran(shop.afresh("build"))
    shop.execute("insert into raw.rates values ('eur', 5)")
    assert built(shop.afresh("build")) == {"rates"}


# --- F7: what is another text in every run ----------------------------------------------------------------------------


def test_f7_the_time_and_the_id_of_the_run_in_every_model_build_nothing(make_twins):
    stamped = {
        name: text.replace("select ", "-- {{ invocation_id }} at {{ run_started_at }}\nselect ", 1) if name.endswith(".sql") else text
        for name, text in SHOP.items()
    }
    shop = make_twins(stamped, setup=SETUP)
    shop.afresh("build")

    assert nothing_ran(shop.afresh("build"))
    shop.execute(NEW_ROW)
    assert built(shop.afresh("build")) == {"orders", "customers"}


def test_f7_the_time_of_the_run_as_a_column_builds_nothing(make_twins):
    model = "{{ config(materialized='table') }} select *, '{{ run_started_at }}' as built_at from {{ ref('stg_orders') }}"
    shop = make_twins({**SHOP, "models/stamped.sql": model}, setup=SETUP)
    shop.only_afresh("build")

    assert nothing_ran(shop.only_afresh("build"))


def test_f7_the_id_of_a_job_in_the_environment_builds_nothing(make_twins):
    model = "{{ config(materialized='table') }} select id from {{ ref('stg_orders') }} -- {{ env_var('GITHUB_RUN_ID', '') }}"
    shop = make_twins({**SHOP, "models/traced.sql": model}, setup=SETUP)
    shop.set_env({"GITHUB_RUN_ID": "1"})
    shop.afresh("build")
    shop.set_env({"GITHUB_RUN_ID": "2"})

    assert nothing_ran(shop.afresh("build"))


def test_f7_the_current_date_as_a_column_builds_nothing(make_twins):
    model = "{{ config(materialized='table') }} select id, current_timestamp as seen from {{ ref('stg_orders') }}"
    shop = make_twins({**SHOP, "models/seen.sql": model}, setup=SETUP)
    shop.only_afresh("build")

    assert nothing_ran(shop.only_afresh("build"))


# --- F8: incremental models -------------------------------------------------------------------------------------------

GROWING = """
    {{ config(materialized='incremental') }}
    select id, amount from {{ ref('stg_orders') }}
    {% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
"""


def test_f8_the_second_run_of_an_incremental_model_is_no_change_to_it_or_to_what_reads_it(make_twins):
    below = "{{ config(materialized='table') }} select count(*) as n from {{ ref('growing') }}"
    shop = make_twins({**SHOP, "models/growing.sql": GROWING, "models/below.sql": below}, setup=SETUP)
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.execute(NEW_ROW)
    assert built(shop.afresh("build")) == {"orders", "customers", "growing", "below"}
    assert nothing_ran(shop.afresh("build"))


def test_f8_a_model_that_asks_its_own_table_while_it_renders_is_no_change_to_itself(make_twins):
    own = """
        {{ config(materialized='incremental') }}
        {% set last = run_query('select max(id) from ' ~ this).columns[0][0] if is_incremental() else 0 %}
        select id, amount from {{ ref('stg_orders') }} where id > {{ last }}
    """
    shop = make_twins({**SHOP, "models/own.sql": own}, setup=SETUP)
    for _ in range(2):
        shop.afresh("build")

    assert nothing_ran(shop.afresh("build"))
    shop.execute(NEW_ROW)
    assert "own" in built(shop.afresh("build"))
    assert nothing_ran(shop.afresh("build"))


# --- F9, F10 -----------------------------------------------------------------------------------------------------------


def test_f9_an_interval_holds_back_neither_a_view_nor_what_flows_through_it(make_twins):
    view = SHOP["models/stg_orders.sql"].replace(
        "materialized='view'", "materialized='view', freshness={'build_after': {'count': 9, 'period': 'day'}}"
    )
    shop = make_twins({**SHOP, "models/stg_orders.sql": view}, setup=SETUP)
    shop.afresh("build")

    shop.execute("update raw.orders set amount = 11 where id = 1")
    assert built(shop.afresh("build")) == {"orders", "customers"}
    shop.replace("models/stg_orders.sql", "id, customer, amount", "id, customer, amount + 1 as amount")
    assert built(shop.afresh("build")) == {"stg_orders", "orders", "customers"}
    assert nothing_ran(shop.afresh("build"))


def test_f10_a_custom_incremental_strategy_stays_incremental(make_twins):
    macro = """
        {% macro get_incremental_ours_sql(arg_dict) %}
            insert into {{ arg_dict['target_relation'] }} select * from {{ arg_dict['temp_relation'] }}
        {% endmacro %}
    """
    model = """
        {{ config(materialized='incremental', incremental_strategy='ours') }}
        select id, amount from {{ source('raw', 'orders') }}
        {% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}
    """
    shop = make_twins({"models/sources.yml": SOURCES, "macros/ours.sql": macro, "models/kept.sql": model}, setup=SETUP)
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.execute("delete from raw.orders where id = 1", NEW_ROW)
    assert built(shop.afresh("build")) == {"kept"}
    assert sorted(shop.ours.query("select id from kept")) == [(1,), (2,), (3,), (4,)]
    assert nothing_ran(shop.afresh("build"))


# --- F11: differences that make none ----------------------------------------------------------------------------------


def test_f11_comments_and_white_space_build_nothing(shop):
    shop.afresh("build")
    shop.replace("models/orders.sql", "select id,", "/* the\n key */ SELECT\n\n  id  ,")
    shop.replace("models/customers.sql", "group by customer", "group by\n  customer -- one row each\n")
    shop.replace("models/stg_orders.sql", "select id", "{# a remark #} select id")

    assert nothing_ran(shop.afresh("build"))


def test_f11_descriptions_tags_and_meta_and_the_order_of_properties_build_nothing(shop):
    shop.afresh("build")
    shop.write(
        {
            "models/schema.yml": """
                version: 2
                models:
                  - columns: [{data_tests: [unique], description: who buys, name: customer}]
                    config: {meta: {owner: ann}, tags: [b, a]}
                    name: customers
                  - {name: orders, description: one row per order, columns: [{name: id, data_tests: [unique]}]}
                  - {name: stg_orders, columns: [{name: id, data_tests: [not_null]}]}
            """
        }
    )

    assert nothing_ran(shop.afresh("build"))


def test_f11_a_config_that_is_written_elsewhere_and_says_the_same_builds_nothing(shop):
    shop.afresh("build")
    shop.replace("models/rates.sql", "{{ config(materialized='table') }} ", "")
    shop.replace(
        "dbt_project.yml",
        "name: twin",
        "name: twin\nmodels: {twin: {+materialized: \"{{ 'table' if target.name == 'dev' else 'view' }}\"}}",
    )

    assert nothing_ran(shop.afresh("build"))


def test_f11_a_file_that_moves_to_another_folder_builds_nothing(shop):
    shop.afresh("build")
    text = SHOP["models/orders.sql"]
    shop.delete("models/orders.sql")
    shop.write({"models/marts/orders.sql": text})

    assert nothing_ran(shop.afresh("build"))


def test_f11_a_macro_var_or_variable_that_nothing_reads_builds_nothing(shop):
    shop.afresh("build")
    shop.write({"macros/unused.sql": "{% macro unused() %}1{% endmacro %}"})
    shop.set_env({"NOT_READ": "1"})

    assert nothing_ran(shop.afresh("build", "--vars", "{not_read: 1}"))


def test_f11_a_model_that_only_one_branch_of_a_macro_concerns_is_the_only_one_built(make_twins):
    files = {
        **SHOP,
        "macros/both.sql": "{% macro price(c) %}{{ c }} + 1{% endmacro %}\n{% macro tax(c) %}{{ c }} + 2{% endmacro %}",
        "models/prices.sql": "{{ config(materialized='table') }} select {{ price('amount') }} as n from {{ ref('orders') }}",
        "models/taxes.sql": "{{ config(materialized='table') }} select {{ tax('amount') }} as n from {{ ref('orders') }}",
    }
    shop = make_twins(files, setup=SETUP)
    shop.afresh("build")
    shop.replace("macros/both.sql", "+ 2", "+ 3")

    assert built(shop.afresh("build")) == {"taxes"}


# --- F12, F13: snapshots and seeds -------------------------------------------------------------------------------------

SNAPSHOT = """
    {% snapshot kept %}
    {{ config(target_schema='kept', unique_key='id', strategy='check', check_cols='all') }}
    select id, customer, amount from {{ ref('stg_orders') }}
    {% endsnapshot %}
"""


def test_f12_a_snapshot_is_taken_only_when_what_it_looks_at_changed(make_twins):
    shop = make_twins({**SHOP, "snapshots/kept.sql": SNAPSHOT}, setup=SETUP)
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.execute("update raw.orders set amount = 11 where id = 1")
    assert "kept" in built(shop.afresh("build"))
    shop.execute("update raw.rates set rate = 9")
    assert built(shop.afresh("build")) == {"rates"}
    assert shop.ours.query("select count(*) from kept.kept") == [(4,)]


def test_f13_a_seed_of_several_megabytes_is_reused(make_twins):
    rows = "".join(f"{number},{'x' * 90}\n" for number in range(25_000))
    shop = make_twins({**SHOP, "seeds/large.csv": "id,name\n" + rows}, setup=SETUP)
    shop.afresh("build", "--select", "large")

    assert nothing_ran(shop.afresh("build", "--select", "large"))


# --- F14, F15: tolerance and other jobs --------------------------------------------------------------------------------


def test_f14_the_tests_of_a_model_that_is_left_as_it_is_by_permission_do_not_run(make_twins):
    files = {**SHOP, **TESTED}
    files["models/orders.sql"] = files["models/orders.sql"].replace(
        "='table'", "='table', freshness={'build_after': {'count': 1, 'period': 'day'}}"
    )
    shop = make_twins(files, setup=SETUP)
    shop.afresh("build")
    shop.execute(NEW_ROW)

    resting = shop.only_afresh("build", "--select", "orders+")

    assert nothing_ran(resting)
    assert resting.reasons("orders")[0] == "too_soon"
    assert resting.reasons("customers") == ("upstream_tolerated",)


def test_f15_a_job_reuses_what_another_job_has_just_built(shop):
    shop.afresh("build")
    shop.execute(NEW_ROW)
    shop.afresh("run", "--select", "+orders")

    second = shop.afresh("run")

    assert built(second) == {"customers"}
    assert nothing_ran(shop.afresh("run"))


# --- the rest of the second law ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["build", "run", "seed", "snapshot", "test"])
def test_every_command_repeated_at_once_does_nothing(make_twins, command):
    files = {**SHOP, **TESTED, "seeds/countries.csv": "id,name\n1,France\n", "snapshots/kept.sql": SNAPSHOT}
    shop = make_twins(files, setup=SETUP)
    shop.afresh("build")

    assert nothing_ran(shop.afresh(command))


def test_data_that_is_replaced_by_the_same_data_builds_nothing(shop):
    shop.afresh("build")
    shop.execute("create or replace table raw.orders as select * from raw.orders", "update raw.rates set rate = rate")
    shop.execute("checkpoint")

    assert nothing_ran(shop.afresh("build"))


def test_a_run_of_plain_dbt_in_between_that_changes_nothing_builds_nothing(shop):
    shop.afresh("build")
    shop.plain_dbt("run", "--select", "orders")

    assert nothing_ran(shop.afresh("build"))


def test_a_forced_run_builds_everything_and_is_remembered(shop):
    shop.afresh("build")

    forced = shop.afresh("build", "--force")

    assert forced.executed_models == {"stg_orders", "orders", "customers", "rates"}
    assert forced.reused == set()
    assert nothing_ran(shop.afresh("build"))


def test_a_plan_says_what_the_build_then_does(shop):
    shop.afresh("build")
    shop.execute(NEW_ROW)
    shop.replace("models/rates.sql", "select *", "select *, 1 as one")

    planned = shop.plan()
    outcome = shop.afresh("build")

    assert {uid: node.decision for uid, node in outcome.nodes.items()} == planned


# --- F16, F17, F18 -----------------------------------------------------------------------------------------------------


def test_f16_sources_that_the_selection_does_not_need_are_not_asked(make_twins):
    unseen = (
        "create or replace view raw.orders as select id, customer, amount from query('select 1 as id, ''ann'' as customer, 2 as amount')"
    )
    shop = make_twins(SHOP, setup=(*SETUP, "drop table raw.orders", unseen))
    shop.afresh("build")

    assert "raw.orders has new data cannot be told" in shop.afresh("build").stdout
    assert "raw.orders" not in shop.afresh("build", "--select", "rates").stdout


def test_f17_new_data_in_one_source_builds_only_what_reads_it(make_twins):
    shop = make_twins(SHOP, setup=SETUP)
    shop.afresh("build")
    shop.execute("insert into raw.rates values ('gbp', 3)")

    assert built(shop.afresh("build")) == {"rates"}


def test_f18_an_upgrade_of_dbt_or_its_adapter_builds_nothing_unless_asked_to(make_twins, monkeypatch, tmp_path):
    shop = make_twins(SHOP, setup=SETUP)
    shop.afresh("build")
    copy = tmp_path / "upgraded"
    shutil.copytree(Plugin.include_path, copy)
    table = copy / "macros" / "materializations" / "table.sql"
    table.write_text(re.sub(r"({%-?\s*endmaterialization)", r"{% set newer = 1 %}\1", table.read_text()))
    monkeypatch.setattr(Plugin, "include_path", str(copy))

    upgraded = shop.afresh("build")

    assert nothing_ran(upgraded)
    assert "engine_upgraded" in upgraded.reasons("orders")
    shop.replace("models/orders.sql", "materialized='table'", "materialized='table', meta={'afresh': {'on_engine_upgrade': 'build'}}")
    assert built(shop.afresh("build")) == {"orders", "customers"}


def test_an_upgrade_of_afresh_that_derives_code_versions_in_another_way_builds_nothing_by_itself(shop, monkeypatch, request):
    request.addfinalizer(macro_digest.cache_clear)
    shop.afresh("build")
    monkeypatch.setattr(version, "CODE_ALGORITHM", version.CODE_ALGORITHM + 1)
    plain = digest.digest_of_text
    monkeypatch.setattr(digest, "digest_of_text", lambda text: plain(f"in another way: {text}"))
    macro_digest.cache_clear()

    assert nothing_ran(shop.afresh("build"))
    shop.replace("models/orders.sql", "amount * 1", "amount * 2")
    assert built(shop.afresh("build")) == {"orders", "customers"}
    (state,) = shop.ours.root.rglob("state.db")
    with sqlite3.connect(state) as connection:
        connection.execute("delete from afresh_blobs")
    connection.close()
    assert "stg_orders" in built(shop.afresh("build"))


# --- what reads its own work ------------------------------------------------------------------------------------------


AS_SOURCE = """
    version: 2
    sources:
      - name: raw
        tables: [{name: orders}, {name: rates}]
      - name: shop
        schema: main
        tables: [{name: customers}, {name: orders}]
"""


@pytest.mark.parametrize(
    ("source", "warning"), [("customers", "which customers makes out of it"), ("orders", "orders reads the relation that it writes itself")]
)
def test_a_source_that_is_made_of_its_reader_is_said_once_and_no_reason_to_build_it_again(make_twins, source, warning):
    reads_own_work = SHOP["models/orders.sql"] + f" where (select count(*) from {{{{ source('shop', '{source}') }}}}) >= 0"
    shop = make_twins(
        {**SHOP, "models/sources.yml": AS_SOURCE, "models/orders.sql": reads_own_work},
        setup=(*SETUP, "create table customers (id integer)", "create table orders (id integer, customer varchar, amount integer)"),
    )
    assert shop.afresh("build").exit_code == 0

    again = shop.afresh("build")

    assert nothing_ran(again)
    assert again.stdout.count(warning) == 1
    assert set(shop.plan().values()) == {"reuse"}
    shop.execute(NEW_ROW)
    assert built(shop.afresh("build")) == {"orders", "customers"}
    assert nothing_ran(shop.afresh("build"))
