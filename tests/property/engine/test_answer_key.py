"""Random projects and random histories, against a warehouse in which plain dbt runs the same selections (semantics §8).

``AFRESH_THOROUGH=1`` tries twenty times as many.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from property.engine.strategies import before_the_end, histories, main_projects, other_projects
from property.engine.toy_engine import Signal
from property.engine.toy_history import Run
from property.engine.toy_host import Invocation
from property.engine.toy_world import World

_TIMES = 20 if os.environ.get("AFRESH_THOROUGH") else 1


def tried(examples: int) -> settings:
    """As many examples, or many more when asked for."""
    return settings(max_examples=examples * _TIMES, suppress_health_check=list(HealthCheck))


@tried(100)
@given(
    main=main_projects(),
    other=other_projects,
    signal=st.sampled_from(Signal),
    ticks=st.booleans(),
    history=histories(14),
    last=before_the_end,
)
def test_every_history_leaves_what_plain_dbt_leaves_and_builds_only_what_changed(main, other, signal, ticks, history, last) -> None:
    with World((main, other), signal=signal, ticks=ticks) as world:
        world.run_plain("other", Invocation(frozenset(other.order())))
        for step in (Run(), *history, *last, Run(again=True)):
            note(f"{step}")
            step.happen(world)
