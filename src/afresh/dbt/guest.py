"""Afresh's seat in one of dbt's tasks: what dbt calls at each point of the seam, and what it gets back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from afresh.core.decision import Build, Reuse
from afresh.core.node import TESTS, Kind, NodeId
from afresh.dbt import collector, termination
from afresh.dbt.compat import queue, results, seam_points, unit_tests
from afresh.dbt.step_summary import write_step_summary
from afresh.errors import AfreshError
from afresh.orchestration.journal import NodeDone
from afresh.orchestration.node_session import NodeSession
from afresh.orchestration.order import writers_of_reads
from afresh.orchestration.outcome import Ran, Refused, Reused
from afresh.orchestration.run_ending import close_run
from afresh.orchestration.run_report import about, report_of_run
from afresh.orchestration.waiting import WaitingRoom
from afresh.render.sentences import reused_line
from afresh.render.text import summary_line
from afresh.render.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from afresh.core.relation import TraceKey
    from afresh.dbt.host import DbtHost
    from afresh.dbt.options import Options
    from afresh.orchestration.host import BuildReport
    from afresh.orchestration.run_session import RunSession


class RunGuest:
    """Takes part in a task that builds: reuses what may be reused, and leads every other node through the protocol."""

    def __init__(self, task: Any, session: RunSession, host: DbtHost, options: Options) -> None:
        self._task = task
        self._session = session
        self._nodes = NodeSession(session)
        self._host = host
        self._options = options
        self._cancelled = False
        self._numbers: dict[str, int] = {}
        self._waiting = WaitingRoom(session.store, lambda node: queue.put_back(task, node))

    # --- around the run -----------------------------------------------------------------------------------------------

    def execute_with_hooks(self, original: Callable[..., Any], selected: Any) -> Any:
        """The whole run; whatever happens, leases are given back and the run is closed."""
        with termination.in_good_order():
            return self._run(original, selected)

    def _run(self, original: Callable[..., Any], selected: Any) -> Any:
        ended_well = False
        try:
            self._session.lock_files()
            self._host.wait_for_files(self._session.settings.queue_timeout)
            self._host.create_schemas_beside_others()
            result = original(selected)
            if self._session.too_late:
                seam_points.count_as_failed(result)
            ended_well = True
            return result
        finally:
            self._waiting.close()
            close_run(self._session, ended_well=ended_well)
            self._host.close()

    def cancel(self, original: Callable[..., Any], pool: Any) -> None:
        """dbt cancels what runs; what waits for other runs must not keep it from ending."""
        self._cancelled = True
        self._session.leases.stop_waiting()
        self._session.store.stop_retrying()
        with self._host.cancelling_again():
            original(pool)

    def execute_nodes(self, original: Callable[[], Any]) -> Any:
        """Before the first node runs: look at everything once, and take out what is reused in bulk."""
        collector.project_is_read()
        self._host.attach(self._task)
        try:
            self._session.open()
            self._reuse_in_bulk()
        except AfreshError as error:
            self._session.go_on_without_state(error)
        return original()

    def after_run(self, original: Callable[..., Any], adapter: Any, node_results: Any) -> None:
        """After the on-run-end hooks, what they wrote is ours too."""
        original(adapter, node_results)
        self._session.settle()

    def hooks(self, run_hooks: Callable[[], Any]) -> Any:
        """The on-run-start or on-run-end hooks; what they write to our relations is ours."""
        self._host.attach(self._task)
        self._session.hooks_begin()
        with self._host.overhearing() as statements:
            status = run_hooks()
        self._host.end_session()
        self._session.hooks_ended(statements)
        return status

    def task_end_messages(self, original: Callable[..., Any], node_results: Any) -> None:
        """dbt's closing lines, and one of ours."""
        original(node_results)
        report = report_of_run(self._session)
        if not self._options.quiet_summary and report.summary is not None:
            results.say(summary_line(report.summary))
        if self._session.too_late:
            results.error(f"{counted(self._session.too_late, 'source')} past error_after: this run counts as failed")
        problem = write_step_summary(report)
        if problem is not None:
            results.warn(problem)
        if self._options.report is not None:
            self._options.report(report)

    def _now(self) -> datetime:
        """The reader's moment, for short times in the reader's time zone."""
        return self._session.first_picture.now.astimezone()

    # --- in bulk ------------------------------------------------------------------------------------------------------

    def _reuse_in_bulk(self) -> None:
        after = writers_of_reads(self._host, self._session.first_picture)
        reused = self._session.reusable_in_bulk(_ancestors(self._task, after))
        units = {node for node in reused if self._host.node(node).kind is Kind.UNIT_TEST and node not in self._queued()}
        total = self._task.num_nodes + self._not_counted_yet()
        ephemerals = self._ephemerals_to_drop(reused)
        queue.replace_queue(self._task, without={*reused, *ephemerals} - units, after=after)
        unit_tests.drop_unit_tests(self._task, set(units))
        self._finish_bulk(reused, total)

    def _queued(self) -> set[str]:
        return set(self._task.job_queue.graph.nodes())

    def _not_counted_yet(self) -> int:
        """``dbt build`` adds unit tests to the count when the first node starts, and only then."""
        return len(getattr(self._task, "selected_unit_tests", ()))

    def _ephemerals_to_drop(self, reused: Iterable[NodeId]) -> set[NodeId]:
        """Ephemeral models above reused nodes only: whoever needs one compiles it on demand."""
        gone = set(reused)
        order = queue.order_in_queue(self._task)
        above = queue.ancestors_in_queue(self._task)
        dropped: set[NodeId] = set()
        for node in map(NodeId, order):
            if self._host.node(node).kind is Kind.EPHEMERAL and all(NodeId(up) in gone | dropped for up in above[node]):
                dropped.add(node)
        return dropped

    def _finish_bulk(self, reused: dict[NodeId, Reuse], total: int) -> None:
        self._task.num_nodes = total if reused else self._task.num_nodes
        for node_id, decision in reused.items():
            self._task.run_count += 1
            self._task.node_results.append(self._reused_result(node_id, decision))
            line = results.Line(self._task.run_count, self._task.num_nodes)
            results.say_reused(self._host.description(node_id), reused_line(decision, self._now()), line)
            self._session.tally.add(NodeDone(node_id, decision, "reused", 0.0))

    def _reused_result(self, node_id: NodeId, decision: Reuse) -> Any:
        raw = self._host.raw(node_id)
        compiled = self._session.code.compiled(decision.trace) if decision.trace else None
        facts = about(decision, self._session.settings.run_id)
        return results.reused_result(raw, message=reused_line(decision, self._now()), about=facts, compiled=compiled)

    # --- nodes that wait for other runs ---------------------------------------------------------------------------------

    def made_runner(self, runner: Any) -> None:
        """A node that comes back keeps the number that it was given first."""
        number = self._numbers.pop(runner.node.unique_id, None)
        if number is not None:
            self._task.run_count -= 1
            runner.node_index = number

    def before_node(self, runner: Any) -> bool:
        """Everything that comes before a build; a node that has to wait for another run leaves its thread."""
        node_id = NodeId(runner.node.unique_id)
        wait = None if runner.skip or self._cancelled else self._nodes.prepare(node_id)
        if wait is None:
            queue.settle(self._task, node_id)
            return False
        unit_tests.unit_tests_have_run(self._task, node_id)
        self._numbers[node_id] = runner.node_index
        self._waiting.enter(wait)
        return True

    def after_node(self) -> None:
        """Under ``--fail-fast`` nobody waits any longer once something has failed: dbt ends the run with the next node."""
        if self._task._raise_next_tick is not None:  # noqa: SLF001 - there is no public way to ask
            self._waiting.let_all_go()

    # --- one node -----------------------------------------------------------------------------------------------------

    def run_node(self, runner: Any, manifest: Any, original: Callable[..., Any]) -> Any:
        """One node at the moment when dbt is about to run it."""
        node_id = NodeId(runner.node.unique_id)
        if runner.skip:
            outcome = self._nodes.skip(node_id, self._failed_parent(node_id), lambda _before: self._act(runner, manifest, original, None))
            return self._annotated(outcome)
        done = self._nodes.run(node_id, lambda before: self._act(runner, manifest, original, before))
        match done:
            case Ran():
                return self._annotated(done)
            case Reused(decision=decision):
                return self._reused(runner, decision)
            case Refused():
                return self._refused(runner, done)

    def _annotated(self, ran: Ran[Any]) -> Any:
        if ran.decision is not None:
            results.annotate(ran.result, about(ran.decision, self._session.settings.run_id))
        return ran.result

    def _act(self, runner: Any, manifest: Any, original: Callable[..., Any], before: Callable[[], None] | None) -> tuple[Any, BuildReport]:
        if before is not None:
            self._host.warn_of_lost_views(NodeId(runner.node.unique_id))
            seam_points.around_execution(runner, partial(self._before, before), self._host.end_session)
        with self._host.building(NodeId(runner.node.unique_id)), self._host.recording(runner.node.unique_id) as recording:
            recording.may_send = partial(self._may_send, self._host.node(NodeId(runner.node.unique_id)).key)
            result = original(manifest)
        return result, results.report_of(result, sent=recording.execution_sent)

    def _may_send(self, key: TraceKey | None) -> None:
        if key is not None and not self._session.leases.may_go_on(key):
            raise seam_points.CancelledError("the lease of this relation was lost while it was being built")

    def _before(self, before: Callable[[], None]) -> None:
        before()
        if self._cancelled:
            raise seam_points.CancelledError("the run was ended before this node had sent anything")

    def _failed_parent(self, node_id: NodeId) -> str:
        """The parent that failed or was skipped, else the test on a parent, or on the node itself, that did."""
        bad = [entry.node for entry in self._session.tally.done if entry.status in ("error", "skipped")]
        parents = self._host.node(node_id).parents
        above = {*parents, node_id}
        tests = (entry for entry in bad if self._host.node(entry).kind in TESTS and above & set(self._host.node(entry).parents))
        return next((parent for parent in parents if parent in bad), None) or next(tests, "")

    def _reused(self, runner: Any, decision: Reuse) -> Any:
        node_id = NodeId(runner.node.unique_id)
        line = results.Line(runner.node_index, runner.num_nodes)
        results.say_reused(results.describe(runner), reused_line(decision, self._now()), line)
        return self._reused_result(node_id, decision)

    def _refused(self, runner: Any, refused: Refused) -> Any:
        facts = about(Build((refused.reason,)), self._session.settings.run_id)
        result = results.failed_result(runner.node, refused.text, facts)
        results.say_failed(runner, result)
        return result


class PlanGuest(seam_points.NobodyWaits):
    """Takes part in a task that only plans, or does something else in the place of a run: no schema, hook or node runs."""

    def __init__(self, task: Any, session: RunSession, host: DbtHost, options: Options) -> None:
        self._task = task
        self._session = session
        self._host = host
        self._options = options

    def execute_with_hooks(self, original: Callable[..., Any], selected: Any) -> Any:  # noqa: ARG002 - the plan replaces the run
        """Fill dbt's cache of relations as a run does, decide, and end with no results."""
        from afresh.dbt.compat import planning

        if self._options.before_looking is not None:
            self._options.before_looking()
        try:
            self._session.lock_files()
            self._host.wait_for_files(self._session.settings.queue_timeout)
            planning.prepare(self._task)
            self._host.attach(self._task)
            self._session.open()
            (self._options.instead or self._plan)(self._session, self._host)
        finally:
            close_run(self._session, ended_well=True)
            self._host.close()
        return planning.no_results(self._task)

    def _plan(self, session: RunSession, host: DbtHost) -> None:
        from afresh.orchestration.forecast import Queue
        from afresh.orchestration.planning import make_plan

        after = writers_of_reads(host, session.first_picture)
        report = make_plan(session, after, Queue(int(self._task.config.threads), _ancestors(self._task, after)))
        if self._options.report is not None:
            self._options.report(replace(report, warnings=tuple(host.warnings)))

    def execute_nodes(self, original: Callable[[], Any]) -> Any:
        """Never reached: the plan replaces the run."""
        return original()

    def after_run(self, original: Callable[..., Any], adapter: Any, node_results: Any) -> None:
        """Never reached: the plan replaces the run."""
        original(adapter, node_results)

    def hooks(self, run_hooks: Callable[[], Any]) -> Any:
        """Never reached: the plan replaces the run."""
        return run_hooks()

    def cancel(self, original: Callable[..., Any], pool: Any) -> None:
        """Never reached: the plan replaces the run."""
        original(pool)

    def task_end_messages(self, original: Callable[..., Any], results_: Any) -> None:
        """A plan prints itself."""

    def run_node(self, runner: Any, manifest: Any, original: Callable[..., Any]) -> Any:  # noqa: ARG002 - one shape for all guests
        """Never reached: the plan replaces the run."""
        return original(manifest)


def _ancestors(task: Any, after: dict[str, set[str]]) -> dict[NodeId, set[NodeId]]:
    """What comes directly before each node: in dbt's queue, because it writes what the node reads, or as a unit test."""
    found = {NodeId(node): {NodeId(up) for up in above} for node, above in queue.ancestors_in_queue(task).items()}
    for node, writers in after.items():
        found.setdefault(NodeId(node), set()).update(NodeId(writer) for writer in writers)
    for model, tests in unit_tests.unit_tests_of_models(task).items():
        for test in tests:
            found[NodeId(test)] = set(found.get(NodeId(model), ()))
        found.setdefault(NodeId(model), set()).update(NodeId(test) for test in tests)
    return found
