"""Unit tests: their fixtures and overrides, and the code of the model they test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.core.version import Part
from afresh.fingerprint.digest import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afresh.fingerprint.node_code import NodeCode


def unit_test_parts(code: NodeCode) -> dict[str, Part]:
    """``model``, ``given``, ``expect``, ``overrides``, ``fixture.<file>``, and ``tested.<part>`` for each part of the tested model."""
    return dict(_parts(code))


def _parts(code: NodeCode) -> Iterator[tuple[str, Part]]:
    test = code.unit_test
    if test is None:
        return
    yield "model", Part(digest_of([test.model, test.version]), shown=test.model)
    yield "given", Part(digest_of(list(test.given)))
    yield "expect", Part(digest_of(test.expect))
    yield "overrides", Part(digest_of({key: value for key, value in test.overrides.items() if value}))
    for name, digest in test.fixtures.items():
        yield f"fixture.{name}", Part(digest)
    for name, digest in test.tested.items():
        yield f"tested.{name}", Part(digest)
