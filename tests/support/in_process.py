"""Runs dbt and Afresh inside the test's own process: as real as a new process, and seconds faster.

dbt keeps much of an invocation in globals (adapters, flags, loggers, invocation id, the DuckDB file it opened). Each run here
starts and ends without them, so that no test sees another one's. Only one run at a time: for two at once, use processes.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from support.outcome import RUN_RESULTS, Outcome, read_results
from support.shortcuts import take_shortcuts

Environment = Mapping[str, "str | None"]


def invoke_dbt(project: Path, *args: str, env: Environment | None = None) -> Outcome:
    """Run ``dbt ARGS`` in the folder ``project``; a name with the value None is taken out of the environment."""
    return _invoke(project, ("dbt", *args), _run_dbt, env or {})


def invoke_afresh(project: Path, *args: str, env: Environment | None = None) -> Outcome:
    """Run ``afresh ARGS`` in the folder ``project``; a name with the value None is taken out of the environment."""
    return _invoke(project, ("afresh", *args), _run_afresh, env or {})


def _run_dbt(args: Sequence[str]) -> tuple[int, BaseException | None]:
    from dbt.cli.main import dbtRunner

    result = dbtRunner().invoke(list(args))
    if result.exception is not None:
        print(result.exception, file=sys.stderr)
        return 2, result.exception
    return (0 if result.success else 1), None


def _run_afresh(args: Sequence[str]) -> tuple[int, BaseException | None]:
    from afresh.cli.main import main

    try:
        return main(list(args)), None
    except SystemExit as stop:
        return (stop.code if isinstance(stop.code, int) else int(stop.code is not None)), None


def _invoke(
    project: Path,
    command: tuple[str, ...],
    run: Callable[[Sequence[str]], tuple[int, BaseException | None]],
    env: Environment,
) -> Outcome:
    (project / RUN_RESULTS).unlink(missing_ok=True)
    stdout, stderr = io.StringIO(), io.StringIO()
    with _inside(project, env), redirect_stdout(stdout), redirect_stderr(stderr), _own_dbt_globals():
        exit_code, exception = run(command[1:])
    _show(command, exit_code, stdout.getvalue(), stderr.getvalue())
    return Outcome(command, exit_code, stdout.getvalue(), stderr.getvalue(), read_results(project), exception)


def _show(command: Sequence[str], exit_code: int, stdout: str, stderr: str) -> None:
    """Print the run for pytest, which shows it when the test fails."""
    print(f"$ {' '.join(command)}\n{stdout}{stderr}[exit code {exit_code}]")


@contextmanager
def _inside(folder: Path, env: Environment) -> Iterator[None]:
    cwd, environ = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    os.environ.update({name: value for name, value in env.items() if value is not None})
    for name, value in env.items():
        if value is None:
            os.environ.pop(name, None)
    try:
        yield
    finally:
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(environ)


@contextmanager
def _own_dbt_globals() -> Iterator[None]:
    take_shortcuts()
    _forget_last_invocation()
    try:
        yield
    finally:
        _forget_last_invocation()


def _forget_last_invocation() -> None:
    from dbt import deprecations
    from dbt.adapters.factory import reset_adapters
    from dbt_common.events.event_manager_client import cleanup_event_logger
    from dbt_common.events.functions import reset_metadata_vars
    from dbt_common.invocation import reset_invocation_id

    deprecations.reset_deprecations()
    reset_adapters()
    _close_duckdb()
    cleanup_event_logger()
    _close_log_handlers()
    reset_metadata_vars()
    reset_invocation_id()


def _close_duckdb() -> None:
    """Close the database file that dbt-duckdb keeps open for the life of its process, and with it the file's lock."""
    connections: Any = sys.modules.get("dbt.adapters.duckdb.connections")
    if connections is None or connections.DuckDBConnectionManager._ENV is None:
        return
    connections.DuckDBConnectionManager._ENV.close()
    connections.DuckDBConnectionManager._ENV = None


def _close_log_handlers() -> None:
    import logging

    for name in ("stdout_log", "file_log"):
        log = logging.getLogger(name)
        for handler in list(log.handlers):
            log.removeHandler(handler)
            handler.close()
