"""Which context members a template could read, and which of them only rendering can compare."""

from __future__ import annotations

import pytest

from afresh.dbt.jinja_members import context_reads


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("select * from {{ ref('target') }}", set()),
        ("{% if target.name == 'prod' %}1{% endif %}", {"target.name"}),
        ("{{ target['schema'] }}", {"target.schema"}),
        ("{{ target }}", {"target"}),
        ("{{ model.config.meta.owner }}", {"model.config.meta.owner"}),
        ("{{ config.get('x') }}{{ var('y') }}{{ env_var('Z') }}", set()),
        ("{% macro test_not_null(model, column_name) %}select * from {{ model }}{% endmacro %}", set()),
        ("{% macro m() %}{{ model.name }}{% endmacro %}", {"model.name"}),
        ("{% set target = 1 %}{{ target }}", set()),
        ("{{ flags.FULL_REFRESH }}", {"flags.FULL_REFRESH"}),
        ("{{ context['target'].name }}", {"target.name"}),
    ],
)
def test_paths_are_those_of_members_that_are_not_the_templates_own(text, paths):
    assert context_reads([text]).paths == paths


@pytest.mark.parametrize("text", ["{{ graph.nodes }}", "{{ context[name] }}", "{{ builtins[x]() }}", "{% if broken", "{{ flags }}"])
def test_what_only_rendering_can_compare_is_dynamic(text):
    assert context_reads([text + (" {{ target }}" if "broken" in text else "")]).dynamic


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{ run_started_at }}", {"run_started_at"}),
        ("{{ invocation_id }} {{ thread_id }}", {"invocation_id", "thread_id"}),
        ("{{ modules.datetime.datetime.now() }}", {"modules.datetime"}),
        ("{{ modules.pytz.timezone('UTC') }}", set()),
        ("{{ modules.re.match('a', 'b') }}", set()),
    ],
)
def test_members_that_move_by_themselves_are_named(text, names):
    assert context_reads([text]).volatile == names
