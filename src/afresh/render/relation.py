"""What is recorded of a relation or a test, as a value and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.render.layout import NARROWEST, Paint, columns, wrapped
from afresh.render.words import counted, moment_text, node_text, one_line, rough_duration, run_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from afresh.render.views import InputLine, LastBuild, LeaseLine, ReasonView


@dataclass(frozen=True, slots=True)
class RelationLine:
    """What is recorded of one relation or test, of which a node is (or was) in charge."""

    node: str
    relation: str
    """As people know it; empty for a test."""
    target: str | None
    """Of the run that came to it last; ``None`` where that run's own record was pruned."""
    resource_type: str
    relation_type: str = ""
    last_build: LastBuild | None = None
    """``None``: no build is recorded."""
    version: str | None = None
    build_reasons: tuple[str, ...] = ()
    """Codes of the reasons for the last build."""
    test_status: str | None = None
    columns: tuple[tuple[str, str], ...] | None = None
    inputs: tuple[InputLine, ...] = ()
    standing: tuple[ReasonView, ...] = ()
    lease: LeaseLine | None = None
    decided_at: datetime | None = None
    """When a run came to it last, built or reused."""


def named_lines(lines: Sequence[RelationLine]) -> list[str]:
    """One line for each: the node, its relation, its target, and who is building it."""
    rows = [(one_line(node_text(line.node)), one_line(line.relation) or "-", _target(line), _builder(line)) for line in lines]
    return ["  " + "".join(cells).rstrip() for cells in columns(rows)] if rows else []


def _target(line: RelationLine) -> str:
    return "" if line.target is None else f"in {one_line(line.target)}"


def _builder(line: RelationLine) -> str:
    lease = line.lease
    return f"run {run_text(lease.run_id)} is building it" if lease is not None and lease.building else ""


def builders(lines: Iterable[RelationLine]) -> list[RelationLine]:
    """Those that a run is building now."""
    return [line for line in lines if line.lease is not None and line.lease.building]


# --- one by one, and as a list ----------------------------------------------------------------------------------------


def relations_text(lines: Sequence[RelationLine], now: datetime) -> str:
    """One line for each: where it is, when and by whom it was built, and what stands against that."""
    rows = [
        (one_line(node_text(line.node)), one_line(line.relation) or "-", _target(line), _built(line, now), _short_standing(line))
        for line in lines
    ]
    return "\n".join("".join(cells).rstrip() for cells in columns(rows)) + "\n"


def relation_text(line: RelationLine, now: datetime, *, width: int, color: bool) -> str:
    """Everything that is recorded of one."""
    paint, width = Paint(color), max(width, NARROWEST)
    sections = (
        _head(line, paint),
        _last_build(line, now, paint),
        _listed("Inputs", [(one_line(entry.label), _version(entry)) for entry in line.inputs], paint),
        _listed("Columns", [(one_line(name), one_line(kind)) for name, kind in line.columns or ()], paint),
        _standing(line, paint, width),
        _lease(line, now, paint),
    )
    return "\n\n".join("\n".join(found) for found in map(list, sections) if found) + "\n"


def _head(line: RelationLine, paint: Paint) -> Iterator[str]:
    yield f"{paint(one_line(node_text(line.node)), 'bold')}  {one_line(line.node)}"
    yield " ".join(part for part in (line.relation_type or line.resource_type, one_line(line.relation), _target(line)) if part)


def _last_build(line: RelationLine, now: datetime, paint: Paint) -> Iterator[str]:
    yield paint("Last build", "bold")
    last = line.last_build
    if last is None:
        yield "  none is recorded"
    else:
        yield f"  {_built(line, now)}" + ("" if last.seconds is None or last.adopted else f", took {rough_duration(last.seconds)}")
        if line.test_status is not None:
            yield f"  result: {line.test_status}"
        if line.build_reasons:
            yield f"  because of: {', '.join(line.build_reasons)}"
        yield f"  version: {one_line(line.version or 'not known')}"
    if line.decided_at is not None:
        yield f"  a run came to it last at {moment_text(line.decided_at, now)}"


def _built(line: RelationLine, now: datetime) -> str:
    last = line.last_build
    if last is None or last.finished_at is None:
        return "never built"
    by = f"run {run_text(last.run_id)}{_of_job(last.job)}"
    if last.adopted:
        return f"adopted {moment_text(last.finished_at, now)} by {by}, not built by Afresh"
    return f"built {moment_text(last.finished_at, now)} by {by}"


def _version(entry: InputLine) -> str:
    return one_line(entry.recorded) if entry.recorded is not None else f"not known: {one_line(entry.note)}"


def _listed(title: str, rows: Sequence[tuple[str, str]], paint: Paint) -> Iterator[str]:
    if rows:
        yield paint(f"{title} ({len(rows):,})", "bold")
        yield from ("  " + "".join(cells).rstrip() for cells in columns(rows))


def _standing(line: RelationLine, paint: Paint, width: int) -> Iterator[str]:
    if line.standing:
        yield paint("Due at its next run", "bold", "yellow")
        for reason in line.standing:
            first, *rest = wrapped(f"{one_line(reason.text)} [{reason.code}]", width - 4)
            yield f"  • {first}"
            yield from (f"    {more}" for more in rest)


def _lease(line: RelationLine, now: datetime, paint: Paint) -> Iterator[str]:
    lease = line.lease
    if lease is not None:
        doing = "building" if lease.building else "held"
        whose = f"run {run_text(lease.run_id)}{_of_job(lease.job)}, pid {lease.pid} on {one_line(lease.host)}"
        yield paint("Lease", "bold")
        yield f"  {doing} since {moment_text(lease.since, now)} by {whose}"


def _of_job(job: str) -> str:
    return f" of {one_line(job)}" if job else ""


def _short_standing(line: RelationLine) -> str:
    return ", ".join(dict.fromkeys(reason.code for reason in line.standing)) or _builder(line)


def summary_text(lines: Sequence[RelationLine]) -> str:
    """``66 relations and tests, 2 of them due``."""
    due = sum(bool(line.standing) for line in lines)
    return f"{counted(len(lines), 'relation or test', 'relations and tests')}" + (f", {due:,} of them due" if due else "")
