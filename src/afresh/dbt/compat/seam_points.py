"""The points of dbt's tasks at which Afresh takes part; the same methods in dbt-core 1.8 to 1.12.

Three methods of the common base of all tasks are replaced once per process: ``_runtime_initialize``, after which a task
knows what is selected, ``get_runner``, which makes the object that runs one node, and ``interpret_results``, which reads the
exit code out of a run's results. Everything else is set on the *instances* of tasks and runners that take part, so other
commands and the batches of microbatch models, which dbt makes without ``get_runner``, are never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from dbt.task.runnable import GraphRunnableTask
from dbt_common.exceptions import DbtRuntimeError

from afresh.dbt.compat.errors import told_by_dbt

if TYPE_CHECKING:
    from collections.abc import Callable

TASKS = frozenset({"BuildTask", "RunTask", "SeedTask", "SnapshotTask", "TestTask"})
"""Tasks that take part, by name: ``isinstance`` would match source freshness too."""
_RETRY = "dbt.task.retry"
"""The module whose class wraps one of these tasks to run a part of it again."""

_GUEST = "_afresh_guest"
_installed: list[bool] = []


class CancelledError(DbtRuntimeError):
    """A node must not send its SQL, because the run is being ended."""


_FAILED = "_afresh_failed"
"""Set on the results of a run that failed although each of its nodes may have done well."""


def count_as_failed(run_results: Any) -> None:
    """Make dbt end this run with the exit code of a failure."""
    setattr(run_results, _FAILED, True)


class Parked:
    """In the place of a node's result: the node left its thread, and comes back."""


class Guest(Protocol):
    """What takes part in one task."""

    def execute_with_hooks(self, original: Callable[..., Any], selected: Any) -> Any:
        """Around the whole run: hooks, nodes, clean-up."""

    def execute_nodes(self, original: Callable[[], Any]) -> Any:
        """Around the nodes; the relation cache is filled and on-run-start hooks are done."""

    def after_run(self, original: Callable[..., Any], adapter: Any, results: Any) -> None:
        """Around the on-run-end hooks; connections are still open afterwards."""

    def hooks(self, run_hooks: Callable[[], Any]) -> Any:
        """Around the on-run-start hooks or the on-run-end hooks, where the project has any; their connection is open."""

    def cancel(self, original: Callable[..., Any], pool: Any) -> None:
        """Around the end of a run that is interrupted, or that failed fast: dbt cancels queries and joins its threads."""

    def task_end_messages(self, original: Callable[..., Any], results: Any) -> None:
        """Around dbt's closing lines."""

    def made_runner(self, runner: Any) -> None:
        """A node was given out, and the object that runs it was made."""

    def before_node(self, runner: Any) -> bool:
        """Before one node, on the thread that is to run it: whether it leaves the thread, to come back later."""

    def after_node(self) -> None:
        """After the result of one node was taken in."""

    def run_node(self, runner: Any, manifest: Any, original: Callable[..., Any]) -> Any:
        """Around one node, at the moment when dbt is about to run it."""


class NobodyWaits:
    """The part of a guest whose nodes never leave their threads."""

    def made_runner(self, runner: Any) -> None:
        """Nothing to do."""

    def before_node(self, runner: Any) -> bool:  # noqa: ARG002 - one shape for all guests
        """Every node goes on."""
        return False

    def after_node(self) -> None:
        """Nothing to do."""


def install(invite: Callable[[Any], Guest | None], prepare: Callable[[Any], object]) -> None:
    """Take part from now on: ``invite`` is asked for every task whether there is a guest. Repeated calls replace it."""
    _invite[:] = [invite]
    _prepare[:] = [prepare]
    if _installed:
        return
    _installed.append(True)
    initialize, get_runner = GraphRunnableTask._runtime_initialize, GraphRunnableTask.get_runner

    def _runtime_initialize(self: Any) -> None:
        if not _is_ours(self):
            initialize(self)
            return
        with told_by_dbt():
            _prepare[0](self)
        initialize(self)
        with told_by_dbt():
            guest = _invite[0](self)
        if guest is not None:
            _seat(self, guest)

    def _get_runner(self: Any, node: Any) -> Any:
        runner = get_runner(self, node)
        guest = getattr(self, _GUEST, None)
        if guest is not None:
            _serve(runner, guest)
        return runner

    def _interpret_results(run_results: Any) -> bool:
        return bool(interpret(run_results)) and not hasattr(run_results, _FAILED)

    interpret = GraphRunnableTask.interpret_results
    GraphRunnableTask.interpret_results = staticmethod(_interpret_results)
    GraphRunnableTask._runtime_initialize = _runtime_initialize
    GraphRunnableTask.get_runner = _get_runner


def _is_ours(task: Any) -> bool:
    kind = next(one for one in type(task).__mro__ if one.__module__ != _RETRY)
    return kind.__name__ in TASKS


_invite: list[Callable[[Any], Guest | None]] = []
_prepare: list[Callable[[Any], object]] = []


def _seat(task: Any, guest: Guest) -> None:
    setattr(task, _GUEST, guest)
    with_hooks, nodes = task.execute_with_hooks, task.execute_nodes
    after, end = task.after_run, task.task_end_messages

    def execute_with_hooks(selected: Any) -> Any:
        with told_by_dbt():
            return guest.execute_with_hooks(with_hooks, selected)

    task.execute_with_hooks = execute_with_hooks
    task.execute_nodes = lambda: guest.execute_nodes(nodes)
    task.after_run = lambda adapter, results: guest.after_run(after, adapter, results)
    task.task_end_messages = lambda results: guest.task_end_messages(end, results)
    cancel = task._cancel_connections
    task._cancel_connections = lambda pool: guest.cancel(cancel, pool)
    _seat_at_hooks(task, guest)
    _seat_at_queue(task, guest)


def _seat_at_queue(task: Any, guest: Guest) -> None:
    call, handle = task.call_runner, task.handle_job_queue

    def call_runner(runner: Any, *args: Any, **kwargs: Any) -> Any:
        if hasattr(runner, _GUEST) and guest.before_node(runner):
            return Parked()
        return call(runner, *args, **kwargs)

    def handle_job_queue(pool: Any, callback: Callable[[Any], None]) -> None:
        def take_in(result: Any) -> None:
            if not isinstance(result, Parked):
                callback(result)
                guest.after_node()

        handle(pool, take_in)

    task.call_runner, task.handle_job_queue = call_runner, handle_job_queue


def _seat_at_hooks(task: Any, guest: Guest) -> None:
    run_hooks = task.safe_run_hooks

    def safe_run_hooks(adapter: Any, hook_type: Any, extra_context: Any) -> Any:
        if not task.get_hooks_by_type(hook_type):
            return run_hooks(adapter, hook_type, extra_context)
        return guest.hooks(lambda: run_hooks(adapter, hook_type, extra_context))

    task.safe_run_hooks = safe_run_hooks


def _serve(runner: Any, guest: Guest) -> None:
    original = runner.run_with_hooks
    runner.run_with_hooks = lambda manifest: guest.run_node(runner, manifest, original)
    setattr(runner, _GUEST, guest)
    guest.made_runner(runner)


def around_execution(runner: Any, before: Callable[[], None], after: Callable[[], None]) -> None:
    """Call ``before`` when the runner has compiled its node and is about to send its SQL, and ``after`` when that has run well.

    Both are called on the node's own thread and connection.
    """
    original = runner.run

    def run(compiled_node: Any, manifest: Any) -> Any:
        before()
        result = original(compiled_node, manifest)
        after()
        return result

    runner.run = run
