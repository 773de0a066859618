"""What a doctor found, for people and for programs."""

from __future__ import annotations

import json

import pytest

from afresh.render.doctor import CheckLine, Diagnosis, SourceLine, doctor_json, doctor_text
from unit.render.examples import AT, NOW, golden
from unit.render.test_json import VALIDATOR

CHECKS = (
    CheckLine("afresh", "ok", "0.1.0"),
    CheckLine("dbt-core", "problem", "1.7.3 (supported: <1.13,>=1.8)", "Install one that is: pip install 'dbt-core<1.13,>=1.8'"),
    CheckLine("adapter", "warning", "sqlserver 1.9.0: Afresh has no signal of its own for it, so sources need loaded_at_field\x1b[2J"),
)
FIX = "# models/sources.yml\nsources:\n  - name: raw\n    tables:\n      - name: items\n        loaded_at_field: updated_at"
SOURCES = (
    SourceLine(
        "source.shop.raw.orders", "source raw.orders", "shop.raw.orders", "ok", "statistics", "exact", unchanged_since=AT, seconds=0.012
    ),
    SourceLine(
        "source.shop.raw.dated",
        "source raw.dated",
        "shop.raw.dated",
        "warning",
        "loaded_at",
        "declared",
        last_loaded="2026-11-22T05:00:00",
        seconds=1.25,
        note="shop.raw.dated: only loaded_at decides: late rows, updates and deletes that leave its maximum as it is are not seen",
    ),
    SourceLine(
        "source.shop.raw.items",
        "source raw.items",
        None,
        "problem",
        "none",
        "none",
        changed_since=AT,
        note="what reads it is built in every run: no signal",
        fix=FIX,
    ),
    SourceLine("source.shop.mesh.users", "source mesh.users", "hub.users", "ok", "build", "exact", note="users builds it"),
)
WHOLE = Diagnosis("dev", NOW, CHECKS, SOURCES)


def test_it_reads_as_reviewed():
    text = "\n".join(doctor_text(found, width=100, color=False) for found in (WHOLE, Diagnosis("dev", NOW, CHECKS[:1])))
    assert golden("doctor_100.txt", text) == text
    assert "\x1b" not in text


def test_colour_adds_nothing_but_colour():
    assert "\x1b[31mproblem\x1b[0m" in doctor_text(WHOLE, width=100, color=True)


@pytest.mark.parametrize(("checks", "health"), [(CHECKS[:1], "ok"), ((CHECKS[0], CHECKS[2]), "warning"), (CHECKS, "problem")])
def test_the_whole_is_as_bad_as_its_worst_part(checks, health):
    assert Diagnosis(None, NOW, checks).health == health


def test_the_document_fits_the_published_schema():
    document = json.loads(doctor_json(WHOLE))
    VALIDATOR.validate(document)
    assert [source["health"] for source in document["sources"]] == ["ok", "warning", "problem", "ok"]
    assert document["sources"][0]["unchanged_since"] == "2026-11-22T06:50:00Z"
    assert document["sources"][2]["fix"] == FIX
