"""Acceptance tests: real dbt, real DuckDB, and a twin project with the right answer."""

import pytest
from hypothesis import HealthCheck, settings

from support.twins import create_twins, parse_once

# The short profile plays the same histories every time, so that a failure is never luck; `HYPOTHESIS_PROFILE=soak` looks
# for new ones, and for long.
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
_COMMON = {"deadline": None, "print_blob": True, "suppress_health_check": _SLOW}
settings.register_profile("short", max_examples=4, derandomize=True, database=None, **_COMMON)
settings.register_profile("soak", max_examples=200, **_COMMON)


@pytest.fixture(scope="session")
def parsed(tmp_path_factory):
    """What dbt remembers of its own macros, so that it need not parse them for every project."""
    return parse_once(tmp_path_factory.mktemp("parsed"))


@pytest.fixture
def make_twins(tmp_path, parsed):
    """Makes a project and its twin from files by path."""

    def create(files, *, settings=None, setup=()):
        twins = create_twins(tmp_path, files, settings=settings, parsed=parsed)
        if setup:
            twins.execute(*setup)
        return twins

    return create
