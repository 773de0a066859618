"""What a plan takes for given: changes that did not happen, and a moment that is still to come. Nothing of it is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.core.node import Kind, Node, NodeId
from afresh.core.version import PartChange, PartGroup
from afresh.orchestration.closure import reach
from afresh.render.views import Assumed, AssumedChange

if TYPE_CHECKING:
    from datetime import datetime

    from afresh.core.observation import Observation
    from afresh.orchestration.host import Host
    from afresh.render.views import ChangeWord

ASSUMED = "assumed"
"""What stands in the place of a version that nothing recorded equals."""

_ASSUMED_PART = PartChange("an assumed edit", PartGroup.CODE, "", ASSUMED)


@dataclass(frozen=True)
class WhatIf:
    """``changed``: sources with new data, and nodes that were edited. ``at``: when the run would start."""

    changed: tuple[NodeId, ...] = ()
    at: datetime | None = None


NOTHING = WhatIf()


class Assumptions:
    """What the changes that are assumed mean for one selection.

    A node that is selected counts as edited, so it is built. One that is not selected counts as built by another run.
    """

    def __init__(self, host: Host, changed: tuple[NodeId, ...]) -> None:
        self._host = host
        self._changed = tuple(map(host.node, changed))
        selected = set(host.selected)
        self._edited = {node.id for node in self._changed if node.id in selected and node.kind is not Kind.EPHEMERAL}

    @property
    def new_data(self) -> frozenset[str]:
        """The ids and keys of what has new data and is not built in this plan."""
        outside = [node for node in self._changed if node.id not in self._edited and node.kind is not Kind.EPHEMERAL]
        return frozenset(name for node in outside for name in (node.id, node.key) if name is not None)

    def seen(self, seen: Observation) -> Observation:
        """A node as it would be seen: one that was edited has changed code, as have its unit tests and what it is inlined into."""
        return replace(seen, code_changes=(*seen.code_changes, _ASSUMED_PART)) if self._is_edited(seen.node) else seen

    def _is_edited(self, node: Node) -> bool:
        tested = node.parents if node.kind is Kind.UNIT_TEST else ()
        if node.id in self._edited or any(changed.id in tested and changed.kind is not Kind.SOURCE for changed in self._changed):
            return True
        return any(changed.kind is Kind.EPHEMERAL and self._inlines(node, changed.id) for changed in self._changed)

    def _inlines(self, node: Node, ephemeral: NodeId) -> bool:
        above = [self._host.node(parent) for parent in node.parents]
        return any(one.id == ephemeral or self._inlines(one, ephemeral) for one in above if one.kind is Kind.EPHEMERAL)

    def told(self, at: datetime | None) -> Assumed | None:
        """What is assumed, as a plan says it; ``None`` where nothing is."""
        changes = tuple(AssumedChange(node.id, self._host.label(node.id), self._change(node)) for node in self._changed)
        return Assumed(at, changes) if changes or at is not None else None

    def _change(self, node: Node) -> ChangeWord:
        if node.kind is Kind.SOURCE:
            return "new_data"
        return "edited" if node.id in self._edited or node.kind is Kind.EPHEMERAL else "built"

    def without_effect(self) -> tuple[NodeId, ...]:
        """Changes that make no difference, because nothing that is selected is concerned by them."""
        reached = set(reach(self._host, self._host.selected)) if self._changed else set()
        return tuple(node.id for node in self._changed if node.id not in reached)
