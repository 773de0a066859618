"""What stands around the nodes of a plan: what it takes for given, who is at work on its nodes, and its longest chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.render.layout import Paint, columns, hanging, wrapped
from afresh.render.words import counted, moment_text, node_text, one_line, rough_duration, run_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from afresh.render.views import Assumed, LeaseLine, PlanHead, PlanRow, Schedule

_CHANGE = {"new_data": "{} has new data", "edited": "{} was edited", "built": "{} was built by another run"}
_A_CHAIN = 2
_LONGEST_CHAIN, _FIRST, _LAST = 8, 3, 4


def assumed_text(assumed: Assumed, now: datetime | None) -> str:
    """What a what-if plan takes for given, in one sentence."""
    told = [] if assumed.at is None else [f"the run starts at {_in_full(assumed.at, now)}"]
    told += [_CHANGE[change.change].format(one_line(change.label)) for change in assumed.changes]
    return f"{', '.join(told)}. This is assumed, it has not happened."


def what_if_lines(head: PlanHead, paint: Paint, width: int) -> Iterator[str]:
    """The sentence below the title; nothing where a plan is of what is."""
    if head.what_if is not None:
        first, *rest = hanging("What if:", assumed_text(head.what_if, head.now), indent=9, width=width)
        yield first.replace("What if:", paint("What if:", "bold", "magenta"), 1)
        yield from rest


def lease_title(leases: Sequence[LeaseLine]) -> str:
    """What the list of leases is called."""
    return f"Taken by other runs at this moment ({len(leases):,})"


def lease_text(lease: LeaseLine, now: datetime | None) -> str:
    """Who holds a lease, and what for."""
    job = f" of {one_line(lease.job)}" if lease.job else ""
    doing = "builds it" if lease.building else "decides on it"
    return f"run {run_text(lease.run_id)}{job} {doing} since {moment_text(lease.since, now)}, pid {lease.pid} on {one_line(lease.host)}"


def lease_lines(head: PlanHead, paint: Paint, width: int) -> Iterator[str]:
    """Who holds the leases of a plan's nodes."""
    if head.leases:
        yield ""
        yield paint(lease_title(head.leases), "bold", "yellow")
        names = [cells[0] for cells in columns([(f"  {one_line(node_text(lease.subject))}", "") for lease in head.leases])]
        for name, lease in zip(names, head.leases, strict=True):
            yield from hanging(name, lease_text(lease, head.now), indent=len(name), width=width)


def path_text(rows: Sequence[PlanRow], schedule: Schedule | None) -> str:
    """The chain that no number of threads makes shorter; empty where it is a single node, or nothing is known."""
    if schedule is None or len(schedule.path) < _A_CHAIN:
        return ""
    names = {row.unique_id: one_line(row.name) for row in rows}
    chain = [names.get(node, node) for node in schedule.path]
    if len(chain) > _LONGEST_CHAIN:
        chain = [*chain[:_FIRST], f"{counted(len(chain) - _FIRST - _LAST, 'more node')}", *chain[-_LAST:]]
    return f"Longest chain, about {rough_duration(schedule.path_seconds)} with any number of threads: {' → '.join(chain)}."


def path_lines(rows: Sequence[PlanRow], schedule: Schedule | None, width: int) -> list[str]:
    """The same for a terminal."""
    told = path_text(rows, schedule)
    return wrapped(told, width) if told else []


def _in_full(at: datetime, now: datetime | None) -> str:
    return f"{at.astimezone(None if now is None else now.tzinfo):%Y-%m-%d %H:%M %Z}"
