"""Whether something that does not share this state wrote our relations (semantics §2, row 9; §4, "Post-build tokens").

The watch begins before the first decision, and ends by recording how this run leaves each relation that it built.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.core.node import ResourceType
from afresh.core.relation import relation_of_key
from afresh.orchestration.host import BuildEnd, BuildReport
from afresh.orchestration.ids import new_id
from afresh.orchestration.readings import converse
from afresh.store import ProbeMemo, Settlement
from afresh.warehouse.probe import NO_CHAINS, Built, FileChain, Held, Purpose, token_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from afresh.core.node import Node
    from afresh.core.observation import OutsideChange
    from afresh.core.relation import TraceKey
    from afresh.core.trace import Signature, Trace
    from afresh.orchestration.host import Host
    from afresh.store import StateStore
    from afresh.warehouse.probe import AfterBuild, Chains, Outside

_CHAIN = "chain:"
_WRITTEN_INTO = frozenset({"incremental", "seed", "snapshot"})
"""Materializations that write into the relation there is, so that its counters go on from where they were."""


@dataclass(frozen=True)
class _BeforeHooks:
    """Database files, and what was in them, before the first hook."""

    chains: Chains
    built: Mapping[TraceKey, AfterBuild]
    traces: tuple[Trace, ...]


class Watch:
    """What this run knows of the relations that jobs of this store built."""

    def __init__(self, host: Host, store: StateStore, run_id: str) -> None:
        self._host = host
        self._store = store
        self._run_id = run_id
        self._chains: Chains = NO_CHAINS
        self._has_arrived = False
        self._seen: dict[str, Outside] = {}
        self._built: dict[TraceKey, tuple[Trace, BuildReport]] = {}
        self._before: dict[TraceKey, str] = {}
        self._columns: dict[str, Signature | None] = {}
        self._hooks: _BeforeHooks | None = None
        self._lock = threading.Lock()

    # --- before anything is decided -----------------------------------------------------------------------------------

    def arrive(self) -> None:
        """See how the database files were left, and count it if somebody else has written to them since. Once per run."""
        if self._has_arrived:
            return
        paths = tuple(self._host.files_to_lock())
        stored = self._store.probe_memos(_CHAIN + path for path in paths)
        chains = {key.removeprefix(_CHAIN): FileChain(int(memo.token), memo.guard or None) for key, memo in stored.items()}
        self._chains = converse(self._host.engine.arrive(chains), self._host)
        self._remember_chains()
        self._has_arrived = True

    def _remember_chains(self) -> None:
        if self._chains.files and not self._host.only_looks:
            at = self._store.now()
            memos = {_CHAIN + path: ProbeMemo(chain.left or "", str(chain.epoch), at) for path, chain in self._chains.files.items()}
            self._store.remember_probes(memos)

    def look(self, traces: Iterable[Trace]) -> None:
        """Ask about all of these relations at once."""
        wanted = {trace.build_id: trace for trace in traces if self._concerns(trace)}
        held = {build_id: self._held(trace) for build_id, trace in wanted.items()}
        answers = converse(self._host.engine.outside([entry for entry in held.values() if entry], self._chains), self._host)
        with self._lock:
            for build_id, trace in wanted.items():
                if trace.key in answers:
                    self._seen[build_id] = answers[trace.key]
        self._store_refreshed(wanted.values(), answers)

    def _concerns(self, trace: Trace) -> bool:
        """Functions hold no data, and no engine is asked how they are defined now."""
        is_asked = trace.test is None and trace.resource_type is not ResourceType.FUNCTION
        return is_asked and trace.build_id not in self._seen and trace.run_id != self._run_id

    def _held(self, trace: Trace) -> Held | None:
        target = self._host.target_of_key(trace.key, purpose=Purpose.OWN)
        return None if target is None else Held(target, trace.outside_token)

    def _store_refreshed(self, traces: Iterable[Trace], answers: Mapping[TraceKey, Outside]) -> None:
        settled = [
            Settlement(trace.key, trace.build_id, answer.refreshed)
            for trace in traces
            if (answer := answers.get(trace.key)) is not None and answer.change is None and answer.refreshed is not None
        ]
        if settled and not self._host.only_looks:
            self._store.settle_all(settled)

    def change(self, trace: Trace) -> OutsideChange | None:
        """Whether a relation was written by somebody else after the build of this trace."""
        if not self._concerns(trace) and trace.build_id not in self._seen:
            return None
        if trace.build_id not in self._seen:
            self.look((trace,))
        found = self._seen.get(trace.build_id)
        return None if found is None else found.change

    # --- after builds -------------------------------------------------------------------------------------------------

    @property
    def settles_at_end(self) -> bool:
        """Whether tokens are read once at the end of the run: of database files, which this process holds till then."""
        return bool(self._chains.files)

    def about_to_build(self, node: Node, last: Trace | None) -> None:
        """Note how the counters of a relation stand before we write into it: afterwards they tell whether only we did."""
        if self.settles_at_end or not self._host.engine.sees_outside_writes:
            return
        if last is None or last.outside_token is None or node.materialized not in _WRITTEN_INTO:
            return
        target = self._host.target_of_key(last.key, purpose=Purpose.OWN)
        found = converse(self._host.engine.probe([target]), self._host) if target is not None else {}
        if last.key in found and (token := token_of(found[last.key])) is not None:
            self._before[last.key] = token

    def built(self, trace: Trace, report: BuildReport) -> AfterBuild | None:
        """Note a build of this run. Where the engine tells at once what stands after it, that is returned."""
        if not self.settles_at_end:
            return self._after([(trace, report)]).get(trace.key)
        with self._lock:
            self._built[trace.key] = (trace, report)
        return None

    def declared(self, trace: Trace) -> AfterBuild | None:
        """As :meth:`built`, of a relation that is declared to be as it stands: what is seen of it now is ours, without any write."""
        target = self._host.target_of_key(trace.key, purpose=Purpose.OWN)
        if target is not None and not self.settles_at_end:
            found = converse(self._host.engine.probe([target]), self._host)
            token = token_of(found[trace.key]) if trace.key in found else None
            if token is not None:
                self._before[trace.key] = token
        return self.built(trace, BuildReport(BuildEnd.SUCCESS, may_have_written=False, rows=0))

    def columns(self, trace: Trace) -> Signature | None:
        """The columns of a relation as its last build left it; looked up where this run built it and has not settled it yet."""
        if trace.signature is not None or trace.run_id != self._run_id:
            return trace.signature
        if trace.build_id not in self._columns:
            target = self._host.target_of_key(trace.key, purpose=Purpose.OWN)
            found = converse(self._host.engine.columns((target,)), self._host) if target is not None else {}
            self._columns[trace.build_id] = found.get(trace.key)
        return self._columns[trace.build_id]

    def _after(self, builds: Iterable[tuple[Trace, BuildReport]]) -> Mapping[TraceKey, AfterBuild]:
        asked = []
        for trace, report in builds:
            target = self._host.target_of_key(trace.key, purpose=Purpose.OWN)
            if target is not None:
                materialized = self._host.node(trace.node).materialized
                asked.append(Built(target, materialized, report.rows, self._before.get(trace.key)))
        return converse(self._host.engine.post_build(asked, self._chains), self._host) if asked else {}

    # --- database files, at the end -----------------------------------------------------------------------------------

    def hooks_begin(self, traces: tuple[Trace, ...]) -> None:
        """Look at the files, and at what this run built in them, before the first hook."""
        self._hooks = None
        if self._host.checkpoint():
            chains = converse(self._host.engine.leave(self._chains), self._host)
            self._hooks = _BeforeHooks(chains, self._after(self._built.values()), traces)

    def hooks_ended(self, statements: Sequence[str]) -> None:
        """Record what the hooks did to relations of earlier runs; what they did to those of this run is found by :meth:`settle`."""
        if self._hooks is None or not self._host.checkpoint():
            return
        if converse(self._host.engine.leave(self._chains), self._host) != self._hooks.chains:
            settled = tuple(self._touched_by_hooks(self._hooks, "\n".join(statements).lower()))
            if settled:
                self._store.settle_all(settled)
        self._hooks = self._hooks if self._built else None

    def settle(self) -> bool:
        """After the on-run-end hooks: record how this run leaves its relations and the files that they live in.

        Says whether there was anything to settle and it could be done.
        """
        if not self.settles_at_end or not self._host.checkpoint():
            return False
        left = converse(self._host.engine.leave(self._chains), self._host)
        untouched = self._hooks is not None and self._hooks.chains == left
        after = self._hooks.built if self._hooks is not None and untouched else self._after(self._built.values())
        settled = tuple(self._settled(after))
        if settled:
            self._store.settle_all(settled)
        self._chains = left
        self._remember_chains()
        return True

    def _settled(self, after: Mapping[TraceKey, AfterBuild]) -> Iterator[Settlement]:
        for trace, _ in self._built.values():
            found = after.get(trace.key)
            if found is None:
                continue
            before = self._hooks.built.get(trace.key) if self._hooks is not None else None
            is_new = before is not None and before.outside_token != found.outside_token
            yield Settlement(trace.key, trace.build_id, found.outside_token, new_id() if is_new else None, found.signature)

    def _touched_by_hooks(self, hooks: _BeforeHooks, sent: str) -> Iterator[Settlement]:
        """Relations that earlier runs built and that hooks of this one wrote: only those that their SQL names can be."""
        named = [trace for trace in hooks.traces if trace.key not in self._built and _identifier(trace.key) in sent]
        targets = {trace.key: self._host.target_of_key(trace.key, purpose=Purpose.OWN) for trace in named}
        asked = [Built(target) for target in targets.values() if target is not None]
        after = converse(self._host.engine.post_build(asked, self._chains), self._host) if asked else {}
        for trace in named:
            found = after.get(trace.key)
            if found is not None and found.outside_token != trace.outside_token:
                yield Settlement(trace.key, trace.build_id, found.outside_token, new_id())


def _identifier(key: TraceKey) -> str:
    relation = relation_of_key(key)
    return "" if relation is None else relation.identifier.lower()
