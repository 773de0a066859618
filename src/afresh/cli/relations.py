"""What the state holds of relations and tests, and which of them are meant on a command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.cli.explaining import same_input
from afresh.cli.node_names import named, short_name
from afresh.cli.overviewing import lease_line, standing
from afresh.core.relation import relation_of_key
from afresh.errors import UsageError
from afresh.render.json import last_build
from afresh.render.relation import RelationLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from afresh.core.relation import TraceKey
    from afresh.store import DecisionRecord, Snapshot, StateStore

_EVERY_NODE = "`afresh state show` lists every node of which something is recorded."


@dataclass(frozen=True, slots=True)
class Recorded:
    """A key of the state, and what is recorded under it."""

    key: TraceKey
    line: RelationLine


def recorded(store: StateStore) -> tuple[Recorded, ...]:
    """Everything that was ever built or decided and not forgotten since, in the order of names.

    Raises:
        UsageError: there is nothing.
    """
    seen = store.overview(recent=1)
    decided = {(record.row.key, record.row.node): record for record in seen.decided if record.row.key is not None}
    undecided = [(key, node) for key, node in store.recorded().items() if (key, node) not in decided]
    found = [_recorded(key, node, record, seen.seen, _target_of(record, seen.targets)) for (key, node), record in decided.items()]
    if undecided:
        more = store.snapshot(key for key, _ in undecided)
        found += [_recorded(key, node, None, more, _built_in(store, more, key)) for key, node in undecided]
    if not found:
        raise UsageError("there is no state yet", where=store.place, hint="Any build makes one, for example `afresh build`.")
    return tuple(sorted(found, key=lambda one: (short_name(one.line.node), one.line.target or "", one.key)))


def meant(known: Sequence[Recorded], names: Sequence[str], target: str | None) -> tuple[Recorded, ...]:
    """Those of named nodes, in every target or in one.

    Raises:
        UsageError: there is no such node or target, or a name stands for several nodes.
    """
    here = _in_target(known, target)
    wanted = set(named(names, [one.line.node for one in here], hint=_EVERY_NODE))
    return tuple(one for one in here if one.line.node in wanted)


def selected(
    known: Sequence[Recorded], selectors: Sequence[str], target: str | None, project_dir: Path, more: Sequence[str] = ()
) -> tuple[Recorded, ...]:
    """Those of the nodes that dbt's selectors select in a project; ``more`` are options of `dbt ls` that it needs for that.

    Raises:
        UsageError: dbt cannot tell, or nothing of it is recorded.
    """
    from afresh.dbt.compat import listing

    here = _in_target(known, target)
    wanted, shown = listing.selected(selectors, project_dir, target, more), " ".join(selectors)
    if not wanted:
        raise UsageError(f"`{shown}` selects nothing", where=str(project_dir), hint=f"`dbt ls --select {shown}` tells the same.")
    found = tuple(one for one in here if one.line.node in wanted)
    if not found:
        raise UsageError(f"nothing is recorded of what `{shown}` selects", hint="What was never built is built at its next run anyway.")
    return found


def _in_target(known: Sequence[Recorded], target: str | None) -> Sequence[Recorded]:
    here = [one for one in known if target is None or one.line.target == target]
    if not here:
        targets = sorted({one.line.target for one in known if one.line.target is not None})
        raise UsageError(f"nothing is recorded of a target called `{target}`", hint=f"Recorded are: {', '.join(targets) or 'none'}.")
    return here


def _target_of(record: DecisionRecord, targets: Mapping[str, str]) -> str | None:
    return None if record.last_run is None else targets.get(record.last_run)


def _built_in(store: StateStore, seen: Snapshot, key: TraceKey) -> str | None:
    run = store.run(seen.traces[key].run_id) if key in seen.traces else None
    return None if run is None else run.record.target


def _recorded(key: TraceKey, node: str, record: DecisionRecord | None, seen: Snapshot, target: str | None) -> Recorded:
    trace, held, relation = seen.traces.get(key), seen.held.get(key), relation_of_key(key)
    line = RelationLine(
        node=node,
        relation="" if relation is None else relation.name,
        target=target,
        resource_type=node.partition(".")[0],
        standing=standing(key, seen),
        lease=None if held is None else lease_line(held, seen),
        decided_at=None if record is None else record.last_at,
    )
    if trace is None:
        return Recorded(key, line)
    return Recorded(
        key,
        replace(
            line,
            relation_type=trace.relation_type,
            last_build=last_build(trace),
            version=trace.output_version,
            build_reasons=trace.reasons,
            test_status=None if trace.test is None else trace.test.status.value,
            columns=None if trace.signature is None else trace.signature.columns,
            inputs=tuple(same_input(entry.node, entry.version) for entry in trace.inputs),
        ),
    )
