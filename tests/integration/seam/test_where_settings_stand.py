"""In which file and line a setting of a node stands: mistakes name it, and a node's own word is told from a folder's."""

from __future__ import annotations

import pytest

from integration.bad_input.refusal import assert_refused

TABLE = "{{ config(materialized='table') }} "
FILES = {
    "models/sources.yml": "sources: [{name: raw, schema: raw, tables: [{name: t}]}]",
    "models/lazy/a.sql": TABLE + "select * from {{ source('raw', 't') }}",
}
OF_FOLDER = {"models": {"shop": {"lazy": {"+meta": {"afresh": {"lag_tolerance": "9h"}}}}}}


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("files", "settings", "told"),
    [
        (
            {
                "models/lazy/a.sql": "{{\n  config(\n    materialized='table',\n    meta={'afresh': {\n      'max_age': 'soon'}})\n}} select 1 as id"
            },
            {},
            "models/lazy/a.sql:5, key `meta.afresh.max_age`",
        ),
        (
            {"models/lazy/of_a.yml": "models:\n  - name: a\n    config:\n      meta:\n        afresh:\n          max_age: soon\n"},
            {},
            "models/lazy/of_a.yml:6, key `meta.afresh.max_age`",
        ),
        (
            {"models/lazy/of_a.yml": "models:\n  - name: a\n    description: it\n"},
            {"models": {"shop": {"lazy": {"+meta": {"afresh": {"max_age": "soon"}}}}}},
            "dbt_project.yml:7, key `meta.afresh.max_age`",
        ),
        (
            {
                "models/sources.yml": "sources:\n- name: raw\n  schema: raw\n  config:\n    meta: {afresh: {static: perhaps}}\n  tables: [{name: t}]\n"
            },
            {},
            "models/sources.yml:5, key `meta.afresh.static`",
        ),
        (
            {
                "models/lazy/of_a.yml": """
                    models:
                      - name: a
                        columns: [{name: id, data_tests: [
                          {unique: {config: {meta: {afresh: {max_age: soon}}}}}]}]
                    """
            },
            {},
            "models/lazy/of_a.yml:4, key `meta.afresh.max_age`",
        ),
    ],
    ids=["the model's file", "its properties", "a folder", "a source", "a test"],
)
def test_a_mistake_in_a_setting_names_the_file_and_line_where_it_stands(shop, files, settings, told):
    project = shop({**FILES, **files}, settings=settings)

    assert_refused(project.afresh("build"), told)


@pytest.mark.smoke
@pytest.mark.parametrize(
    "own",
    [
        {"models/lazy/a.sql": "{{ config(materialized='table', freshness=none) }} select * from {{ source('raw', 't') }}"},
        {"models/lazy/of_a.yml": "models: [{name: a, config: {freshness: null}}]"},
    ],
    ids=["in the model's file", "in its properties"],
)
def test_a_model_s_own_freshness_null_takes_back_the_lag_of_its_folder(shop, own):
    project = shop(FILES, settings=OF_FOLDER)
    project.execute("create schema raw", "create table raw.t as select 1 as id")
    project.afresh("build")
    project.execute("insert into raw.t values (2)")
    assert project.afresh("build").reasons("a") == ("too_soon", "new_data")

    project.write(own)
    outcome = project.afresh("build")

    assert (outcome.executed, outcome.reasons("a")) == ({"a"}, ("new_data",))


def test_a_model_s_own_lag_stays_beside_its_own_freshness_null(shop):
    own = "{{ config(materialized='table', freshness=none, meta={'afresh': {'lag_tolerance': '1h'}}) }} select * from {{ source('raw', 't') }}"
    project = shop({**FILES, "models/lazy/a.sql": own})
    project.execute("create schema raw", "create table raw.t as select 1 as id")
    project.afresh("build")
    project.execute("insert into raw.t values (2)")

    assert project.afresh("build").reasons("a") == ("too_soon", "new_data")
