"""When a relation was last written, as far as an answer dates it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from afresh.core.version import Known, Unknown
from afresh.warehouse.last_change import Dated, last_loaded
from afresh.warehouse.loaded_at import spelled
from afresh.warehouse.probe import ProbeAnswer

AT = datetime(2026, 11, 22, 6, 50, tzinfo=timezone.utc)


def answer(token: str) -> ProbeAnswer:
    return ProbeAnswer(Known(token))


@pytest.mark.parametrize("before", ["", "pg1 oid=1 writes=1/0/0 ", "duckdb1 rows=3 "])
def test_a_moment_with_a_zone_is_one_moment(before):
    said = spelled("2026-11-22 07:50:00+01")
    assert last_loaded(answer(f"{before}loaded_at={said}")) == Dated(said, AT, AT)


def test_without_a_zone_it_may_be_that_moment_anywhere_in_the_world():
    dated = last_loaded(answer(f"loaded_at={spelled('2026-11-22 06:50:00')}"))
    assert dated is not None
    assert (dated.earliest, dated.latest) == (AT - timedelta(hours=14), AT + timedelta(hours=12))


@pytest.mark.parametrize("version", [Unknown("no"), Known("pg1 oid=1"), Known("loaded_at=null"), Known("loaded_at=17"), Known("")])
def test_what_is_no_moment_dates_nothing(version):
    assert last_loaded(ProbeAnswer(version)) is None
