"""Fixtures of the tests of the commands over the state."""

from __future__ import annotations

import pytest

from integration.state.two_targets import FILES


@pytest.fixture
def built(shop):
    """The project of :mod:`integration.state.two_targets`, built once in its first target."""
    project = shop(FILES)
    assert project.afresh("build").exit_code == 0
    return project
