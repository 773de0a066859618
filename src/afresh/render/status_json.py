"""The JSON document of ``afresh status``: the document that every command prints, and what goes on beside the nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afresh.render.json import document, document_text, node_json
from afresh.render.words import iso

if TYPE_CHECKING:
    from afresh.render.status import RunLine, Status, WaitLine
    from afresh.render.views import LeaseLine


def status_json(status: Status) -> str:
    """The document as it is printed."""
    targets = {node.target for node in status.nodes}
    only = targets.pop() if len(targets) == 1 else None
    last = next((run.run_id for run in (*status.at_work[::-1], *status.ended)), None)
    whole = document("status", [], run_id=last, target=only)
    nodes = [{**node_json(node.row), "state": node.state, "target": node.target} for node in status.nodes]
    more = {
        "now": iso(status.now),
        "runs": [run_json(run) for run in (*status.at_work, *status.ended)],
        "leases": [lease_json(lease) for lease in status.leases],
        "waits": [_wait(wait) for wait in status.waits],
    }
    return document_text({**whole, "nodes": nodes, **more})


def run_json(run: RunLine) -> dict[str, Any]:
    """One run; the numbers of one that is at work are not known yet."""
    ended, done = run.finished_at is not None or run.outcome, run.summary
    return {
        "run_id": run.run_id,
        "status": run.outcome if ended else "running",
        "command": run.command,
        "target": run.target,
        "job": run.job or None,
        "host": run.host,
        "pid": run.pid,
        "started_at": iso(run.started_at),
        "finished_at": None if run.finished_at is None else iso(run.finished_at),
        "built": done.built if ended else None,
        "reused": done.reused if ended else None,
        "failed": done.failed if ended else None,
        "skipped": done.skipped if ended else None,
        "verified": done.reused_verified if ended else None,
        "tolerated": done.reused_tolerated if ended else None,
        "cloned": done.cloned if ended else None,
        "saved_seconds": done.saved_seconds if ended else None,
        "deciding_seconds": done.deciding_seconds if ended else None,
    }


def lease_json(lease: LeaseLine) -> dict[str, Any]:
    """Who holds a lease."""
    return {
        "subject": lease.subject,
        "run_id": lease.run_id,
        "job": lease.job or None,
        "host": lease.host,
        "pid": lease.pid,
        "building": lease.building,
        "since": iso(lease.since),
        "expires_at": iso(lease.expires_at),
    }


def _wait(wait: WaitLine) -> dict[str, Any]:
    return {
        "subject": wait.subject,
        "run_id": wait.run_id,
        "for_run": wait.for_run,
        "job": wait.job or None,
        "host": wait.host,
        "pid": wait.pid,
        "since": iso(wait.since),
    }
