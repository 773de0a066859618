"""Reports as the JSON document of the interface contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from afresh.render.json import assumed_json, document, document_text, node_json
from afresh.render.status_json import lease_json
from afresh.render.views import estimate_of

if TYPE_CHECKING:
    from afresh.orchestration.run_report import RunReport


def document_of(report: RunReport) -> str:
    """A run or a plan as one JSON text."""
    nodes = [node_json(row) for row in report.rows]
    if report.summary is not None:
        return document_text(document("run", nodes, run_id=report.run_id, target=report.target, summary=report.summary))
    estimate = estimate_of(report.rows, report.schedule)
    whole = document("plan", nodes, run_id=report.run_id, target=report.target, estimate=estimate)
    leases = [lease_json(lease) for lease in report.leases]
    return document_text({**whole, "what_if": assumed_json(report.what_if), "leases": leases, "warnings": list(report.warnings)})
