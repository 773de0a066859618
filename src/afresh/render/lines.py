"""From the core's values to the lines of an explanation: a node's inputs and its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.version import Known, Unknown, same_data
from afresh.render.views import InputLine, PolicyLine
from afresh.render.words import duration_text, node_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.core.observation import Observation
    from afresh.core.policy import Policy
    from afresh.core.trace import Trace
    from afresh.core.version import DataVersion


def input_lines(seen: Observation, trace: Trace | None) -> tuple[InputLine, ...]:
    """Each input as the last build read it and as it is now; inputs that are not read any more come last."""
    recorded = {} if trace is None else {entry.node: entry.version for entry in trace.inputs}
    lines = [_input_line(entry.node, entry.label, recorded.get(entry.node), entry.version) for entry in seen.inputs]
    gone = [node for node in recorded if node not in {entry.node for entry in seen.inputs}]
    return (*lines, *(_input_line(node, "", recorded[node], None) for node in gone))


def policy_lines(policy: Policy, origins: Mapping[str, str] | None = None) -> tuple[PolicyLine, ...]:
    """The settings that bear on a decision, in the words of the config; ``origins`` tells where those that are set were set."""
    values = {
        "enabled": str(policy.enabled).lower(),
        "lag_tolerance": duration_text(policy.interval),
        "require_fresh_data_from": policy.updates_on.value,
        "max_age": "none" if policy.max_age is None else duration_text(policy.max_age),
        "on_engine_upgrade": policy.on_engine_upgrade.value,
    }
    given = origins or {}
    return tuple(
        PolicyLine(key, value, next((given[name] for name in _NAMES.get(key, (key,)) if name in given), "default"))
        for key, value in values.items()
    )


_NAMES = {
    "lag_tolerance": ("lag_tolerance", "count", "defaults.lag_tolerance"),
    "require_fresh_data_from": ("require_fresh_data_from", "updates_on", "defaults.updates_on"),
}
"""The names under which one setting can have been given, the strongest first."""


def _input_line(node: str, label: str, recorded: DataVersion | None, observed: DataVersion | None) -> InputLine:
    same = observed is not None and same_data(recorded, observed)
    note = next((version.why for version in (observed, recorded) if isinstance(version, Unknown)), "")
    return InputLine(node, label or node_text(node), _token(recorded), _token(observed), same, note)


def _token(version: DataVersion | None) -> str | None:
    return version.token if isinstance(version, Known) else None
