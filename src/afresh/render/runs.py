"""What runs did: the last ones in a list, and one of them with its nodes; as text and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from afresh.render.json import document, node_json
from afresh.render.layout import NARROWEST, Paint, columns
from afresh.render.status import numbers
from afresh.render.status_json import run_json
from afresh.render.views import RunSummary
from afresh.render.words import iso, moment_text, node_text, one_line, rough_duration, run_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from afresh.render.status import RunLine
    from afresh.render.views import PlanRow

_GROUPS: tuple[tuple[str, str, Callable[[PlanRow], bool]], ...] = (
    ("Failed", "red", lambda row: row.status == "error"),
    ("Skipped", "yellow", lambda row: row.status == "skipped"),
    ("Built", "yellow", lambda row: row.decision != "reuse"),
    ("Reused although something changed, as a setting allows", "cyan", lambda row: row.confidence == "tolerated"),
    ("Reused, nothing changed", "green", lambda row: row.decision == "reuse"),
)


def runs_text(runs: Sequence[RunLine], now: datetime) -> str:
    """One line for each."""
    rows = [
        (
            run_text(run.run_id),
            moment_text(run.started_at, now),
            one_line(run.job or run.target),
            run.outcome or "at work",
            _took(run),
            _did(run),
            one_line(run.command),
        )
        for run in runs
    ]
    return "".join("".join(cells).rstrip() + "\n" for cells in columns(rows)) if rows else "No run is recorded.\n"


def run_details(run: RunLine, rows: Sequence[PlanRow], now: datetime, *, width: int, color: bool) -> str:
    """One run, and what became of each of its nodes."""
    paint, width = Paint(color), max(width, NARROWEST)
    lines = [*_head(run, now, paint)]
    left = list(rows)
    for title, colour, belongs in _GROUPS:
        group = [row for row in left if belongs(row)]
        left = [row for row in left if row not in group]
        if group:
            lines += ["", paint(f"{title} ({len(group):,})", "bold", colour), *_nodes(group)]
    if not rows and run.outcome:
        lines += ["", "Nothing is kept of what it decided."]
    return "\n".join(lines) + "\n"


def runs_json(runs: Sequence[RunLine], now: datetime) -> str:
    """The document of the list."""
    targets = {run.target for run in runs}
    whole = document("runs", [], run_id=None, target=targets.pop() if len(targets) == 1 else None)
    return _printed({**whole, "now": iso(now), "runs": [run_json(run) for run in runs]})


def run_details_json(run: RunLine, rows: Sequence[PlanRow], now: datetime) -> str:
    """The document of one run."""
    summary = RunSummary(
        built=run.built,
        reused_verified=run.reused - run.tolerated,
        reused_tolerated=run.tolerated,
        cloned=run.cloned,
        failed=run.failed,
        skipped=run.skipped,
        saved_seconds=run.saved_seconds,
        deciding_seconds=run.deciding_seconds,
    )
    nodes = [node_json(row) for row in rows]
    whole = document("runs", nodes, run_id=run.run_id, target=run.target, summary=None if run.finished_at is None else summary)
    return _printed({**whole, "now": iso(now), "runs": [run_json(run)]})


def _printed(whole: object) -> str:
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _head(run: RunLine, now: datetime, paint: Paint) -> Iterator[str]:
    yield f"{paint('Run ' + run.run_id, 'bold')}  {run.outcome or 'at work'}"
    yield f"  {one_line(run.command)}"
    job = f", job {one_line(run.job)}" if run.job else ""
    yield f"  target {one_line(run.target)}{job}, pid {run.pid} on {one_line(run.host)}"
    took = _took(run)
    yield f"  began {moment_text(run.started_at, now)}" + (f", took {took}" if took else "")
    if run.finished_at is not None:
        yield f"  {_did(run)}; deciding took {rough_duration(run.deciding_seconds)}"


def _did(run: RunLine) -> str:
    if run.finished_at is None:
        return ""
    tolerated = f" ({run.tolerated:,} tolerated)" if run.tolerated else ""
    saved = f", saved about {rough_duration(run.saved_seconds)}" if run.saved_seconds else ""
    return numbers(run).replace(" reused", f" reused{tolerated}", 1) + saved


def _took(run: RunLine) -> str:
    return "" if run.finished_at is None else rough_duration((run.finished_at - run.started_at).total_seconds())


def _nodes(group: Sequence[PlanRow]) -> Iterator[str]:
    rows = [
        (
            one_line(node_text(row.unique_id)),
            row.materialized or row.resource_type,
            rough_duration(row.execution_time) if row.execution_time else "",
            one_line("; ".join(reason.text for reason in row.reasons)),
        )
        for row in group
    ]
    yield from ("  " + "".join(cells).rstrip() for cells in columns(rows))
