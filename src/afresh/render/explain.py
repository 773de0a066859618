"""The whole decision on one node, for a terminal: every cause with its evidence, what differs, the settings, the last build.

Everything shown comes from what the state store kept, so it can be told without a warehouse, a project or dbt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afresh.render.diff import unified
from afresh.render.layout import NARROWEST, Paint, columns, contrasted, hanging, wrapped
from afresh.render.prospects import content_lines, history_lines, next_lines
from afresh.render.views import InputLine, PartLine
from afresh.render.words import counted, moment_text, node_text, one_line, rough_duration, run_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from afresh.render.views import Explanation, PlanRow, ReasonView, TextChange

_VERDICT = {
    ("build", None): ("Build", "yellow"),
    ("clone", None): ("Clone", "blue"),
    ("skip", None): ("Skip", "red"),
    ("undetermined", None): ("Not decided before other nodes have run", "magenta"),
    ("reuse", "verified"): ("Reuse, verified: nothing differs", "green"),
    ("reuse", "tolerated"): ("Reuse, tolerated: something differs, and a setting says not yet", "cyan"),
}
_ABSENT, _UNKNOWN = "–", "not known"

SQL_PART = "sql"
"""The part whose difference is told as a diff of the compiled SQL, where both texts are known."""

_SAID = frozenset({"inputs", "parts", "at", "due_at", "run_id", "state"})
"""Keys of the evidence that every sentence says, or that have a section of their own."""


def explain_text(told: Explanation, *, width: int, color: bool) -> str:
    """One node's decision. Sections without content are left out."""
    paint, width = Paint(color), max(width, NARROWEST)
    sections = (
        _head(told, paint),
        _why(told, paint, width),
        _code(told, paint, width),
        *(_text(change, paint) for change in told.texts),
        _inputs(told, paint, width),
        _policy(told, paint, width),
        _last_build(told, paint),
        content_lines(told.content, told.now, paint, width),
        next_lines(told.next, paint, width),
        history_lines(told.history, told.now, paint, width),
        _warnings(told, paint, width),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines) + "\n"


def _head(told: Explanation, paint: Paint) -> Iterator[str]:
    row = told.row
    yield f"{paint(one_line(row.name), 'bold')}  {row.unique_id}"
    what = row.materialized or row.resource_type
    yield what if row.relation is None else f"{what} {one_line(row.relation)}"


def _why(told: Explanation, paint: Paint, width: int) -> Iterator[str]:
    verdict, colour = _verdict(told.row)
    yield paint(verdict, "bold", colour)
    yield from _decided(told)
    if told.row.waiting_on:
        yield from _bullet(f"after {', '.join(node_text(node) for node in told.row.waiting_on)}", width)
    for reason in told.row.reasons:
        yield from _bullet(f"{one_line(reason.text)} [{reason.code}]", width)
        yield from _evidence(reason, width)


def _verdict(row: PlanRow) -> tuple[str, str]:
    return _VERDICT[(row.decision, row.confidence)]


def _decided(told: Explanation) -> Iterator[str]:
    when = "" if told.decided_at is None else f" {moment_text(told.decided_at, told.now)}"
    when += "" if told.target is None else f" for target {one_line(told.target)}"
    run = "" if told.run_id is None else f" in run {told.run_id}"
    if when or run:
        yield f"  decided{when}{run}" + ("" if told.repeated == 1 else f", the same in {counted(told.repeated, 'run')}")
    if told.waited_seconds:
        yield f"  waited {rough_duration(told.waited_seconds)} for other runs"


def _bullet(text: str, width: int) -> Iterator[str]:
    first, *rest = wrapped(text, width - 4)
    yield f"  • {first}"
    yield from (f"    {line}" for line in rest)


def _evidence(reason: ReasonView, width: int) -> Iterator[str]:
    """What the sentence does not say already; inputs and parts have sections of their own."""
    for key, value in reason.evidence.items():
        if key not in _SAID and not key.endswith("_seconds") and _tells(value, reason.text):
            yield from (f"      {line}" for line in wrapped(f"{key.replace('_', ' ')}: {_plain(value)}", width - 6))


def _tells(value: object, text: str) -> bool:
    return value not in (None, "", [], {}) and not (isinstance(value, str) and one_line(value) in text)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(entry) for entry in value)
    if isinstance(value, dict):
        return "; ".join(f"{key} {_plain(entry)}" for key, entry in value.items() if entry is not None)
    return one_line(str(value))


def _code(told: Explanation, paint: Paint, width: int) -> Iterator[str]:
    parts = told.parts or tuple(_parts_of(told.row))
    if not parts:
        return
    differ = counted(len(parts), "part") if told.parts_total is None else f"{len(parts)} of {counted(told.parts_total, 'part')}"
    yield paint("Code", "bold") + f"  {differ} differ"
    valued = [part for part in parts if part.recorded or part.observed]
    room = _room(max(len(part.name) for part in parts), width)
    rows = [(f"  {one_line(part.name)}", *_both(part.recorded, part.observed, room)) for part in valued]
    if rows:
        yield from _table([("  part", "last build", "now"), *rows], paint)
    for part in parts:
        if part not in valued:
            below = part.name == SQL_PART and any(unified(change) for change in told.texts)
            yield f"  {one_line(part.name)} changed" + (": see the diff below" if below else "")


def _parts_of(row: PlanRow) -> Iterator[PartLine]:
    for entry in _entries(row, "parts"):
        yield PartLine(str(entry["name"]), str(entry.get("group", "")), _string(entry.get("recorded")), _string(entry.get("observed")))


def _inputs(told: Explanation, paint: Paint, width: int) -> Iterator[str]:
    inputs = told.inputs or tuple(_inputs_of(told.row))
    if not inputs:
        return
    yield paint("Inputs", "bold")
    room = _room(max(len(entry.label) for entry in inputs) + 5, width)
    rows = [(f"  {one_line(entry.label)}", *_compared(entry, room)) for entry in inputs]
    yield from _table([("  input", "last build", "now", ""), *rows], paint)
    for entry in inputs:
        if entry.note:
            yield from (f"  {line}" for line in wrapped(f"{one_line(entry.label)}: {one_line(entry.note)}", width - 2))
    changed = [f"{one_line(entry.label)} at {moment_text(entry.changed_at, told.now)}" for entry in inputs if entry.changed_at is not None]
    if changed:
        yield from (f"  {line}" for line in wrapped(f"seen to change last: {', '.join(changed)}", width - 2))


def _inputs_of(row: PlanRow) -> Iterator[InputLine]:
    for entry in _entries(row, "inputs"):
        node, label = str(entry["node"]), str(entry.get("label") or entry["node"])
        yield InputLine(node, node_text(label), entry.get("recorded"), entry.get("observed"), same=False, note=entry.get("unknown", ""))


def _entries(row: PlanRow, key: str) -> Iterator[Mapping[str, Any]]:
    for reason in row.reasons:
        for entry in reason.evidence.get(key, ()):
            if isinstance(entry, dict):
                yield entry


def _compared(entry: InputLine, room: int) -> tuple[str, str, str]:
    if entry.same and entry.observed is None:
        return _both(entry.recorded, None, room)[0], "any: data flows through", ""
    return *_both(entry.recorded, entry.observed, room, _absent(entry)), "same" if entry.same else "differs"


def _absent(entry: InputLine) -> str:
    return _UNKNOWN if entry.note else _ABSENT


def _both(recorded: str | None, observed: str | None, room: int, absent: str = _ABSENT) -> tuple[str, str]:
    before, after = (absent if value is None else one_line(value) or absent for value in (recorded, observed))
    return contrasted(before, after, room)


def _room(label: int, width: int) -> int:
    """The columns that each of two values gets beside a label."""
    return max((width - min(label, width // 2) - 12) // 2, 10)


def _table(rows: list[tuple[str, ...]], paint: Paint) -> Iterator[str]:
    head, *body = ("".join(row).rstrip() for row in columns(rows))
    yield paint(head, "dim")
    yield from body


def _text(change: TextChange, paint: Paint) -> Iterator[str]:
    lines = unified(change)
    if lines:
        yield paint(one_line(change.name), "bold")
        yield from (f"  {_diff_line(line, paint)}" for line in lines)


def _diff_line(line: str, paint: Paint) -> str:
    if line.startswith(("---", "+++", "@@")):
        return paint(line, "dim")
    return paint(line, "red") if line.startswith("-") else paint(line, "green") if line.startswith("+") else line


def _policy(told: Explanation, paint: Paint, width: int) -> Iterator[str]:
    if told.policy:
        yield paint("Settings", "bold")
        head, *rows = columns(
            [("  setting", "value", "from"), *((f"  {p.key}", one_line(p.value), one_line(p.origin)) for p in told.policy)]
        )
        yield paint("".join(head).rstrip(), "dim")
        for name, value, origin in rows:
            yield from hanging(name + value, origin, indent=len(name + value), width=width)


def _last_build(told: Explanation, paint: Paint) -> Iterator[str]:
    last = told.row.last_build
    if last is None:
        return
    at = last.started_at or last.finished_at
    yield paint("Last build", "bold")
    verb = "declared current (adopted)" if last.adopted else "built"
    when = "" if at is None else f" {moment_text(at, told.now)}"
    job = f", job {last.job}" if last.job else ""
    took = "" if last.seconds is None or last.adopted else f", took {rough_duration(last.seconds)}"
    yield f"  {verb}{when} by run {run_text(last.run_id)}{job}{took}"


def _warnings(told: Explanation, paint: Paint, width: int) -> Iterator[str]:
    if told.warnings:
        yield paint("Warnings", "bold", "yellow")
        for warning in told.warnings:
            yield from _bullet(one_line(warning), width)


def _string(value: object) -> str:
    return "" if value is None else str(value)
