"""A trace comes back from the store as the trace that went in."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.store.examples import recorded_test, trace_of
from tests.property.store.strategies import moments, traces

from afresh.core.trace import Trace
from afresh.store import StateStore, codec, open_store
from afresh.store.instants import instant, micros
from afresh.store.run_ranges import has_run, with_run


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> StateStore:
    opened = open_store("sqlite:///state.db", base=Path(tmp_path_factory.mktemp("state")))
    yield opened
    opened.close()


@given(traces)
def test_a_trace_survives_its_row(trace: Trace) -> None:
    assert codec.trace_of_row(codec.row_of_trace(trace)) == trace


@given(trace=traces)
def test_a_trace_survives_the_database(store: StateStore, trace: Trace) -> None:
    kept = recorded_test(store, trace)
    assert replace(kept, compiled_digest=trace.compiled_digest, depfile_digest=trace.depfile_digest) == trace


@given(traces, traces)
def test_different_traces_have_different_rows(one: Trace, other: Trace) -> None:
    assert (one == other) == (codec.row_of_trace(one) == codec.row_of_trace(other))


def test_every_field_of_a_trace_is_stored() -> None:
    """A field that is added to the core and not to the codec is found here."""
    row = codec.row_of_trace(trace_of())
    body = json.loads(codec.unpack(row.pop("body")))
    of_code = {"algorithm", "parts"}
    assert of_code < set(body)
    assert (set(row) | set(body) | {"code"}) - of_code - {"format"} == {field.name for field in fields(Trace)}


@given(traces, st.data())
def test_a_damaged_row_is_refused_or_unharmed_but_never_another_error(trace: Trace, data: st.DataObject) -> None:
    row = codec.row_of_trace(trace)
    body = bytearray(row["body"])
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = codec.trace_of_row({**row, "body": bytes(body)})
    except codec.UnreadableTraceError:
        return
    assert read == trace


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"parts": {"sql": ["x", "?", ""]}},
        {"inputs": [["n", None, "perhaps", ""]]},
        {"test": ["great", 1]},
        {"started_at": "x"},
        {"started_at": 10**30},
    ],
    ids=str,
)
def test_a_body_of_another_format_is_refused(change: dict[str, object]) -> None:
    row = codec.row_of_trace(trace_of())
    body = json.loads(codec.unpack(row["body"])) | change
    with pytest.raises(codec.UnreadableTraceError):
        codec.trace_of_row({**row, "body": codec.pack(json.dumps(body))})


def test_a_body_that_lacks_a_field_is_refused() -> None:
    row = codec.row_of_trace(trace_of())
    body = json.loads(codec.unpack(row["body"]))
    for name in body:
        rest = {key: value for key, value in body.items() if key != name}
        with pytest.raises(codec.UnreadableTraceError):
            codec.trace_of_row({**row, "body": codec.pack(json.dumps(rest))})


def test_a_trace_of_an_unknown_resource_type_is_refused() -> None:
    with pytest.raises(codec.UnreadableTraceError):
        codec.trace_of_row({**codec.row_of_trace(trace_of()), "resource_type": "dream"})


@given(moments)
def test_a_moment_survives_to_the_microsecond(moment: datetime) -> None:
    assert instant(micros(moment)) == moment


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    berlin = datetime(2026, 11, 22, 7, 50, tzinfo=timezone(timedelta(hours=1)))
    assert instant(micros(berlin)) == datetime(2026, 11, 22, 6, 50, tzinfo=timezone.utc)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        codec.row_of_trace(replace(trace_of(), started_at=datetime(2026, 11, 22)))  # noqa: DTZ001


@given(st.lists(st.integers(1, 40)), st.integers(1, 40))
def test_a_range_text_is_a_set_of_runs(numbers: list[int], other: int) -> None:
    text = ""
    for number in numbers:
        text = with_run(text, number)
    assert has_run(text, other) == (other in numbers)
    assert with_run(text, numbers[0]) == text if numbers else text == ""
    assert text.count(",") <= len(set(numbers))
