"""What goes on at one moment and how things stand: as values, for a terminal, as JSON, and as the news since the last look."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from afresh.core.reason import TooSoon
from afresh.render.layout import NARROWEST, Paint, columns, cut
from afresh.render.views import RunSummary
from afresh.render.words import counted, duration_text, listed, moment_text, node_text, one_line, rough_duration, run_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from afresh.render.views import LeaseLine, PlanRow

StateWord = Literal["building", "waiting", "failed", "due", "skipped", "tolerated", "current"]
STATES: dict[StateWord, str] = {
    "building": "blue",
    "waiting": "magenta",
    "failed": "red",
    "due": "yellow",
    "skipped": "yellow",
    "tolerated": "cyan",
    "current": "green",
}
"""How a node can stand, in the order in which a reader asks, and its colour."""

GONE = "gone"
"""How a run ended that never said so, and is silent."""
LIMIT = 20
"""How many nodes are listed unless all are asked for; those that are current are counted only."""


_NOTHING = RunSummary(0, 0, 0)


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run, at work or ended. ``outcome`` is empty while it is at work."""

    run_id: str
    command: str
    target: str
    job: str
    host: str
    pid: int
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str = ""
    summary: RunSummary = _NOTHING
    """What it did; nothing is known of that while it is at work."""


@dataclass(frozen=True, slots=True)
class WaitLine:
    """Who waits for whom since when. ``subject`` is a node, or a database file."""

    subject: str
    run_id: str
    for_run: str
    host: str
    pid: int
    job: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NodeLine:
    """How a node stands in a target."""

    row: PlanRow
    state: StateWord
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """All of it at one moment; ``now`` is in the reader's time zone."""

    place: str
    now: datetime
    at_work: tuple[RunLine, ...] = ()
    ended: tuple[RunLine, ...] = ()
    leases: tuple[LeaseLine, ...] = ()
    waits: tuple[WaitLine, ...] = ()
    nodes: tuple[NodeLine, ...] = ()


def status_text(status: Status, *, width: int, color: bool, limit: int | None = LIMIT) -> str:
    """The whole of it; ``limit`` cuts the list of nodes, ``None`` shows every node."""
    paint, width = Paint(color), max(width, NARROWEST)
    sections = (
        [paint(cut(f"State at {status.now:%H:%M:%S} in {one_line(status.place)}", width), "bold")],
        _section("At work", [_run(run, status) for run in status.at_work], paint, width) or ["No run is at work."],
        _section("Waiting", [_wait(wait, status) for wait in status.waits], paint, width),
        _section("Leases", [_lease(lease, status) for lease in status.leases], paint, width),
        _section("Last runs", [_ended(run, status) for run in status.ended], paint, width),
        _nodes(status, paint, width, limit),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines) + "\n"


def counts_text(status: Status) -> str:
    """``67 nodes: 1 failed, 3 due, 63 current``."""
    counts = Counter(node.state for node in status.nodes)
    return (
        counted(len(status.nodes), "node")
        + ": " * bool(counts)
        + ", ".join(f"{counts[state]:,} {state}" for state in STATES if counts[state])
    )


def _section(title: str, rows: Sequence[Sequence[str]], paint: Paint, width: int) -> list[str]:
    if not rows:
        return []
    lines = ["  " + "".join(cells) for cells in columns(rows)]
    return [paint(f"{title} ({len(rows):,})", "bold"), *(cut(line.rstrip(), width) for line in lines)]


def _run(run: RunLine, status: Status) -> tuple[str, ...]:
    building = [node_text(lease.subject) for lease in status.leases if lease.run_id == run.run_id and lease.building]
    waiting = sum(wait.run_id == run.run_id for wait in status.waits)
    doing = [f"builds {listed(building)}"] if building else []
    doing += [f"{waiting:,} waiting"] if waiting else []
    return (
        run_text(run.run_id),
        _since(run.started_at, status),
        one_line(run.job or run.target),
        "; ".join(doing),
        one_line(run.command),
    )


def _wait(wait: WaitLine, status: Status) -> tuple[str, ...]:
    whom = f"for run {run_text(wait.for_run)}{_job(wait.job)}, pid {wait.pid} on {one_line(wait.host)}"
    return one_line(node_text(wait.subject)), _since(wait.since, status), f"run {run_text(wait.run_id)}", whom


def _lease(lease: LeaseLine, status: Status) -> tuple[str, ...]:
    whose = f"run {run_text(lease.run_id)}{_job(lease.job)}, pid {lease.pid} on {one_line(lease.host)}"
    until = f"runs out in {_seconds(lease.expires_at, status.now)} unless it is renewed"
    return one_line(node_text(lease.subject)), _since(lease.since, status), "building" if lease.building else "held", whose, until


def _ended(run: RunLine, status: Status) -> tuple[str, ...]:
    when = moment_text(run.started_at, status.now)
    return run_text(run.run_id), when, one_line(run.job or run.target), run.outcome, took(run), numbers(run.summary), one_line(run.command)


def took(run: RunLine) -> str:
    """How long a run took; empty while it is at work."""
    return "" if run.finished_at is None else rough_duration((run.finished_at - run.started_at).total_seconds())


def numbers(summary: RunSummary) -> str:
    """``2 built, 40 reused, 1 failed``."""
    counts = (("built", summary.built), ("reused", summary.reused), ("failed", summary.failed), ("skipped", summary.skipped))
    return ", ".join(f"{count:,} {word}" for word, count in counts if count) or "nothing"


def _nodes(status: Status, paint: Paint, width: int, limit: int | None) -> Iterator[str]:
    if not status.nodes:
        yield "Nothing was decided yet."
        return
    yield paint(counts_text(status), "bold")
    order = list(STATES)
    told = sorted((node for node in status.nodes if limit is None or node.state != "current"), key=lambda node: order.index(node.state))
    shown = told[:limit]
    several = len({node.target for node in status.nodes}) > 1
    cells = list(columns([_node(node, status, several=several) for node in shown])) if shown else []
    for node, row in zip(shown, cells, strict=True):
        line = cut("  " + "".join(row).rstrip(), width)
        yield line.replace(node.state, paint(node.state, STATES[node.state]), 1)
    if len(told) > len(shown):
        yield f"  and {len(told) - len(shown):,} more; `--all` lists every node"


def _node(node: NodeLine, status: Status, *, several: bool) -> tuple[str, ...]:
    row, last = node.row, node.row.last_build
    name = one_line(node_text(row.unique_id)) + (f" in {one_line(node.target or 'an unknown target')}" if several else "")
    built = (
        "never built" if last is None or last.finished_at is None else f"built {moment_text(last.finished_at, status.now)}{_by(last.job)}"
    )
    return node.state, name, built, _why(node, status)


def _why(node: NodeLine, status: Status) -> str:
    row = node.row
    if node.state == "current" or not row.reasons:
        return ""
    reason = row.reasons[0]
    due = "" if row.due_at is None or node.state != "tolerated" else f"due at {moment_text(row.due_at, status.now)}: "
    told = "too soon" if due and reason.code == TooSoon.code else one_line(reason.text)  # its text says again when it is due
    return due + told


def _job(job: str) -> str:
    return f" of {one_line(job)}" if job else ""


def _by(job: str) -> str:
    return f" by {one_line(job)}" if job else ""


def _since(at: datetime, status: Status) -> str:
    return _seconds(status.now, at)


def _seconds(later: datetime, earlier: datetime) -> str:
    """Whole seconds: what changes while one looks should not flicker."""
    return " ".join(duration_text(later - earlier).split()[:2])


# --- news -------------------------------------------------------------------------------------------------------------


def news(before: Status, now: Status) -> Iterator[str]:
    """What happened between two looks, a line each."""
    known = {run.run_id for run in (*before.at_work, *before.ended)}
    for run in now.at_work:
        if run.run_id not in known:
            yield f"run {run_text(run.run_id)} began: {one_line(run.command)}"
    held = {(lease.subject, lease.run_id) for lease in before.leases if lease.building}
    for lease in now.leases:
        if lease.building and (lease.subject, lease.run_id) not in held:
            yield f"run {run_text(lease.run_id)} builds {one_line(node_text(lease.subject))}"
    yield from _news_of_waits(before, now)
    ended = {run.run_id for run in before.ended}
    for run in reversed(now.ended):
        if run.run_id not in ended:
            yield f"run {run_text(run.run_id)} " + ("is gone" if run.outcome == GONE else f"ended: {run.outcome}, {numbers(run.summary)}")
    stood = {(node.row.unique_id, node.target): node.state for node in before.nodes}
    for node in now.nodes:
        state = stood.get((node.row.unique_id, node.target))
        if state != node.state and (state or node.state != "current"):
            yield f"{one_line(node_text(node.row.unique_id))} is {node.state}" + (f", was {state}" if state else "")


def _news_of_waits(before: Status, now: Status) -> Iterator[str]:
    old = {(wait.subject, wait.run_id, wait.for_run): wait for wait in before.waits}
    new = {(wait.subject, wait.run_id, wait.for_run): wait for wait in now.waits}
    for key, wait in new.items():
        if key not in old:
            yield f"run {run_text(wait.run_id)} waits for run {run_text(wait.for_run)}: {one_line(node_text(wait.subject))}"
    for key, wait in old.items():
        if key not in new:
            took = _seconds(now.now, wait.since)
            yield f"run {run_text(wait.run_id)} has waited {took} for run {run_text(wait.for_run)}: {one_line(node_text(wait.subject))}"
