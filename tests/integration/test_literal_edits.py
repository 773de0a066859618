"""dbt 1.12 compacts white space before it compares files, inside string literals too, and then keeps the old text."""

from __future__ import annotations

import pytest


@pytest.mark.smoke
def test_white_space_that_changes_inside_a_literal_is_built(dbt_project):
    project = dbt_project({"models/greeting.sql": "{{ config(materialized='table') }} select 'a  b' as text"})
    assert project.afresh("build").exit_code == 0
    project.replace("models/greeting.sql", "'a  b'", "'a b'")
    outcome = project.afresh("build")
    assert outcome.executed_models == {"greeting"}
    assert project.rows("greeting") == [("a b",)]
