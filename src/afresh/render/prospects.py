"""What an explanation says beyond the decision: how current a relation is and what it holds, what builds it next, what was before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afresh.render.layout import columns, wrapped
from afresh.render.words import counted, display_width, iso, listed, moment_text, one_line, rough_duration, run_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from afresh.render.layout import Paint
    from afresh.render.views import Content, HeldData, NextBuild, PastDecision

_ROOM_FOR_WHY, _BELOW = 40, 6
"""The columns that causes need beside a decision, and their indent where they stand below it."""

_COLOURS = {"build": "yellow", "clone": "blue", "skip": "red", "undetermined": "magenta", "verified": "green", "tolerated": "cyan"}


def content_lines(content: Content | None, now: datetime | None, paint: Paint, width: int) -> Iterator[str]:
    """Since when the content is current, and which sources' data it holds."""
    if content is None:
        return
    yield paint("Content", "bold")
    yield from _indented(_current_text(content, now), width, 2)
    cells = (
        columns([(f"  {one_line(held.label)}", _held_text(held, now), held.version or "") for held in content.sources])
        if content.sources
        else ()
    )
    for row in cells:
        line = "".join(row).rstrip()
        yield line if display_width(line) <= width else "".join(row[:2]).rstrip()  # a token tells less than where it is from
    if content.not_recorded:
        yield from _indented(f"What {listed(list(content.not_recorded))} reads is not recorded: it is inlined and never built.", width, 2)


def _current_text(content: Content, now: datetime | None) -> str:
    if not content.is_own:
        return "a view keeps no data: whoever reads it sees what is below it then, and now that is"
    told = f"as of {moment_text(content.as_of, now)}, when its last build began to read"
    if content.behind_since is not None:
        return f"{told}; behind since {moment_text(content.behind_since, now)} at the latest, as a setting allows"
    return told if content.verified_at is None else f"{told}; nothing newer was to be had at {moment_text(content.verified_at, now)}"


def _held_text(held: HeldData, now: datetime | None) -> str:
    return f"of {moment_text(held.read_at, now)}" if held.is_exact else f"of {moment_text(held.read_at, now)} or earlier"


def next_lines(causes: Sequence[NextBuild], paint: Paint, width: int) -> Iterator[str]:
    """What makes it build next."""
    if causes:
        yield paint("What builds it next", "bold")
        for cause in causes:
            first, *rest = wrapped(f"{one_line(cause.text)} [{cause.code}]", width - 4)
            yield f"  • {first}"
            yield from (f"    {line}" for line in rest)


def history_lines(history: Sequence[PastDecision], now: datetime | None, paint: Paint, width: int) -> Iterator[str]:
    """The last decisions, the newest first."""
    if not history:
        return
    yield paint("Decisions", "bold")
    cells = columns([(f"  {_when(past, now)}", past.confidence or past.decision, _outcome(past), _runs(past), "") for past in history])
    rows = ["".join(row) for row in cells]
    indent = display_width(rows[0])
    is_beside = width - indent >= _ROOM_FOR_WHY
    for past, row in zip(history, rows, strict=True):
        word, why = past.confidence or past.decision, "; ".join(one_line(reason.text) for reason in past.reasons)
        first, *rest = wrapped(why, width - indent) if is_beside else ["", *wrapped(why, width - _BELOW)]
        yield (row + first).rstrip().replace(word, paint(word, _COLOURS[word]), 1)
        yield from (" " * (indent if is_beside else _BELOW) + line for line in rest)


def _when(past: PastDecision, now: datetime | None) -> str:
    first, last = moment_text(past.first_at, now), moment_text(past.last_at, now)
    return last if past.repeated == 1 or first == last else f"{first} to {last}"


def _outcome(past: PastDecision) -> str:
    waited = f"waited {rough_duration(past.waited_seconds)}" if past.waited_seconds else ""
    took = f"took {rough_duration(past.execution_time)}" if past.execution_time else ""
    failed = "failed" if past.status == "error" else ""
    return ", ".join(filter(None, (failed, took, waited)))


def _runs(past: PastDecision) -> str:
    if past.repeated > 1:
        return counted(past.repeated, "run")
    return "a forgotten run" if past.run_id is None else f"run {run_text(past.run_id)}"


def _indented(text: str, width: int, by: int) -> Iterator[str]:
    yield from (" " * by + line for line in wrapped(text, width - by))


# --- JSON -------------------------------------------------------------------------------------------------------------


def content_json(content: Content | None) -> dict[str, Any] | None:
    """How current a relation is, and what it holds."""
    if content is None:
        return None
    return {
        "as_of": iso(content.as_of),
        "own": content.is_own,
        "verified_at": _moment(content.verified_at),
        "behind_since": _moment(content.behind_since),
        "sources": [
            {"node": held.node, "label": held.label, "read_at": iso(held.read_at), "version": held.version, "exact": held.is_exact}
            for held in content.sources
        ],
        "not_recorded": list(content.not_recorded),
    }


def next_json(causes: Iterable[NextBuild]) -> list[dict[str, Any]]:
    """What would make it build."""
    return [{"code": cause.code, "text": cause.text, "at": _moment(cause.at)} for cause in causes]


def history_json(history: Iterable[PastDecision]) -> list[dict[str, Any]]:
    """The last decisions."""
    return [
        {
            "decision": past.decision,
            "confidence": past.confidence,
            "reasons": [{"code": one.code, "text": one.text, "evidence": dict(one.evidence)} for one in past.reasons],
            "status": past.status,
            "run_id": past.run_id,
            "first_at": iso(past.first_at),
            "last_at": iso(past.last_at),
            "repeated": past.repeated,
            "waited_seconds": past.waited_seconds,
            "execution_time": past.execution_time,
        }
        for past in history
    ]


def _moment(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
