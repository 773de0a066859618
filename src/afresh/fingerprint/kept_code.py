"""What is kept of a node so that another algorithm can derive its parts again (semantics §1, "Code version")."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from afresh.core.node import Kind, ResourceType
from afresh.fingerprint.config_parts import NEVER_COUNTED
from afresh.fingerprint.node_code import ColumnCode, FunctionCode, NodeCode, TestCode, UnitTestCode
from afresh.fingerprint.parts import static_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.core.version import Part

_RAW = "raw"


def parts_alone(code: NodeCode) -> Mapping[str, Part]:
    """The parts that compare by themselves: all that need no rendering, but the text that is rendered."""
    return {name: part for name, part in static_parts(code).items() if name != _RAW}


def kept_code(code: NodeCode) -> dict[str, Any]:
    """A node without what no part is derived from, as plain values for JSON. Columns keep their order."""
    is_python = code.language == "python"
    kept = replace(code, raw_code=code.raw_code if is_python else "", config=_kept_config(code))
    columns = [[name, asdict(replace(column, tags=(), meta={}))] for name, column in code.columns.items()]
    return {**asdict(replace(kept, columns={})), "columns": columns}


def _kept_config(code: NodeCode) -> Mapping[str, Any]:
    """A Python model may ask for any config; what else of the configs never counts need not be kept."""
    if code.language == "python" or code.config.get("labels_from_meta"):
        return dict(code.config)
    return {key: value for key, value in code.config.items() if key == "event_time" or key not in NEVER_COUNTED}


def code_of_kept(kept: Mapping[str, Any]) -> NodeCode:
    """The node that was kept. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
    given = dict(kept)
    return NodeCode(
        resource_type=ResourceType(given.pop("resource_type")),
        kind=Kind(given.pop("kind")),
        columns={name: ColumnCode(**column) for name, column in given.pop("columns")},
        test=_of(TestCode, given.pop("test")),
        unit_test=_of(UnitTestCode, given.pop("unit_test")),
        function=_of(FunctionCode, given.pop("function")),
        **given,
    )


def _of(kind: Any, value: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - one of the parts of a node
    return None if value is None else kind(**value)
