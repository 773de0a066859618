"""A run whose state cannot be reached: plain dbt, and a note on this machine of everything that was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afresh.core.node import NodeId
from afresh.dbt.compat import seam_points
from afresh.orchestration.ids import new_id
from afresh.orchestration.taint_journal import cannot_be_noted

if TYPE_CHECKING:
    from collections.abc import Callable

    from afresh.dbt.host import DbtHost
    from afresh.orchestration.taint_journal import Journal


class StatelessGuest(seam_points.NobodyWaits):
    """Lets dbt run every node, and journals the relations that it may have written."""

    def __init__(self, task: Any, host: DbtHost, journal: Journal) -> None:
        self._task = task
        self._host = host
        self._journal = journal
        self._run_id = new_id()

    def execute_with_hooks(self, original: Callable[..., Any], selected: Any) -> Any:
        """dbt's own run."""
        try:
            return original(selected)
        finally:
            self._host.close()

    def execute_nodes(self, original: Callable[[], Any]) -> Any:
        """dbt's own run of the nodes."""
        self._host.attach(self._task)
        return original()

    def after_run(self, original: Callable[..., Any], adapter: Any, node_results: Any) -> None:
        """dbt's own on-run-end hooks."""
        original(adapter, node_results)

    def cancel(self, original: Callable[..., Any], pool: Any) -> None:
        """dbt cancels what runs."""
        original(pool)

    def hooks(self, run_hooks: Callable[[], Any]) -> Any:
        """dbt's own on-run-start and on-run-end hooks."""
        return run_hooks()

    def task_end_messages(self, original: Callable[..., Any], node_results: Any) -> None:
        """dbt's own closing lines."""
        original(node_results)

    def run_node(self, runner: Any, manifest: Any, original: Callable[..., Any]) -> Any:
        """dbt's own run of one node; what it may have written is noted before the result is known to anybody."""
        with self._host.recording(runner.node.unique_id) as recording:
            result = original(manifest)
        key = self._host.node(NodeId(runner.node.unique_id)).key
        if key is not None and recording.execution_sent:
            self._note(key)
        return result

    def _note(self, key: Any) -> None:
        try:
            self._journal.add(key, self._run_id)
        except OSError as error:
            self._host.say("journal", cannot_be_noted(error))
