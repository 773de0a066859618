"""Data tests: their SQL (the node's text) and, for generic ones, what they are applied to and with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.version import Part
from afresh.fingerprint.digest import digest_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afresh.fingerprint.node_code import NodeCode


def data_test_parts(code: NodeCode) -> dict[str, Part]:
    """``test`` (which test), ``test.<argument>`` per argument, ``test.column``. Severity, where, limit and the like are configs."""
    return dict(_parts(code))


def _parts(code: NodeCode) -> Iterator[tuple[str, Part]]:
    if code.test is None:
        return
    name = [code.test.namespace, code.test.name]
    yield "test", Part(digest_of(name), shown=".".join(part for part in name if part))
    yield "test.column", Part(digest_of(code.test.column_name), shown=code.test.column_name or "")
    yield "test.attached_node", Part(digest_of(code.test.attached_node), shown=code.test.attached_node or "")
    for argument, value in code.test.kwargs.items():
        yield f"test.argument.{argument}", Part(digest_of(value), shown=shown(value))
