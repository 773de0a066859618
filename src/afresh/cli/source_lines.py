"""What was found of a source, as the doctor tells it: how healthy that is, and what to write into its YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.core.version import Unknown
from afresh.render.doctor import SourceLine
from afresh.render.words import node_text
from afresh.warehouse.probe import SourceSignal, Strength

if TYPE_CHECKING:
    from afresh.orchestration.examining import SourceFinding
    from afresh.warehouse.probe import ProbeAnswer

_MOMENTS = re.compile(r"timestamp|datetime", re.IGNORECASE)
_LOADED = re.compile(r"load|sync|ingest|extract|insert|updat|modif|chang", re.IGNORECASE)
_ANY_COLUMN = "loaded_at  # the column that tells when a row was loaded or changed last"


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """Where a source stands in the project."""

    file: str
    source: str
    table: str


def source_line(found: SourceFinding, place: SourcePlace) -> SourceLine:
    """One source."""
    relation = None if found.node.relation is None else found.node.relation.name
    if found.kept_by:
        note = f"{node_text(found.kept_by)} builds it, so its version is known without asking"
        return SourceLine(found.node.id, found.label, relation, "ok", "build", Strength.EXACT.value, note=note)
    if found.answer is None or found.target is None:
        note = "nobody can tell which relation this is, so what reads it is built in every run"
        return SourceLine(found.node.id, found.label, relation, "problem", "none", Strength.NONE.value, note=note)
    return _asked(found, found.answer, place)


def _asked(found: SourceFinding, answer: ProbeAnswer, place: SourcePlace) -> SourceLine:
    unknown = answer.version if isinstance(answer.version, Unknown) else None
    warned = answer.strength is Strength.DECLARED or bool(answer.warnings)
    note = f"what reads it is built in every run: {unknown.why}" if unknown is not None else "; ".join(answer.warnings)
    return SourceLine(
        unique_id=found.node.id,
        name=found.label,
        relation=None if found.node.relation is None else found.node.relation.name,
        health="problem" if unknown is not None else "warning" if warned else "ok",
        signal=answer.signal.value,
        strength=Strength.NONE.value if unknown is not None else answer.strength.value,
        last_loaded=found.last_loaded,
        unchanged_since=found.unchanged_since,
        changed_since=found.changed_since,
        seconds=round(found.seconds, 4),
        note=note,
        fix=_fix(found, answer, place),
    )


def _fix(found: SourceFinding, answer: ProbeAnswer, place: SourcePlace) -> str:
    if answer.exists is False or found.target is None:
        return ""
    if answer.strength is Strength.DECLARED and found.target.source_signal is SourceSignal.LOADED_AT:
        return _yaml(place, "config: {meta: {afresh: {source_signal: auto}}}  # the warehouse's own signal counts too")
    if isinstance(answer.version, Unknown) and not found.target.has_loaded_at:
        return _yaml(place, f"loaded_at_field: {_column(answer)}")
    return ""


def _column(answer: ProbeAnswer) -> str:
    """A column that may tell when rows were loaded, if there is one."""
    moments = [name for name, kind in (answer.signature.columns if answer.signature else ()) if _MOMENTS.search(kind)]
    return next((name for name in moments if _LOADED.search(name)), next(iter(moments), _ANY_COLUMN))


def _yaml(place: SourcePlace, line: str) -> str:
    return "\n".join(
        [
            f"# {place.file}",
            "sources:",
            f"  - name: {place.source}",
            "    tables:",
            f"      - name: {place.table}",
            f"        {line}",
        ]
    )
