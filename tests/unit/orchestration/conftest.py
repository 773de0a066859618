"""A state with a clock that moves when told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.store.examples import FakeClock

from afresh.store import StateStore, open_store


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[StateStore]:
    with open_store("sqlite:///state.db", base=tmp_path, clock=clock) as opened:
        yield opened
