"""What DuckDB does not have: materialized views, grants and functions of dbt's own making."""

from __future__ import annotations

import pytest

from integration.seam.zoo import HAS_FUNCTIONS

FUNCTION = {
    "functions/half.sql": "select n / 2.0",
    "functions/half.yml": """
        functions:
          - name: half
            arguments: [{name: n, data_type: numeric}]
            returns: {data_type: numeric}
        """,
    "models/halved.sql": "{{ config(materialized='table') }} select {{ function('half') }}(id) as id from {{ ref('a') }}",
}
FILES = {
    "models/a.sql": "{{ config(materialized='table', grants={'select': ['pg_monitor']}) }} select 1::numeric as id",
    "models/v.sql": "select id from {{ ref('a') }}",
    "models/m.sql": "{{ config(materialized='materialized_view') }} select id from {{ ref('a') }}",
    "models/schema.yml": "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]",
    **(FUNCTION if HAS_FUNCTIONS else {}),
}
MODELS = {"a", "v", "m", *(("half", "halved") if HAS_FUNCTIONS else ())}


@pytest.fixture
def project(dbt_project, postgres):
    return dbt_project(FILES, warehouse=postgres)


def test_everything_is_reused_the_second_time_and_built_when_the_function_or_the_table_changes(project):
    first, second = project.afresh("build"), project.afresh("build")

    assert (first.exit_code, first.executed) == (0, MODELS | {"unique_a_id"})
    assert (second.exit_code, second.executed, second.reused) == (0, set(), MODELS | {"unique_a_id"})
    if HAS_FUNCTIONS:
        project.replace("functions/half.sql", "2.0", "2.00")
        assert project.afresh("build").executed == {"half", "halved"}
    project.replace("models/a.sql", "1::numeric", "2::numeric")
    assert {"a", "m", "unique_a_id"} <= project.afresh("build").executed
    assert project.query("select id from analytics.m") == [(2,)]


def test_a_new_grant_is_given_and_builds_nothing_below(project):
    project.afresh("build")
    project.replace("models/a.sql", "['pg_monitor']", "['pg_monitor', 'pg_read_all_stats']")

    outcome = project.afresh("build", "--select", "a+")

    assert outcome.reasons("a") == ("metadata_changed",)
    granted = "select grantee from information_schema.role_table_grants where table_name = 'a' and privilege_type = 'SELECT' order by 1"
    assert {"pg_monitor", "pg_read_all_stats"} <= {row[0] for row in project.query(granted)}
    assert "halved" not in outcome.executed
