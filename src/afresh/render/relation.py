"""What is recorded of a relation or a test, as a value and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.render.layout import columns
from afresh.render.words import node_text, one_line, run_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from afresh.render.status import LeaseLine
    from afresh.render.views import InputLine, LastBuild, ReasonView


@dataclass(frozen=True, slots=True)
class RelationLine:
    """What is recorded of one relation or test, of which a node is (or was) in charge."""

    node: str
    relation: str
    """As people know it; empty for a test."""
    target: str | None
    """Of the run that came to it last; ``None`` where that run's own record was pruned."""
    resource_type: str
    relation_type: str = ""
    last_build: LastBuild | None = None
    """``None``: no build is recorded."""
    version: str | None = None
    build_reasons: tuple[str, ...] = ()
    """Codes of the reasons for the last build."""
    test_status: str | None = None
    columns: tuple[tuple[str, str], ...] | None = None
    inputs: tuple[InputLine, ...] = ()
    standing: tuple[ReasonView, ...] = ()
    lease: LeaseLine | None = None
    decided_at: datetime | None = None
    """When a run came to it last, built or reused."""


def named_lines(lines: Sequence[RelationLine]) -> list[str]:
    """One line for each: the node, its relation, its target, and who is building it."""
    rows = [(one_line(node_text(line.node)), one_line(line.relation) or "-", _target(line), _builder(line)) for line in lines]
    return ["  " + "".join(cells).rstrip() for cells in columns(rows)] if rows else []


def _target(line: RelationLine) -> str:
    return "" if line.target is None else f"in {one_line(line.target)}"


def _builder(line: RelationLine) -> str:
    lease = line.lease
    return f"run {run_text(lease.run_id)} is building it" if lease is not None and lease.building else ""


def builders(lines: Iterable[RelationLine]) -> list[RelationLine]:
    """Those that a run is building now."""
    return [line for line in lines if line.lease is not None and line.lease.building]
