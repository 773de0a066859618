"""Macros: what their text says, and who could answer to their name."""

import pytest

from afresh.fingerprint.macros import candidates, macro_digest

PLAIN = "{% macro m(a) %}select {{ a }} as x{% endmacro %}"


@pytest.mark.parametrize(
    "text",
    [
        "\n{% macro m(a) %}select {{ a }} as x{% endmacro %}\n\n",
        "{% macro m(a) %}select {# why #}{{ a }} as x{% endmacro %}",
        "{# about #}{%macro m( a )%}select {{a}} as x{%endmacro%}",
    ],
)
def test_jinja_comments_and_white_space_in_tags_do_not_count(text):
    assert macro_digest(text) == macro_digest(PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        "{% macro m(a) %}select  {{ a }} as x{% endmacro %}",
        "{% macro m(a) %}select {{ a }} as x -- note\n{% endmacro %}",
        "{% macro m(a) -%}select {{ a }} as x{% endmacro %}",
        "{% macro m(b) %}select {{ b }} as x{% endmacro %}",
        "{% macro m(a) %}select {{ '{# a #}' }} as x{% endmacro %}",
        "{% macro m(a) %}select {% raw %}{# a #}{% endraw %}{{ a }} as x{% endmacro %}",
    ],
)
def test_everything_else_counts(text):
    assert macro_digest(text) != macro_digest(PLAIN)


def test_a_comment_mark_in_a_literal_is_text():
    assert macro_digest("{{ '{# a #}' }}") != macro_digest("{{ '{# b #}' }}")
    assert macro_digest("{% raw %}{# a #}{% endraw %}") != macro_digest("{% raw %}{# b #}{% endraw %}")


def test_a_macro_that_jinja_cannot_cut_up_is_compared_as_text():
    assert macro_digest("{% macro 'open %}").startswith("raw:")
    assert macro_digest("{% macro 'open %}") != macro_digest("{% macro 'open  %}")


@pytest.mark.parametrize(
    ("name", "adapters", "expected"),
    [
        ("m", ["duckdb"], ("m", "duckdb__m", "default__m")),
        ("m", ["redshift", "postgres"], ("m", "redshift__m", "postgres__m", "default__m")),
        ("postgres__m", ["redshift", "postgres"], ("postgres__m", "m", "redshift__m", "default__m")),
        ("default__m", ["duckdb"], ("default__m", "m", "duckdb__m")),
        ("my__m", ["duckdb"], ("my__m", "duckdb__my__m", "default__my__m")),
        ("snowflake__m", ["duckdb"], ("snowflake__m", "duckdb__snowflake__m", "default__snowflake__m")),
    ],
)
def test_every_name_that_could_win_a_dispatch_is_a_candidate(name, adapters, expected):
    assert candidates(name, adapters) == expected
