"""Reports as the JSON document of the interface contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.render.json import document, document_text, node_json
from afresh.render.views import estimate_of

if TYPE_CHECKING:
    from afresh.orchestration.run_report import RunReport
    from afresh.render.json import DocumentKind


def document_of(report: RunReport) -> str:
    """A run or a plan as one JSON text."""
    kind: DocumentKind = "plan" if report.summary is None else "run"
    nodes = [node_json(row) for row in report.rows]
    estimate = estimate_of(report.rows) if kind == "plan" else None
    whole = document(kind, nodes, run_id=report.run_id, target=report.target, summary=report.summary, estimate=estimate)
    return document_text(whole)
