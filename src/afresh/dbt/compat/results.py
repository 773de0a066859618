"""The results and log lines of nodes that dbt did not run itself, as each dbt version knows them.

dbt 1.12 has the status ``reused``; 1.10 and 1.11 have ``no-op``; 1.8 and 1.9 crash on any status that they do not know,
so a reused node is a ``success`` there, and a reused test a ``pass``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbt.artifacts.schemas.results import NodeStatus, RunStatus, TestStatus
from dbt.artifacts.schemas.run import RunResult
from dbt.events.types import LogModelResult, LogTestResult
from dbt.node_types import NodeType
from dbt_common.events.base_types import EventLevel, msg_from_base_event
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.events.format import format_fancy_output_line
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Formatting

from afresh.core.trace import TestOutcome
from afresh.core.trace import TestStatus as Outcome
from afresh.orchestration.host import BuildEnd, BuildReport

if TYPE_CHECKING:
    from collections.abc import Mapping

_TESTS = (NodeType.Test, NodeType.Unit)
_OWN_STATUS = getattr(RunStatus, "Reused", None) or getattr(RunStatus, "NoOp", None)
_FAILED = {NodeStatus.Error, NodeStatus.Fail}


@dataclass(frozen=True)
class Line:
    """Where a node stands in the run's log: its number, and of how many."""

    index: int
    total: int


def reused_result(node: Any, *, message: str, about: Mapping[str, object], compiled: str | None) -> RunResult:
    """The result of a node that stays as it is; its compiled SQL is restored, since other tools read it."""
    if compiled is not None and hasattr(node, "compiled_code"):
        node.compiled_code = compiled
        node.compiled = True
    is_test = node.resource_type in _TESTS
    status = _OWN_STATUS or (TestStatus.Pass if is_test else RunStatus.Success)
    result = RunResult.from_node(node, status, f"REUSED {message}")
    result.failures = 0 if is_test else None
    result.adapter_response = {"afresh": dict(about)}
    return result


def failed_result(node: Any, text: str, about: Mapping[str, object]) -> RunResult:
    """The result of a node that fails for a reason of ours."""
    result = RunResult.from_node(node, RunStatus.Error, text)
    result.adapter_response = {"afresh": dict(about)}
    return result


def annotate(result: Any, about: Mapping[str, object]) -> None:
    """Add what was decided to dbt's own result of a node."""
    result.adapter_response = {**(result.adapter_response or {}), "afresh": dict(about)}


def report_of(result: Any, *, sent: bool) -> BuildReport:
    """dbt's result of a node that it ran, in the protocol's words."""
    return BuildReport(
        end=_end_of(result),
        may_have_written=sent,
        seconds=float(result.execution_time or 0.0),
        message=str(result.message or ""),
        rows=_rows(result.adapter_response or {}),
        test=_test_outcome(result) if result.node.resource_type in _TESTS else None,
    )


def _end_of(result: Any) -> BuildEnd:
    if result.status in _FAILED:
        return BuildEnd.FAILED
    if result.status == NodeStatus.Skipped:
        return BuildEnd.SKIPPED
    if result.status == getattr(NodeStatus, "PartialSuccess", object()):
        return BuildEnd.PARTIAL
    return BuildEnd.SUCCESS


def _rows(response: Mapping[str, Any]) -> int | None:
    rows = response.get("rows_affected")
    return rows if isinstance(rows, int) and rows >= 0 else None


def _test_outcome(result: Any) -> TestOutcome | None:
    known = {
        NodeStatus.Pass: Outcome.PASS,
        NodeStatus.Success: Outcome.PASS,
        NodeStatus.Warn: Outcome.WARN,
        NodeStatus.Fail: Outcome.FAIL,
        NodeStatus.Error: Outcome.ERROR,
    }
    status = known.get(result.status)
    return None if status is None else TestOutcome(status, result.failures)


def say_reused(description: str, message: str, line: Line) -> None:
    """dbt's line of a node, with one more status."""
    text = format_fancy_output_line(msg=f"REUSED {description}", status=f"REUSED {message}", index=line.index, total=line.total)
    fire_event(Formatting(text))


def say_waiting(description: str, message: str, line: Line) -> None:
    """dbt's line of a node that waits for another run."""
    text = format_fancy_output_line(msg=f"WAITING {description}", status=message, index=line.index, total=line.total)
    fire_event(Formatting(text))


def say_failed(runner: Any, result: Any) -> None:
    """dbt's own line of a node that failed for a reason of ours."""
    node = runner.node
    common: dict[str, Any] = {"status": "error", "index": runner.node_index, "execution_time": 0.0, "node_info": node.node_info}
    if node.resource_type in _TESTS:
        event = LogTestResult(name=node.name, num_models=runner.num_nodes, num_failures=0, **common)
    else:
        event = LogModelResult(description=describe(runner), total=runner.num_nodes, **common)
    fire_event(event, level=EventLevel.ERROR)
    _ = result


def say(text: str) -> None:
    """One line of ours in dbt's log."""
    fire_event(Formatting(text))


def error(text: str) -> None:
    """One error of ours in dbt's log."""
    fire_event(Formatting(f"[ERROR] Afresh: {text}"), level=EventLevel.ERROR)


def warn(text: str) -> None:
    """One warning of ours in dbt's log.

    It is no error under ``--warn-error``, which from dbt-core 1.12 on would turn any event of this level into one.
    """
    manager = get_event_manager()
    message = msg_from_base_event(Formatting(f"[WARNING] Afresh: {text}"), level=EventLevel.WARN)
    for logger in manager.loggers:
        if logger.filter(message):
            logger.write_line(message)
    for callback in manager.callbacks:
        callback(message)


def describe(runner: Any) -> str:
    """What dbt calls a node in its log lines: ``sql table model main.orders``."""
    try:
        return str(runner.describe_node())
    except (AttributeError, NotImplementedError):
        return f"{runner.node.resource_type} {runner.node.name}"
