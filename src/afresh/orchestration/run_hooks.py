"""What the hooks at the start and at the end of a run wrote into relations of ours (semantics §4, "Post-build tokens").

A write of our own hooks is no change from outside, and it is a new version for whoever reads the relation. Whatever is
written between the first and the last hook is taken for theirs. Database files that this process holds are the
:class:`~afresh.orchestration.watch.Watch`'s business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.orchestration.closure import is_derived
from afresh.orchestration.ids import new_id
from afresh.orchestration.readings import converse
from afresh.store import Settlement
from afresh.warehouse.probe import Purpose, token_of
from afresh.warehouse.tokens import narrowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from afresh.core.relation import TraceKey
    from afresh.core.trace import Trace
    from afresh.orchestration.host import Host
    from afresh.orchestration.watch import Watch
    from afresh.store import StateStore
    from afresh.warehouse.probe import ProbeAnswer


class RunHooks:
    """Compares what hooks may write before they run and afterwards."""

    def __init__(self, host: Host, store: StateStore, watch: Watch) -> None:
        self._host = host
        self._store = store
        self._watch = watch
        self._traces: tuple[Trace, ...] = ()
        self._before: Mapping[TraceKey, ProbeAnswer] = {}

    def before(self, keys: Iterable[TraceKey]) -> None:
        """Look at the relations of ours that this run knows, before the first hook."""
        self._traces, self._before = (), {}
        traces = self._store.snapshot(keys).traces.values()
        self._traces = tuple(trace for trace in traces if trace.test is None and not is_derived(trace))
        if self._watch.settles_at_end:
            self._watch.hooks_begin(self._traces)
        else:
            self._before = self._look()

    def after(self, statements: Sequence[str]) -> None:
        """Look again after the last hook, and record what they changed. ``statements`` is the SQL that they sent."""
        if self._watch.settles_at_end:
            self._watch.hooks_ended(statements)
            return
        now = self._look()
        settled = [found for trace in self._traces if (found := self._settled(trace, now)) is not None]
        if settled:
            self._store.settle_all(settled)

    def _look(self) -> Mapping[TraceKey, ProbeAnswer]:
        targets = (self._host.target_of_key(trace.key, purpose=Purpose.OWN) for trace in self._traces)
        return converse(self._host.engine.probe([target for target in targets if target is not None]), self._host)

    def _settled(self, trace: Trace, now: Mapping[TraceKey, ProbeAnswer]) -> Settlement | None:
        before, after = self._before.get(trace.key), now.get(trace.key)
        if before is None or after is None or token_of(before) == (token := token_of(after)) or token is None:
            return None
        if self._host.engine.outside_change(trace.outside_token, before) is not None:
            return None  # somebody else wrote it before the hooks did, and that must be seen by the next run
        kept = None if trace.outside_token is None else narrowed(token, trace.outside_token)
        return Settlement(trace.key, trace.build_id, kept, new_id())
