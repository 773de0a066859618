"""Comparing code with what is on record, once per node and trace."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from afresh.orchestration.host import CodeOnRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from afresh.core.node import NodeId
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Trace
    from afresh.orchestration.code_types import CodeComparison
    from afresh.orchestration.host import Host
    from afresh.store import StateStore


class CodeMemory:
    """Loads what the state keeps of the code of many traces at once, and remembers comparisons for one run."""

    def __init__(self, host: Host, store: StateStore) -> None:
        self._host = host
        self._store = store
        self._blobs: dict[str, bytes] = {}
        self._answers: dict[tuple[NodeId, str], CodeComparison] = {}
        self._fresher: dict[tuple[NodeId, str], tuple[TraceKey, str, bytes]] = {}
        self._lock = threading.Lock()

    def preload(self, traces: Iterable[Trace]) -> None:
        """Read the records of all these traces in one go."""
        digests = {digest for trace in traces for digest in (trace.depfile_digest, trace.compiled_digest) if digest}
        self._blobs.update(self._fetch(digests - self._blobs.keys()))

    def _fetch(self, digests: set[str]) -> Mapping[str, bytes]:
        return self._store.get_blobs(digests) if digests else {}

    def on_record(self, trace: Trace) -> CodeOnRecord:
        """What the state keeps of the code that made a trace."""
        self.preload((trace,))
        compiled = self._blobs.get(trace.compiled_digest)
        text = None if compiled is None else compiled.decode()
        return CodeOnRecord(trace, self._blobs.get(trace.depfile_digest), text)

    def compare(self, node_id: NodeId, trace: Trace) -> CodeComparison:
        """How the node's code differs from the trace; asked of the host once."""
        asked = (node_id, trace.build_id)
        with self._lock:
            known = self._answers.get(asked)
        if known is None:
            known = self._host.compare_code(node_id, self.on_record(trace))
            with self._lock:
                self._answers[asked] = known
                if known.depfile is not None and not known.changes and known.not_reusable is None:
                    self._fresher[asked] = (trace.key, trace.build_id, known.depfile)
        return known

    @property
    def fresher(self) -> tuple[tuple[TraceKey, str, bytes], ...]:
        """Newer records (key, build id, depfile) for traces whose code is the same although something that was read changed."""
        return tuple(self._fresher.values())

    def compiled(self, trace: Trace) -> str | None:
        """The SQL that the last build compiled, to be shown for a reused node."""
        return self.on_record(trace).compiled
