"""An interpreter that has imported dbt and Afresh and then becomes, in a fork, whatever program it is asked for.

Run as a program by ``support.programs``; argument: the number of the socket that requests come through. Nothing of dbt may be run
here before the fork, only imported: a program then begins as in an interpreter of its own, without the seconds of importing.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

PRELOADED = ("dbt.cli.main", "dbt.task.build", "dbt.adapters.duckdb", "dbt.adapters.postgres", "sqlglot.dialects")
LONGEST_REQUEST = 1 << 20


def main() -> None:
    """Answer requests until nobody is left to ask; returns only in a fork, once its program has returned."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    sys.path[0] = str(Path(sys.executable).parent)  # as for the programs in this folder
    for module in (*PRELOADED, *_modules_of("afresh")):
        with suppress(ImportError):  # what this version of dbt lacks
            import_module(module)
    program = _next_program(requests)
    if program:
        runpy.run_path(program, run_name="__main__")


def _modules_of(package: str) -> Iterator[str]:
    """Every module of a package, apart from the one that is a program."""
    found = walk_packages(import_module(package).__path__, f"{package}.")
    return (module.name for module in found if not module.name.endswith("__main__"))


def _next_program(requests: socket.socket) -> str:
    """What this process, a fork, is to run; empty in the first process, when no more requests come."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, LONGEST_REQUEST, 4)
        if not request:
            return ""
        if os.fork() == 0:
            requests.close()
            return _keep(json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _reap()


def _reap() -> None:
    """Forget the keepers that have ended."""
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if ended == 0:
            return


def _keep(request: dict[str, Any], descriptors: list[int]) -> str:
    """Fork once more and stay to tell the exit code at the end; only the new process, which tells its own id, returns."""
    *standard, report = descriptors
    process = os.fork()
    with socket.socket(fileno=report) as told:
        if process == 0:
            _become(request, standard)
            told.sendall(f"{os.getpid()}\n".encode())
            return sys.argv[0]
        for descriptor in standard:
            os.close(descriptor)
        _, status = os.waitpid(process, 0)
        told.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(request: dict[str, Any], standard: list[int]) -> None:
    """Take on everything by which a new process differs from this one."""
    os.setsid()
    for number, descriptor in enumerate(standard):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["arguments"]
    time.tzset()
    from dbt_common.invocation import reset_invocation_id

    reset_invocation_id()


if __name__ == "__main__":
    main()
