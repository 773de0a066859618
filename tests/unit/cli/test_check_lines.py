"""What a doctor says of versions and sizes."""

from __future__ import annotations

import pytest

from afresh.cli.check_lines import dbt_line, size_text, version_lines


@pytest.mark.parametrize(
    ("version", "health"),
    [("1.7.19", "problem"), ("1.8.0", "ok"), ("1.11.16", "ok"), ("1.12.0b1", "ok"), ("1.13.0", "problem"), ("2.0.0", "problem")],
)
def test_a_version_of_dbt_is_supported_or_a_problem_with_what_to_do(version, health):
    line = dbt_line(version)
    assert (line.health, line.told.startswith(version)) == (health, True)
    assert ("pip install" in line.hint) == (health == "problem")


def test_what_runs_here_is_told():
    assert [(line.name, line.health) for line in version_lines()] == [("afresh", "ok"), ("python", "ok"), ("dbt-core", "ok")]


@pytest.mark.parametrize(
    ("octets", "told"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (348_160, "340 KiB"), (5_300_000, "5.1 MiB"), (2**44, "16384 GiB")],
)
def test_a_size_is_told_in_the_unit_that_fits(octets, told):
    assert size_text(octets) == told
