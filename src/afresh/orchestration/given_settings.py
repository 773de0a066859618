"""The settings that were given for a node, as a decision remembers them: each with its value and with the file and line that set it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from afresh.config.node_settings import NodeSettings, SourceSignal, VolatileSql
from afresh.render.lines import policy_lines
from afresh.render.views import PolicyLine

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEFAULT = PolicyLine("", "").origin


def given_settings(settings: NodeSettings) -> str:
    """What was given, as JSON; defaults are left out."""
    if not settings.origins:
        return "[]"
    places = settings.places()
    lines = [
        *policy_lines(settings.policy, places),
        *(PolicyLine(key, value, places.get(key, _DEFAULT)) for key, value in _others(settings)),
    ]
    return json.dumps([[line.key, line.value, line.origin] for line in lines if line.origin != _DEFAULT], ensure_ascii=False)


def _others(settings: NodeSettings) -> Iterator[tuple[str, str]]:
    """What bears on decisions beside the policy."""
    if settings.inputs is not None:
        yield "inputs", settings.inputs if isinstance(settings.inputs, str) else ", ".join(settings.inputs)
    if settings.static:
        yield "static", "true"
    if settings.evaluate_volatile_sql is not VolatileSql.AUTO:
        yield "evaluate_volatile_sql", settings.evaluate_volatile_sql.value
    if settings.source_signal is not SourceSignal.AUTO:
        yield "source_signal", settings.source_signal.value
