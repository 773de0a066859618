"""Fixtures of the tests that run real dbt."""

from __future__ import annotations

import pytest

from integration.seam import parsed


@pytest.fixture(scope="session")
def parsed_project(tmp_path_factory):
    """What dbt remembers of parsing an empty project, made once per worker."""
    return parsed.parsed_once(tmp_path_factory.mktemp("parsed"))


@pytest.fixture
def shop(parsed_project, tmp_path) -> parsed.NewShop:
    """Makes projects of one test, on DuckDB: ``shop({path: text}, settings={...})``."""
    return parsed.factory(parsed_project, tmp_path)


@pytest.fixture(scope="module")
def module_shop(parsed_project, tmp_path_factory) -> parsed.NewShop:
    """Makes projects that the tests of a module share."""
    return parsed.factory(parsed_project, tmp_path_factory.mktemp("shared"))
