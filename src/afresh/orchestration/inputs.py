"""The data versions that a build reads, taken before its SQL starts (semantics §1, "A trace holds")."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from afresh.config.node_settings import COMPLETE
from afresh.core.node import Kind
from afresh.core.relation import TraceKey
from afresh.core.trace import RecordedInput
from afresh.core.version import Unknown
from afresh.orchestration.observing import inputs_of
from afresh.orchestration.versions import UNDECLARED

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from afresh.core.node import Node
    from afresh.orchestration.code_types import DeclaredReads
    from afresh.orchestration.observing import Eyes
    from afresh.orchestration.readings import Readings
    from afresh.warehouse.probe import Target


_EVERY_TIME = {
    Kind.VIEW: "what reads the view {} is built every time",  # the view keeps no data, so it stays as it is
    Kind.DATA_TEST: "the test {} runs every time",
}


class InputsRead:
    """The inputs of one build. First those of the graph; once the SQL is compiled, those that only the SQL names."""

    def __init__(self, node: Node, eyes: Eyes, readings: Readings, recorded: tuple[RecordedInput, ...]) -> None:
        self._node = node
        self._eyes = eyes
        self._readings = readings
        self._recorded = recorded
        self.at = eyes.picture.clock()
        self._began = time.monotonic()
        self.date = eyes.host.current_date()

    @classmethod
    def before(cls, node: Node, eyes: Eyes, readings: Readings) -> InputsRead:
        """Read the versions of everything that is known to be read."""
        is_view = node.kind is Kind.VIEW
        without = eyes.cycles.closing(node.id, eyes.picture).keys()
        recorded = tuple(
            RecordedInput(entry.name, entry.key, eyes.versions.of(entry, without=without), eyes.versions.signature(entry, look=is_view))
            for entry in inputs_of(node, None, eyes)
        )
        return cls(node, eyes, readings, recorded)

    def elapsed(self) -> timedelta:
        """How long ago the inputs were read. Added to a moment of the state database's clock, it stays on that clock."""
        return timedelta(seconds=time.monotonic() - self._began)

    @property
    def recorded(self) -> tuple[RecordedInput, ...]:
        """What goes into the trace."""
        return self._recorded

    def add_undeclared(self, reads: DeclaredReads) -> None:
        """Read the versions of what the compiled SQL names beyond the graph; none of it has been sent yet."""
        settings = self._eyes.host.settings(self._node.id)
        if settings.inputs == COMPLETE:
            return
        targets = tuple(target for target in self._targets(reads) if not self._is_known(target))
        self._readings.read(self._readings.missing(targets))
        named = [target.relation.key for target in targets]
        without = self._eyes.cycles.closing(self._node.id, self._eyes.picture, named).keys()
        found = tuple(self._of_target(target, without) for target in targets)
        opaque = () if settings.inputs is not None else reads.opaque
        unresolved = tuple(RecordedInput(f"{UNDECLARED}{why}", None, Unknown(why)) for why in opaque)
        self._warn(opaque)
        self._recorded = (*self._recorded, *found, *unresolved)

    def _targets(self, reads: DeclaredReads) -> tuple[Target, ...]:
        host = self._eyes.host
        relations = (host.target(relation, None) for relation in sorted(reads.relations))
        return (*relations, *(host.file_target(pattern) for pattern in sorted(reads.files)))

    def _is_known(self, target: Target) -> bool:
        key = target.relation.key
        return key == self._node.key or any(entry.key == key for entry in self._recorded)

    def _of_target(self, target: Target, without: AbstractSet[TraceKey]) -> RecordedInput:
        entry = self._eyes.versions.input_of_record(RecordedInput(_name(target.relation.key), target.relation.key, Unknown("")))
        version = self._eyes.versions.of(entry, without=without)
        return RecordedInput(_name(target.relation.key), target.relation.key, version, self._eyes.versions.signature(entry))

    def _warn(self, opaque: tuple[str, ...]) -> None:
        every_time = _EVERY_TIME.get(self._node.kind, "{} is built every time").format(self._node.name)
        for text in opaque:
            self._eyes.host.say(
                f"undeclared:{self._node.id}:{text}",
                f"{every_time}: {text}. Name what it reads with `state.inputs: [...]`, or say `state.inputs: complete`",
            )


def _name(key: TraceKey) -> str:
    return f"relation:{key}"
