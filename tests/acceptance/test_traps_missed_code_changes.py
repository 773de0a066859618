"""T4: everything that a node's code is made of, beyond its own file; a change of any of it builds, and only what it concerns.

After each run the warehouse is compared with a twin where plain dbt built everything that was selected.
"""

import pytest

from acceptance.shop import SETUP, SHOP, built, nothing_ran


@pytest.fixture
def shop(make_twins):
    return make_twins(SHOP, setup=SETUP)


MACROS = """
    {% macro price(column) %}{{ net(column) }} + 1{% endmacro %}
    {% macro net(column) %}{{ column }} - 2{% endmacro %}
"""


def test_t4_a_macro_counts_at_every_depth(make_twins):
    model = "{{ config(materialized='table') }} select id, {{ price('amount') }} as amount from {{ ref('stg_orders') }}"
    shop = make_twins({**SHOP, "models/prices.sql": model, "macros/price.sql": MACROS}, setup=SETUP)
    shop.afresh("build")

    shop.replace("macros/price.sql", "+ 1", "+ 3")
    assert built(shop.afresh("build")) == {"prices"}
    shop.replace("macros/price.sql", "- 2", "- 5")
    assert built(shop.afresh("build")) == {"prices"}


def test_t4_a_macro_that_is_reached_while_a_model_is_written_counts(make_twins):
    override = """
        {% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql') -%}
          {%- set others = kwargs %}
          create table {{ relation.include(database=(not temporary), schema=(not temporary)) }} as
            select *, 1 as made from ({{ compiled_code }})
        {%- endmacro %}
    """
    shop = make_twins({**SHOP, "macros/writing.sql": override}, setup=SETUP)
    shop.afresh("build")

    shop.replace("macros/writing.sql", "1 as made", "2 as made")

    assert built(shop.afresh("build")) == {"orders", "customers", "rates"}


def test_t4_a_new_macro_that_now_wins_over_the_one_that_was_used_counts(make_twins):
    macros = """
        {% macro label() %}{{ return(adapter.dispatch('label')()) }}{% endmacro %}
        {% macro default__label() %}'any'{% endmacro %}
    """
    model = "{{ config(materialized='table') }} select id, {{ label() }} as label from {{ ref('stg_orders') }}"
    shop = make_twins({**SHOP, "models/labels.sql": model, "macros/label.sql": macros}, setup=SETUP)
    shop.afresh("build")

    shop.write({"macros/special.sql": "{% macro duckdb__label() %}'special'{% endmacro %}"})

    assert built(shop.afresh("build")) == {"labels"}


def test_t4_a_var_counts_wherever_it_is_set(make_twins):
    model = "{{ config(materialized='table') }} select id from {{ ref('stg_orders') }} where amount > {{ var('least', 5) }}"
    shop = make_twins({**SHOP, "models/large.sql": model}, setup=SETUP)
    shop.afresh("build")

    assert built(shop.afresh("build", "--vars", "{least: 15}")) == {"large"}
    assert built(shop.afresh("build", "--vars", "{least: 15, other: 1}")) == set()
    assert built(shop.afresh("build")) == {"large"}
    shop.replace("dbt_project.yml", "name: twin", "name: twin\nvars: {least: 25}")
    assert built(shop.afresh("build")) == {"large"}


def test_t4_an_environment_variable_counts_for_those_who_read_it(make_twins):
    model = "{{ config(materialized='table') }} select id, '{{ env_var('REGION', 'north') }}' as region from {{ ref('stg_orders') }}"
    shop = make_twins({**SHOP, "models/regions.sql": model}, setup=SETUP)
    shop.afresh("build")

    shop.set_env({"REGION": "south", "NOT_READ": "1"})
    assert built(shop.afresh("build")) == {"regions"}
    shop.set_env({"REGION": None})
    assert built(shop.afresh("build")) == {"regions"}


def test_t4_a_config_in_yaml_counts_wherever_it_is_set(make_twins):
    models = {name: text.replace("{{ config(materialized='table') }} ", "") for name, text in SHOP.items()}
    shop = make_twins(models, setup=SETUP)
    shop.afresh("build")

    shop.write({"models/schema.yml": "{version: 2, models: [{name: orders, config: {materialized: table}}]}"})
    assert built(shop.afresh("build")) == {"orders"}
    shop.replace("dbt_project.yml", "name: twin", "name: twin\nmodels: {twin: {rates: {+materialized: table}}}")
    assert built(shop.afresh("build")) == {"rates"}


def test_t4_the_code_of_an_ephemeral_parent_counts(make_twins):
    shop = make_twins({**SHOP, "models/stg_orders.sql": SHOP["models/stg_orders.sql"].replace("view", "ephemeral")}, setup=SETUP)
    shop.afresh("build")

    shop.replace("models/stg_orders.sql", "select id, customer,", "select id, upper(customer) as customer,")

    assert built(shop.afresh("build")) == {"orders", "customers"}


def test_t4_the_code_of_a_view_counts_for_what_reads_it(shop):
    shop.afresh("build")
    shop.replace("models/stg_orders.sql", "select id, customer,", "select id, upper(customer) as customer,")

    assert built(shop.afresh("build")) == {"stg_orders", "orders", "customers"}


def test_t4_a_view_whose_new_code_is_not_built_yet_counts_as_it_is_deployed(shop):
    shop.afresh("build")
    shop.replace("models/stg_orders.sql", "select id, customer,", "select id, upper(customer) as customer,")

    assert built(shop.afresh("build", "--exclude", "stg_orders")) == set()
    assert built(shop.afresh("build")) == {"stg_orders", "orders", "customers"}


def test_t4_a_row_of_a_seed_counts(make_twins):
    model = "{{ config(materialized='table') }} select * from {{ ref('countries') }}"
    shop = make_twins({**SHOP, "seeds/countries.csv": "id,name\n1,France\n2,Spain\n", "models/places.sql": model}, setup=SETUP)
    shop.afresh("build")

    shop.replace("seeds/countries.csv", "Spain", "Italy")

    assert built(shop.afresh("build")) == {"countries", "places"}


def test_t4_a_large_seed_counts_beyond_its_first_megabyte(make_twins):
    rows = "".join(f"{number},{'x' * 60}\n" for number in range(20_000))
    shop = make_twins({**SHOP, "seeds/large.csv": "id,name\n" + rows}, setup=SETUP)
    shop.afresh("build", "--select", "large")

    shop.replace("seeds/large.csv", "19999,xxx", "19999,yyy")

    assert built(shop.afresh("build", "--select", "large")) == {"large"}


def test_t4_a_relation_that_only_the_sql_names_is_an_input(make_twins):
    model = "{{ config(materialized='table') }} select * from raw.rates"
    shop = make_twins({**SHOP, "models/hard.sql": model}, setup=SETUP)
    shop.afresh("build", "--select", "hard")
    shop.execute("update raw.rates set rate = 3 where currency = 'usd'")

    changed = shop.afresh("build", "--select", "hard")

    assert built(changed) == {"hard"}
    assert changed.reasons("hard") == ("new_data",)
    assert nothing_ran(shop.afresh("build", "--select", "hard"))


def test_t4_a_file_that_only_the_sql_names_is_an_input(make_twins, tmp_path):
    file = tmp_path / "rates.csv"
    file.write_text("currency,rate\neur,1\n")
    model = f"{{{{ config(materialized='table') }}}} select * from read_csv('{file}')"
    shop = make_twins({**SHOP, "models/filed.sql": model}, setup=SETUP)
    shop.afresh("build", "--select", "filed")
    assert nothing_ran(shop.afresh("build", "--select", "filed"))

    file.write_text("currency,rate\neur,1\nusd,2\n")

    assert built(shop.afresh("build", "--select", "filed")) == {"filed"}


def test_t4_a_query_while_rendering_is_asked_again_and_its_answer_counts(make_twins):
    model = """
        {{ config(materialized='table') }}
        {% set found = run_query("select distinct currency from raw.rates order by 1") %}
        select id
        {% if execute %}{% for value in found.columns[0].values() %}, '{{ value }}' as {{ value }}{% endfor %}{% endif %}
        from {{ ref('stg_orders') }}
    """
    shop = make_twins({**SHOP, "models/pivot.sql": model}, setup=SETUP)
    shop.afresh("build")
    assert nothing_ran(shop.afresh("build"))

    shop.execute("insert into raw.rates values ('gbp', 3)")

    assert built(shop.afresh("build")) == {"pivot", "rates"}
