"""A moment on the command line is read as people write it, or refused in one sentence."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest

from afresh.cli.moments import moment_of
from afresh.errors import UsageError


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-01 06:00", "2026-12-01 05:00"),
        ("2026-07-01T06:00:30", "2026-07-01 04:00:30"),
        ("2026-12-01", "2026-11-30 23:00"),
        ("2026-12-01 06:00Z", "2026-12-01 06:00"),
        ("2026-12-01 06:00 -0530", "2026-12-01 11:30"),
        ("2026-12-01 06:00+01:00", "2026-12-01 05:00"),
    ],
)
def test_a_moment_is_in_local_time_unless_it_has_an_offset(text, utc):
    found = moment_of(text, option="--at")
    assert found == datetime.fromisoformat(utc).replace(tzinfo=timezone.utc)
    assert found.tzinfo is not None


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "06:00", "2026-13-01", "2026-12-01 25:00", "2026-12-01 06:00 CET", "2026-12-01 06:00+99:00"]
)
def test_what_is_no_moment_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="is no moment") as refused:
        moment_of(text, option="--at")
    assert '"2026-12-01 06:00"' in str(refused.value)
