"""What runs did: the last ones in a list, and one of them with its nodes; as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.render.json import document, document_text, node_json
from afresh.render.layout import NARROWEST, Paint, columns, cut, hanging
from afresh.render.status import numbers, took
from afresh.render.status_json import run_json
from afresh.render.words import display_width, iso, moment_text, node_text, one_line, rough_duration, run_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from afresh.render.status import RunLine
    from afresh.render.views import PlanRow

_NONE: Mapping[str, str] = {}
_GROUPS: tuple[tuple[str, str, Callable[[PlanRow], bool]], ...] = (
    ("Failed", "red", lambda row: row.status == "error"),
    ("Skipped", "yellow", lambda row: row.status == "skipped"),
    ("Built", "yellow", lambda row: row.decision != "reuse"),
    ("Reused although something changed, as a setting allows", "cyan", lambda row: row.confidence == "tolerated"),
    ("Reused, nothing changed", "green", lambda row: row.decision == "reuse"),
)


def runs_text(runs: Sequence[RunLine], now: datetime, *, width: int | None = None) -> str:
    """One line for each, cut to ``width`` columns if there are so many only."""
    rows = [
        (
            run_text(run.run_id),
            moment_text(run.started_at, now),
            one_line(run.job or run.target),
            run.outcome or "at work",
            took(run),
            _did(run),
            one_line(run.command),
        )
        for run in runs
    ]
    lines = ["".join(cells).rstrip() for cells in columns(rows)] if rows else ["No run is recorded."]
    return "".join((line if width is None else cut(line, max(width, NARROWEST))) + "\n" for line in lines)


def run_details(
    run: RunLine, rows: Sequence[PlanRow], now: datetime, *, failures: Mapping[str, str] = _NONE, width: int, color: bool
) -> str:
    """One run, and what became of each of its nodes; ``failures`` says what went wrong, by unique id."""
    paint, width = Paint(color), max(width, NARROWEST)
    lines = [*_head(run, now, paint)]
    groups: dict[str, list[PlanRow]] = {}
    for row in rows:
        groups.setdefault(next(title for title, _, belongs in _GROUPS if belongs(row)), []).append(row)
    for title, colour, _ in _GROUPS:
        if title in groups:
            lines += ["", paint(f"{title} ({len(groups[title]):,})", "bold", colour), *_nodes(groups[title], failures, width)]
    if not rows and run.outcome:
        lines += ["", "Nothing is kept of what it decided."]
    return "\n".join(lines) + "\n"


def runs_json(runs: Sequence[RunLine], now: datetime) -> str:
    """The document of the list."""
    targets = {run.target for run in runs}
    whole = document("runs", [], run_id=None, target=targets.pop() if len(targets) == 1 else None)
    return document_text({**whole, "now": iso(now), "runs": [run_json(run) for run in runs]})


def run_details_json(run: RunLine, rows: Sequence[PlanRow], now: datetime) -> str:
    """The document of one run."""
    nodes = [node_json(row) for row in rows]
    whole = document("runs", nodes, run_id=run.run_id, target=run.target, summary=None if run.finished_at is None else run.summary)
    return document_text({**whole, "now": iso(now), "runs": [run_json(run)]})


def _head(run: RunLine, now: datetime, paint: Paint) -> Iterator[str]:
    yield f"{paint('Run ' + run.run_id, 'bold')}  {run.outcome or 'at work'}"
    yield f"  {one_line(run.command)}"
    job = f", job {one_line(run.job)}" if run.job else ""
    yield f"  target {one_line(run.target)}{job}, pid {run.pid} on {one_line(run.host)}"
    yield f"  began {moment_text(run.started_at, now)}" + (f", took {took(run)}" if run.finished_at is not None else "")
    if run.finished_at is not None:
        yield f"  {_did(run)}; deciding took {rough_duration(run.summary.deciding_seconds)}"


def _did(run: RunLine) -> str:
    if run.finished_at is None:
        return ""
    done = run.summary
    tolerated = f" ({done.reused_tolerated:,} tolerated)" if done.reused_tolerated else ""
    saved = f", saved about {rough_duration(done.saved_seconds)}" if done.saved_seconds else ""
    return numbers(done).replace(" reused", f" reused{tolerated}", 1) + saved


def _nodes(group: Sequence[PlanRow], failures: Mapping[str, str], width: int) -> Iterator[str]:
    rows = [
        (
            one_line(node_text(row.unique_id)),
            row.materialized or row.resource_type,
            rough_duration(row.execution_time) if row.execution_time else "",
            _why(row, failures.get(row.unique_id)),
        )
        for row in group
    ]
    for *head, why in columns(rows):
        told, indent = "  " + "".join(head), 2 + sum(map(display_width, head))
        if why and width - indent < NARROWEST // 2:  # long names leave no room beside them
            yield told.rstrip()
            told, indent = "", 6
        yield from (line.rstrip() for line in hanging(told, why, indent=indent, width=width))


def _why(row: PlanRow, failure: str | None) -> str:
    due = "; ".join(reason.text for reason in row.reasons)
    return one_line(due if failure is None else f"{failure} (it was due: {due})" if due else failure)
