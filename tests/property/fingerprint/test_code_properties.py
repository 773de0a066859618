"""Digests of plain values, macros, Python models and records, over random ones."""

import ast
import string

from hypothesis import given
from hypothesis import strategies as st

from afresh.fingerprint.depfile import Depfile, ReadKind, entry_key
from afresh.fingerprint.digest import digest_of, spelled
from afresh.fingerprint.jinja_reads import static_reads
from afresh.fingerprint.macros import macro_digest
from afresh.fingerprint.python_model import python_digest

scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.text(max_size=4))
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)), max_leaves=6
)


def shape(value):
    """A value with its types, as Python tells them apart; the order of a mapping's keys left out."""
    if isinstance(value, dict):
        return ("map", frozenset((key, shape(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", tuple(shape(item) for item in value))
    return (type(value).__name__, repr(value))


@given(values, values)
def test_two_values_have_one_digest_only_if_nothing_tells_them_apart(a, b):
    assert (digest_of(a) == digest_of(b)) is (shape(a) == shape(b))


@given(values)
def test_a_value_is_never_its_own_spelling(value):
    assert digest_of(value) != digest_of(spelled(value))


names = st.text(string.ascii_lowercase, min_size=1, max_size=5)
pieces = st.one_of(
    st.text("ab '\"-\n", min_size=1, max_size=6),
    names.map(lambda name: "{{ " + name + "('a') }}"),
    names.map(lambda name: "{% set " + name + " = 'x' %}"),
)


@given(st.lists(pieces, min_size=1, max_size=6), st.data())
def test_a_jinja_comment_anywhere_between_pieces_changes_no_macro(texts, data):
    position = data.draw(st.integers(0, len(texts)))
    commented = [*texts[:position], "{# " + data.draw(names) + " #}", *texts[position:]]
    wrapped = ("{% macro m() %}" + "".join(body) + "{% endmacro %}" for body in (texts, commented))

    assert macro_digest(next(wrapped)) == macro_digest(next(wrapped))


@given(st.lists(pieces, min_size=1, max_size=6), st.lists(pieces, min_size=1, max_size=6))
def test_two_macros_have_one_digest_only_if_their_texts_are_equal(a, b):
    first, second = ("{% macro m() %}" + "".join(body) + "{% endmacro %}" for body in (a, b))

    assert (macro_digest(first) == macro_digest(second)) is (first == second)


@given(names, names, st.sampled_from(["{{ %s.%s }}", "{%% if %s.%s %%}{%% endif %%}", "{{ f(a=%s.%s) }}", "{{ x ~ (%s['%s'] | upper) }}"]))
def test_a_path_is_found_wherever_it_stands(member, key, template):
    reads = static_reads("{% if false %}" + template % ("target", key) + "{% endif %}" + template % (member + "_", key))

    assert f"target.{key}" in reads.paths
    assert member + "_" in reads.names


literals = st.one_of(
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.booleans(),
    st.none(),
)


@given(literals, literals)
def test_two_literals_in_a_python_model_are_one_only_if_python_says_so(a, b):
    first, second = (f"def model(dbt, session):\n    x = {value!r}\n    return x\n" for value in (a, b))

    assert (python_digest(first) == python_digest(second)) is (ast.dump(ast.parse(first)) == ast.dump(ast.parse(second)))


entries = st.dictionaries(st.builds(entry_key, st.sampled_from(ReadKind), st.text(max_size=6)), st.text(max_size=4), max_size=5)


@given(entries, entries)
def test_a_record_differs_from_today_exactly_where_a_value_does(recorded, now):
    depfile = Depfile.from_bytes(Depfile(entries=recorded).to_bytes())

    assert depfile is not None
    assert len(depfile.compare(now.get)) == sum(now.get(key) != digest for key, digest in recorded.items())
