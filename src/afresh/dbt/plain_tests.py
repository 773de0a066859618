"""Data tests whose SQL is known in advance: dbt's own four, applied in the ordinary way.

They read the relations that dbt's graph lists and nothing that moves. Most tests of most projects are of this kind; not
parsing their SQL keeps recording cheap.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from afresh.fingerprint.node_code import NodeCode

_ARGUMENTS = {
    "not_null": frozenset({"model", "column_name"}),
    "unique": frozenset({"model", "column_name"}),
    "accepted_values": frozenset({"model", "column_name", "values", "quote"}),
    "relationships": frozenset({"model", "column_name", "to", "field"}),
}
_MACROS = ("get_where_subquery", "should_store_failures")
_TARGET = r"(?:ref|source)\('[\w.]+'(?:,\s*'[\w.]+')?\)"
_MODEL = re.compile(r"\{\{ get_where_subquery\(" + _TARGET + r"\) \}\}")
_TO = re.compile(_TARGET)
_COLUMN = re.compile(r"(?!(?:current|local|session|system|sys|utc|user|now|today))[A-Za-z_]\w*", re.IGNORECASE)
"""A plain column; names that some engine takes for a call are left to the parser."""
_LITERAL = re.compile(r"[\w .:/-]*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def is_plain_test(code: NodeCode, *, is_dbts_own: Callable[[str], bool]) -> bool:
    """Whether a node is such a test. ``is_dbts_own`` says whether only dbt and the adapter answer to a macro's name."""
    test = code.test
    if test is None or test.namespace is not None or test.name not in _ARGUMENTS or code.config.get("where"):
        return False
    arguments = {name: value for name, value in test.kwargs.items() if value is not None}
    if not arguments.keys() <= _ARGUMENTS[test.name] or not all(_is_plain(name, value) for name, value in arguments.items()):
        return False
    if not all(_is_plain_value(value, quoted=bool(arguments.get("quote", True))) for value in arguments.get("values", ())):
        return False
    return all(is_dbts_own(name) for name in (f"test_{test.name}", *_MACROS))


def _is_plain(name: str, value: Any) -> bool:
    if name == "values":
        return isinstance(value, list)
    if name == "quote":
        return isinstance(value, bool)
    pattern = {"model": _MODEL, "to": _TO}.get(name, _COLUMN)
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_plain_value(value: Any, *, quoted: bool) -> bool:
    pattern = _LITERAL if quoted else _NUMBER
    return isinstance(value, (str, int)) and pattern.fullmatch(str(value)) is not None
