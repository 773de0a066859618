"""The reference names every reason and every field of the JSON, and its example is valid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from afresh.render.evidence import evidence
from unit.render.examples import EVERY_REASON
from unit.render.test_json import SCHEMA

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
REASONS = (REFERENCE / "reasons.md").read_text(encoding="utf-8")
JSON = (REFERENCE / "json.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", [reason for reason, _ in EVERY_REASON], ids=lambda reason: reason.code)
def test_the_reference_tells_each_reason_with_its_evidence(reason):
    (row,) = [line for line in REASONS.splitlines() if line.startswith(f"| `{reason.code}` |")]
    told = set(re.findall(r"`(\w+)`", row.split("|")[3]))
    assert told == {key for other, _ in EVERY_REASON if other.code == reason.code for key in evidence(other)}


@pytest.mark.parametrize(
    "name", ["node", "summary", "estimate", "what_if", "explanation", "run", "lease", "wait", "relation", "recommendation", "choice"]
)
def test_the_reference_tells_every_field(name):
    for field in SCHEMA["$defs"][name]["properties"]:
        assert f"`{field}`" in JSON


def test_the_example_of_the_reference_fits_the_schema():
    (example,) = re.findall(r"```json\n(.*?)```", JSON, re.DOTALL)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(example))
