"""What a doctor found, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from afresh.render.json import document, document_text
from afresh.render.layout import NARROWEST, Paint, columns, hanging
from afresh.render.words import counted, iso, moment_text, one_line, rough_duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

Health = Literal["ok", "warning", "problem"]
_WORST_FIRST: tuple[Health, ...] = ("problem", "warning")
_COLOURS: dict[Health, str] = {"ok": "green", "warning": "yellow", "problem": "red"}


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One thing that was looked at."""

    name: str
    health: Health
    told: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source: the signal in use and its strength, when it changed last as far as anybody knows, and what asking cost.

    ``last_loaded`` is what ``loaded_at_*`` answered. A build at ``unchanged_since`` has read the data as it is now, one at
    ``changed_since`` has read other data. ``fix`` is YAML to copy.
    """

    unique_id: str
    name: str
    relation: str | None
    health: Health
    signal: str
    strength: str
    last_loaded: str = ""
    unchanged_since: datetime | None = None
    changed_since: datetime | None = None
    seconds: float | None = None
    note: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was looked at, at a moment of the reader's time zone."""

    target: str | None
    now: datetime
    checks: tuple[CheckLine, ...]
    sources: tuple[SourceLine, ...] = ()

    @property
    def health(self) -> Health:
        """The worst of all."""
        return next((health for health in _WORST_FIRST if self.count(health)), "ok")

    def count(self, health: Health) -> int:
        """How many lines are so."""
        found: list[Health] = [*(line.health for line in self.checks), *(line.health for line in self.sources)]
        return found.count(health)


def doctor_text(found: Diagnosis, *, width: int, color: bool) -> str:
    """What was looked at, line by line; then the sources; then what to copy."""
    paint, width = Paint(color), max(width, NARROWEST)
    blocks = [list(_checks(found, paint, width)), *([list(_sources(found, paint, width))] if found.sources else []), *_fixes(found, paint)]
    return "\n\n".join("\n".join(block) for block in [*blocks, [_verdict(found, paint)]]) + "\n"


def _checks(found: Diagnosis, paint: Paint, width: int) -> Iterator[str]:
    names = max(len(line.name) for line in found.checks) + 2
    for line in found.checks:
        first, *rest = hanging(f"{line.health:<9}{line.name:<{names}}", one_line(line.told), indent=9 + names, width=width)
        yield first.replace(line.health, paint(line.health, _COLOURS[line.health]), 1)
        yield from rest
        if line.hint:
            yield from hanging("", one_line(line.hint), indent=9 + names, width=width)


def _sources(found: Diagnosis, paint: Paint, width: int) -> Iterator[str]:
    yield paint(f"Sources ({len(found.sources):,})", "bold")
    head = ("", "source", "signal", "strength", "asking", "last change seen")
    rows = [
        (line.health, one_line(line.name), line.signal, line.strength, _took(line), _last_change(line, found.now)) for line in found.sources
    ]
    first, *cells = columns([head, *rows])
    yield paint("  " + "".join(first).rstrip(), "dim")
    for line, row in zip(found.sources, cells, strict=True):
        yield "  " + paint(row[0], _COLOURS[line.health]) + "".join(row[1:]).rstrip()
        if line.note:
            yield from hanging("", one_line(line.note), indent=len(row[0]) + 2, width=width)


def _last_change(line: SourceLine, now: datetime) -> str:
    if line.last_loaded:
        return f"loaded {one_line(line.last_loaded)}"
    if line.unchanged_since is not None:
        return f"before {moment_text(line.unchanged_since, now)}"
    return "-" if line.changed_since is None else f"after {moment_text(line.changed_since, now)}"


def _took(line: SourceLine) -> str:
    return "-" if line.seconds is None else rough_duration(line.seconds)


def _fixes(found: Diagnosis, paint: Paint) -> Iterator[list[str]]:
    fixes = [line.fix for line in found.sources if line.fix]
    if fixes:
        yield [paint("To copy", "bold"), *("  " + line for fix in fixes for line in fix.splitlines())]


def _verdict(found: Diagnosis, paint: Paint) -> str:
    problems, warnings = found.count("problem"), found.count("warning")
    told = [*([counted(problems, "problem")] if problems else []), *([counted(warnings, "warning")] if warnings else [])]
    return paint(f"{', '.join(told)}." if told else "All good.", "bold", _COLOURS[found.health])


def doctor_json(found: Diagnosis) -> str:
    """The document."""
    whole = document("doctor", [], run_id=None, target=found.target)
    checks = [{"name": line.name, "health": line.health, "text": line.told, "hint": line.hint or None} for line in found.checks]
    return document_text({**whole, "health": found.health, "checks": checks, "sources": [_source(line) for line in found.sources]})


def _source(line: SourceLine) -> dict[str, Any]:
    return {
        "unique_id": line.unique_id,
        "relation": line.relation,
        "health": line.health,
        "signal": line.signal,
        "strength": line.strength,
        "last_loaded": line.last_loaded or None,
        "unchanged_since": None if line.unchanged_since is None else iso(line.unchanged_since),
        "changed_since": None if line.changed_since is None else iso(line.changed_since),
        "seconds": line.seconds,
        "note": line.note or None,
        "fix": line.fix or None,
    }
