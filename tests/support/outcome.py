"""What a command left behind, read from where a user or another program would read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUN_RESULTS = Path("target", "run_results.json")


@dataclass(frozen=True)
class NodeResult:
    """One entry of ``run_results.json``."""

    unique_id: str
    status: str
    message: str | None
    execution_time: float
    compiled_code: str | None
    afresh: Mapping[str, Any] | None
    """``adapter_response.afresh``: decision, confidence, reasons, run_id; None where plain dbt ran."""

    @property
    def name(self) -> str:
        """The node's own name: ``orders``, ``orders.v2``, ``unique_orders_id`` (without its hash), or that of a unit test."""
        resource_type, _, name, *rest = self.unique_id.split(".")
        if resource_type == "unit_test":
            return rest[0]
        return ".".join([name, *rest]) if resource_type == "model" else name

    @property
    def decision(self) -> str | None:
        """``build``, ``reuse``, … as Afresh recorded it; None where plain dbt ran."""
        return None if self.afresh is None else self.afresh["decision"]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes of all reasons for the decision."""
        return () if self.afresh is None else tuple(self.afresh["reasons"])

    @property
    def was_executed(self) -> bool:
        """Whether dbt worked on the node: it was neither reused nor skipped nor something that is never executed."""
        if self.decision is not None:
            return self.decision == "build"
        return self.status not in {"skipped", "no-op"}


@dataclass(frozen=True)
class Outcome:
    """A finished command: its exit code, its output, and its results if it wrote ``run_results.json``."""

    command: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    nodes: Mapping[str, NodeResult] = field(default_factory=dict)
    """Results by unique id."""
    exception: BaseException | None = None
    """What dbt raised, when it ran in this process."""

    @property
    def executed(self) -> set[str]:
        """Names of the nodes that dbt worked on, tests included."""
        return {node.name for node in self.nodes.values() if node.was_executed}

    @property
    def reused(self) -> set[str]:
        """Names of the nodes that Afresh reused, tests included."""
        return {node.name for node in self.nodes.values() if node.decision == "reuse"}

    @property
    def executed_models(self) -> set[str]:
        """Like :attr:`executed`, without data tests and unit tests."""
        return {node.name for node in self.nodes.values() if node.was_executed and not _is_test(node)}

    @property
    def reused_models(self) -> set[str]:
        """Like :attr:`reused`, without data tests and unit tests."""
        return {node.name for node in self.nodes.values() if node.decision == "reuse" and not _is_test(node)}

    @property
    def statuses(self) -> dict[str, str]:
        """dbt's own status of each node, by name."""
        return {node.name: node.status for node in self.nodes.values()}

    def node(self, name: str) -> NodeResult:
        """The result of the one node called ``name``."""
        (found,) = (node for node in self.nodes.values() if node.name == name)
        return found

    def reasons(self, name: str) -> tuple[str, ...]:
        """The codes of all reasons for the decision about the one node called ``name``."""
        return self.node(name).reasons

    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.stdout)


def read_results(project: Path) -> dict[str, NodeResult]:
    """The results that the last command in this project folder wrote, by unique id; empty if it wrote none."""
    path = project / RUN_RESULTS
    if not path.exists():
        return {}
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    return {result["unique_id"]: _node_result(result) for result in results}


def _node_result(result: Mapping[str, Any]) -> NodeResult:
    return NodeResult(
        unique_id=result["unique_id"],
        status=result["status"],
        message=result["message"],
        execution_time=result["execution_time"],
        compiled_code=result.get("compiled_code"),
        afresh=(result.get("adapter_response") or {}).get("afresh"),
    )


def _is_test(node: NodeResult) -> bool:
    return node.unique_id.startswith(("test.", "unit_test."))
