"""What one error tells of many mistakes."""

from __future__ import annotations

import pytest

from afresh.config.problems import Problem, SettingsError, raise_if_any
from afresh.errors import Location


@pytest.mark.parametrize(("count", "told", "more"), [(2, 2, ""), (20, 20, ""), (21, 20, "… and 1 more"), (5000, 20, "… and 4,980 more")])
def test_a_mistake_that_is_made_in_many_places_does_not_fill_the_screen(count: int, told: int, more: str) -> None:
    problems = [Problem("`2x` is no duration", Location("dbt_project.yml", line)) for line in range(count)]
    with pytest.raises(SettingsError) as refused:
        raise_if_any(problems, title="the project")
    first, *lines = str(refused.value).splitlines()
    assert first.endswith(f"{count} mistakes in the project:")
    assert len([line for line in lines if "is no duration" in line]) == told
    assert lines[-1].strip() == (more or str(problems[-1]))
    assert len(refused.value.problems) == count
