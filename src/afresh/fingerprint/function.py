"""User-defined functions: their signature. The body is the node's text; language, volatility and the like are configs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afresh.core.version import Part
from afresh.fingerprint.digest import digest_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from afresh.fingerprint.node_code import NodeCode

_DESCRIBES = ("description", "meta", "tags", "docs")
_FILLED_IN = ("compiled_body", "unrendered_body")


def function_parts(code: NodeCode) -> dict[str, Part]:
    """``arguments`` in order, ``returns``, ``overloads``, ``language``."""
    return dict(_parts(code))


def _parts(code: NodeCode) -> Iterator[tuple[str, Part]]:
    yield "language", Part(digest_of(code.language), shown=code.language)
    function = code.function
    if function is None:
        return
    arguments = [_without_descriptions(argument) for argument in function.arguments]
    returns = _without_descriptions(function.returns)
    yield "arguments", Part(digest_of(arguments), shown=shown(arguments))
    yield "returns", Part(digest_of(returns), shown=shown(returns))
    if function.overloads:
        yield "overloads", Part(digest_of([_overload(overload) for overload in function.overloads]))


def _overload(overload: Mapping[str, Any]) -> dict[str, Any]:
    said = {key: value for key, value in _without_descriptions(overload).items() if key not in _FILLED_IN}
    said["arguments"] = [_without_descriptions(argument) for argument in overload.get("arguments") or ()]
    said["returns"] = _without_descriptions(overload.get("returns") or {})
    return said


def _without_descriptions(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in _DESCRIBES and value is not None}
