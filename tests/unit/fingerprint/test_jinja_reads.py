"""What a template could read, in any branch."""

import pytest
from jinja2 import Environment

from afresh.fingerprint.jinja_reads import JinjaReads, static_reads

CASES = [
    ("select 1", set(), set(), set()),
    ("{{ target.name }}", {"target"}, {"target.name"}, set()),
    ("{{ target['name'] }}", {"target"}, {"target.name"}, set()),
    ("{{ target.get('name') }}", {"target"}, {"target.name"}, set()),
    ("{{ target }}", {"target"}, set(), {"target"}),
    ("{{ target[x] }}", {"target", "x"}, set(), {"target"}),
    ("{% set t = target %}{{ t.name }}", {"target"}, set(), {"target"}),
    ("{{ my_macro(target) }}", {"my_macro", "target"}, set(), {"target"}),
    ("{{ target | tojson }}", {"target"}, set(), {"target"}),
    ("{% for k in target %}{% endfor %}", {"target"}, set(), {"target"}),
    ("{% if flags.FULL_REFRESH %}a{% endif %}", {"flags"}, {"flags.FULL_REFRESH"}, set()),
    ("{{ model.config.meta['a'] }}", {"model"}, {"model.config.meta.a"}, set()),
    ("{{ model.config.get('meta', {}).get('k') }}", {"model"}, {"model.config.meta"}, set()),
    ("{{ model.config[x] }}", {"model", "x"}, {"model.config"}, set()),
    ("{% for n in graph.nodes.values() %}{{ n.name }}{% endfor %}", {"graph"}, {"graph.nodes"}, set()),
    ("{{ config.get('a') }}", {"config"}, {"config.get:a"}, set()),
    ("{{ config.get('a', default=var('b')) }}", {"config", "var"}, {"config.get:a", "var:b"}, set()),
    ("{{ config.require('a') }}", {"config"}, {"config.require:a"}, set()),
    ("{{ config.get(x) }}", {"config", "x"}, set(), {"config"}),
    ("{{ config(materialized='table') }}", {"config"}, set(), set()),
    ("{{ config(schema=env_var('S', 'd')) }}", {"config", "env_var"}, {"env_var:S"}, set()),
    ("{{ this }}", {"this"}, set(), {"this"}),
    ("{{ this.schema }}", {"this"}, {"this.schema"}, set()),
    ("{{ this.include(database=false) }}", {"this"}, set(), {"this"}),
    ("{{ adapter.get_columns_in_relation(this) }}", {"adapter", "this"}, {"adapter.get_columns_in_relation()"}, {"this"}),
    ("{{ adapter.dispatch('m', 'pkg')(x) }}", {"adapter", "x"}, {"adapter.dispatch:m"}, set()),
    ("{{ modules.datetime.datetime.now() }}", {"modules"}, {"modules.datetime.datetime.now()"}, set()),
    ("{{ exceptions.raise_compiler_error('x') }}", {"exceptions"}, {"exceptions.raise_compiler_error()"}, set()),
    ("{{ var('a') }} {{ var(x) }}", {"var", "x"}, {"var:a"}, {"var"}),
    ("{{ var.has_var('a') }}", {"var"}, {"var:a"}, set()),
    ("{{ run_started_at.strftime('%Y') }}", {"run_started_at"}, set(), {"run_started_at"}),
    ("{{ invocation_id }}", {"invocation_id"}, set(), {"invocation_id"}),
    ("{{ dbt_utils.star(ref('x')) }}", {"dbt_utils", "ref"}, {"dbt_utils.star()"}, set()),
    ("{{ context['target'].name }}", {"context", "target"}, {"target.name"}, set()),
    ("{{ context.get('my_macro')(1) }}", {"context", "my_macro"}, set(), set()),
    ("{{ builtins.ref('x') }}", {"builtins", "ref"}, set(), set()),
    ("{% if a %}{% set target = {} %}{% endif %}{{ target.name }}", {"a", "target"}, {"target.name"}, set()),
    ("{% macro m(x, target) %}{{ x }}{{ target.name }}{% endmacro %}", {"target"}, {"target.name"}, set()),
    ("{% if false %}{{ env_var('A') }}{% endif %}", {"env_var"}, {"env_var:A"}, set()),
    ("{{ x | as_bool }}", {"x"}, set(), set()),
    ("{# {{ target.name }} #} {% raw %}{{ flags.X }}{% endraw %}", set(), set(), set()),
]


@pytest.mark.parametrize(("template", "names", "paths", "whole"), CASES)
def test_names_paths_and_members_used_whole_are_read(template, names, paths, whole):
    reads = static_reads(template)

    assert (set(reads.names), set(reads.paths), set(reads.whole), reads.dynamic) == (names, paths, whole, False)


@pytest.mark.parametrize(
    "template",
    [
        "{{ context[name] }}",
        "{{ context['a' ~ b]() }}",
        "{{ context.get(name) }}",
        "{% for k, v in context.items() %}{% endfor %}",
        "{% set c = context %}",
        "{{ builtins[name] }}",
        "{{ f(context) }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{{ unclosed",
        "{% nobody_knows_this_tag %}",
    ],
)
def test_a_template_that_computes_names_may_read_anything(template):
    assert static_reads(template).dynamic


@pytest.mark.parametrize(
    "template",
    [
        "{% materialization t, adapter='duckdb', supported_languages=['sql', 'python'] %}{{ target.name }}{% endmaterialization %}",
        "{% materialization t, default -%}{{ target.name }}{%- endmaterialization %}",
        "{% test t(model, column_name, values=[]) %}{{ target.name }}{% endtest %}",
        "{% data_test t(model) %}{{ target.name }}{% enddata_test %}",
        "{% snapshot s %}{{ target.name }}{% endsnapshot %}",
        "{% docs d %}{{ target.name }}{% enddocs %}",
        "{% call statement('x', fetch_result=True) %}{{ target.name }}{% endcall %}",
        "{% call(row) m() %}{{ target.name }}{% endcall %}",
        "{% do x.append(target.name) %}",
        "{% for x in y %}{% if x %}{% continue %}{% else %}{% break %}{% endif %}{{ target.name }}{% endfor %}",
        "{% filter upper %}{{ target.name }}{% endfilter %}",
        "{% set x %}{{ target.name }}{% endset %}",
        "{% macro m() %}{{ caller() }}{{ varargs }}{{ kwargs }}{{ target.name }}{% endmacro %}",
    ],
)
def test_the_tags_of_dbt_are_read_through(template):
    reads = static_reads(template)

    assert not reads.dynamic
    assert "target.name" in reads.paths


def test_another_parser_may_be_brought_along():
    assert static_reads("<< target.name >>", parse=Environment(variable_start_string="<<", variable_end_string=">>").parse) == JinjaReads()
    assert static_reads("{% x %}{{ a }}", parse=Environment().parse).dynamic
