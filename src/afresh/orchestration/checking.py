"""Proving that nothing selected is stale: the verdicts of a plan, and whose relations another run is writing meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.core.node import NodeId
from afresh.orchestration.order import writers_of_reads
from afresh.orchestration.planning import make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from afresh.core.lease import Held
    from afresh.orchestration.run_report import RunReport
    from afresh.orchestration.run_session import RunSession


@dataclass(frozen=True)
class Check:
    """What a plan says of every selected node, and which of them are being built by other runs at this moment."""

    report: RunReport
    building: Mapping[str, Held]


def check(session: RunSession) -> Check:
    """Look at every selected node as a build would, without touching anything."""
    report = make_plan(session, writers_of_reads(session.host, session.first_picture))
    keys = {row.unique_id: session.host.node(NodeId(row.unique_id)).key for row in report.rows}
    picture = session.first_picture
    builders = {node: picture.builder(key) for node, key in keys.items() if key is not None}
    return Check(report, {node: held for node, held in builders.items() if held is not None})
