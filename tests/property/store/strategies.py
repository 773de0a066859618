"""Arbitrary values of the core types that the store keeps."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import strategies as st

from afresh.core.node import NodeId, ResourceType
from afresh.core.relation import TraceKey
from afresh.core.trace import RecordedInput, Signature, TestOutcome, TestStatus, Trace
from afresh.core.version import CodeVersion, Known, Part, PartGroup, Unknown

# Anything Python can hold, half surrogate pairs and NUL included: it goes into the body, which is JSON in ASCII.
any_text = st.text(st.characters(), max_size=12)
# Columns hold text that both databases can hold.
column_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)

keys = column_text.filter(bool).map(TraceKey)
moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001
data_versions = st.builds(Known, any_text) | st.builds(Unknown, any_text)
parts = st.builds(Part, any_text, st.sampled_from(PartGroup), any_text)
code_versions = st.builds(CodeVersion, st.dictionaries(any_text, parts, max_size=5), st.integers(0, 9))
inputs = st.builds(RecordedInput, any_text, st.none() | any_text.map(TraceKey), data_versions, any_text)
signatures = st.builds(Signature, st.lists(st.tuples(any_text, any_text), max_size=4).map(tuple))
outcomes = st.builds(TestOutcome, st.sampled_from(TestStatus), st.none() | st.integers(0))

traces = st.builds(
    Trace,
    key=keys,
    node=column_text.map(NodeId),
    resource_type=st.sampled_from(ResourceType),
    project=column_text,
    build_id=column_text,
    run_id=column_text,
    code=code_versions,
    inputs=st.lists(inputs, max_size=4).map(tuple),
    output_version=any_text,
    started_at=moments,
    finished_at=moments,
    scheduled_at=moments,
    relation_type=any_text,
    signature=st.none() | signatures,
    outside_token=st.none() | any_text,
    volatile_value=st.none() | any_text,
    window=st.none() | any_text,
    test=st.none() | outcomes,
    reasons=st.lists(any_text, max_size=3).map(tuple),
    execution_seconds=st.floats(allow_nan=False, allow_infinity=False),
    job=any_text,
    adopted=st.booleans(),
    compiled_digest=column_text,
    depfile_digest=column_text,
)
