"""The closing summary of a run and a plan, for a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from afresh.render.layout import NARROWEST, Paint, hanging, wrapped
from afresh.render.plan_frame import lease_lines, path_lines, what_if_lines
from afresh.render.views import estimate_of
from afresh.render.words import counted, display_width, duration_text, listed, node_text, one_line, padded, rough_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from afresh.render.views import Estimate, PlanHead, PlanRow, RunSummary, Schedule

GROUP_LIMIT = 50
"""How many nodes of a group a plan lists unless it is asked for all."""

_KIND_COLUMN_FROM = 120
"""The width from which there is room for what each node is."""


def summary_line(summary: RunSummary) -> str:
    """The one line that closes a run, in the words of the interface contract."""
    counts = [
        f"{summary.built:,} built",
        f"{summary.reused:,} reused ({summary.reused_verified:,} verified, {summary.reused_tolerated:,} tolerated)",
        f"{summary.cloned:,} cloned",
        *([f"{summary.failed:,} failed"] if summary.failed else []),
        *([f"{summary.skipped:,} skipped"] if summary.skipped else []),
    ]
    saved = "" if summary.saved_seconds is None else f" Saved about {_saved(summary.saved_seconds)}."
    return f"Afresh: {', '.join(counts)}.{saved} Deciding took {rough_duration(summary.deciding_seconds)}."


def _saved(seconds: float) -> str:
    return rough_duration(seconds) if seconds >= 1 else "0s"


@dataclass(frozen=True, slots=True)
class Group:
    """One block of a plan."""

    title: str
    colour: str
    rows: tuple[PlanRow, ...]
    folded: bool = False
    """Whether only its size is of interest unless everything is asked for."""


def groups(rows: Sequence[PlanRow]) -> list[Group]:
    """The rows of a plan by verdict, in the order in which a reader asks: what costs, what is open, what lags, what rests."""
    table = (
        ("To build", "yellow", "build", None),
        ("To clone", "blue", "clone", None),
        ("Not decided before other nodes have run", "magenta", "undetermined", None),
        ("Skipped", "red", "skip", None),
        ("Reused although something changed, as a setting allows", "cyan", "reuse", "tolerated"),
        ("Reused, nothing changed", "green", "reuse", "verified"),
    )
    return [
        Group(title, colour, tuple(row for row in rows if _in_group(row, word, confidence)), folded=confidence == "verified")
        for title, colour, word, confidence in table
    ]


def _in_group(row: PlanRow, decision: str, confidence: str | None) -> bool:
    return row.decision == decision and (decision != "reuse" or (row.confidence or "verified") == confidence)


def plan_text(
    rows: Sequence[PlanRow],
    head: PlanHead,
    *,
    width: int,
    color: bool,
    limit: int | None = GROUP_LIMIT,
) -> str:
    """A plan, grouped by verdict. ``limit`` cuts long groups and hides what is verified; ``None`` (``--all``) shows every node."""
    paint, width = Paint(color), max(width, NARROWEST)
    lines = [paint(f"Plan for target {head.target}: {counted(len(rows), 'node')}", "bold"), *what_if_lines(head, paint, width)]
    for group in groups(rows):
        if group.rows:
            lines += ["", *_group_lines(group, paint, width=width, limit=limit)]
    for warning in head.warnings:
        first, *rest = hanging("Warning:", one_line(warning), indent=9, width=width)
        lines += ["", first.replace("Warning:", paint("Warning:", "yellow"), 1), *rest]
    lines += lease_lines(head, paint, width)
    return "\n".join([*lines, "", *wrapped(plan_line(rows, head.schedule), width), *path_lines(rows, head.schedule, width)]) + "\n"


def plan_line(rows: Sequence[PlanRow], schedule: Schedule | None = None) -> str:
    """The numbers of a plan in one line."""
    if not rows:
        return "Nothing is selected."
    build, clone, undetermined, skip, tolerated, verified = (len(group.rows) for group in groups(rows))
    counts = [
        f"{build:,} to build",
        f"{verified + tolerated:,} reused ({verified:,} verified, {tolerated:,} tolerated)",
        f"{clone:,} to clone",
        *([f"{undetermined:,} not decided yet"] if undetermined else []),
        *([f"{skip:,} skipped"] if skip else []),
    ]
    return f"Plan: {', '.join(counts)}.{_takes(estimate_of(rows, schedule))}"


def _takes(whole: Estimate) -> str:
    if not whole.nodes or whole.seconds is None:
        return ""
    covers = "" if whole.known == whole.nodes else f" for {whole.known:,} of {counted(whole.nodes, 'node')}; the rest has no history"
    took = whole.schedule
    if took is None or rough_duration(took.seconds) == rough_duration(whole.seconds):
        return f" Building takes about {rough_duration(whole.seconds)}{covers}."
    return f" Building takes about {rough_duration(took.seconds)} with {counted(took.threads, 'thread')}{covers}."


def _group_lines(group: Group, paint: Paint, *, width: int, limit: int | None) -> Iterator[str]:
    yield paint(f"{group.title} ({len(group.rows):,})", "bold", group.colour)
    if limit is not None and group.folded:
        return
    shown = group.rows if limit is None else group.rows[:limit]
    column = _name_column(shown, width)
    clock = max((len(estimate(row)) for row in shown), default=0)
    for row in shown:
        first, *rest = _row_lines(row, column=column, clock=clock, width=width)
        name = _name(row, width)
        yield first.replace(name, paint(name, group.colour), 1)
        yield from rest
    if len(shown) < len(group.rows):
        yield f"  … and {len(group.rows) - len(shown):,} more (--all shows them)"


def _row_lines(row: PlanRow, *, column: int, clock: int, width: int) -> list[str]:
    """The name, the time it takes and why; a name that is too long for its column has a line of its own."""
    name, took = f"  {_name(row, width)}", f"{estimate(row):>{clock}}  " if clock else ""
    indent = column + len(took)
    first, *rest = wrapped(row_text(row), max(width - indent, NARROWEST // 2))
    rest = [" " * indent + line for line in rest]
    if display_width(name) < column:
        return [(padded(name, column) + took + first).rstrip(), *rest]
    return [name, (" " * column + took + first).rstrip(), *rest]


def _name_column(rows: Sequence[PlanRow], width: int) -> int:
    """Wide enough for the names that are not too long; those have a line of their own."""
    most = width * 2 // 5
    return max((size for row in rows if (size := display_width(_name(row, width)) + 4) <= most), default=6)


def _name(row: PlanRow, width: int) -> str:
    name = one_line(row.name)
    return f"{name} ({row.materialized or row.resource_type})" if width >= _KIND_COLUMN_FROM else name


def row_text(row: PlanRow) -> str:
    """Why one node is in its group, and how far it may lag."""
    after = f"after {listed([node_text(node) for node in row.waiting_on])}" if row.waiting_on else ""
    lag = f"may be up to {_lag(row)} behind its sources" if row.lag_bound_seconds else ""
    return "; ".join(filter(None, (after, *(one_line(reason.text) for reason in row.reasons), lag)))


def estimate(row: PlanRow) -> str:
    """How long building took before; empty where it is not built or nobody knows."""
    return "" if row.estimated_seconds is None or row.decision != "build" else rough_duration(row.estimated_seconds)


def _lag(row: PlanRow) -> str:
    return duration_text(timedelta(seconds=row.lag_bound_seconds))
