"""The JSON document of ``afresh state show``: the document that every command prints, and what is recorded of each relation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afresh.render.json import document, document_text, reason_json
from afresh.render.status_json import lease_json
from afresh.render.words import iso

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from afresh.render.relation import RelationLine


def relations_json(lines: Sequence[RelationLine]) -> str:
    """The document as it is printed."""
    targets = {line.target for line in lines}
    whole = document("state", [], run_id=None, target=targets.pop() if len(targets) == 1 else None)
    relations = [_relation(line) for line in lines]
    return document_text({**whole, "relations": relations})


def _relation(line: RelationLine) -> dict[str, Any]:
    last = line.last_build
    return {
        "unique_id": line.node,
        "relation": line.relation or None,
        "relation_type": line.relation_type or None,
        "resource_type": line.resource_type,
        "target": line.target,
        "last_built_at": None if last is None else _moment(last.finished_at),
        "last_built_by": None if last is None else {"run_id": last.run_id, "job": last.job or None},
        "execution_time": None if last is None else last.seconds,
        "adopted": last is not None and last.adopted,
        "built_because_of": list(line.build_reasons),
        "test_status": line.test_status,
        "version": line.version,
        "columns": None if line.columns is None else [{"name": name, "type": kind} for name, kind in line.columns],
        "inputs": [{"node": entry.node, "label": entry.label, "recorded": entry.recorded, "note": entry.note} for entry in line.inputs],
        "standing": [reason_json(reason) for reason in line.standing],
        "lease": None if line.lease is None else lease_json(line.lease),
        "decided_at": _moment(line.decided_at),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
