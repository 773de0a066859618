"""Reports as the JSON document of the interface contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.render.json import document, document_text, node_json

if TYPE_CHECKING:
    from afresh.orchestration.run_report import RunReport
    from afresh.render.json import DocumentKind


def document_of(report: RunReport) -> str:
    """A run or a plan as one JSON text."""
    kind: DocumentKind = "plan" if report.summary is None else "run"
    nodes = [node_json(row) for row in report.rows]
    return document_text(document(kind, nodes, run_id=report.run_id, target=report.target, summary=report.summary))
