"""The answer key: random projects through random histories, each run compared with plain dbt in a twin.

After every run the warehouses are equal (soundness); repeated at once it builds nothing and runs no test, and it builds
nothing that does not depend on a change (thrift); what a plan was sure of is what happened. ``HYPOTHESIS_PROFILE=soak``
plays many more.
"""

import os

import pytest
from hypothesis import given, settings

from support.twin_history import play
from support.twin_strategies import THEMES, histories

PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


@pytest.mark.parametrize("theme", THEMES)
def test_after_every_run_the_warehouse_equals_that_of_plain_dbt_and_nothing_was_built_for_nothing(theme, parsed, tmp_path_factory):
    @settings(PROFILE)
    @given(histories(THEMES[theme]))
    def any_history(history):
        play(history, tmp_path_factory.mktemp("history"), parsed=parsed)

    any_history()
