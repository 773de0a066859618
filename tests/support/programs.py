"""Starts the installed programs as processes of their own: each with its own process id, session, pipes, signals and exit code.

Importing dbt is most of the work of a short command. So the process is, where that can be, a fork of an interpreter that has done
nothing but import it (``support.interpreter``); what is asked of the interpreter itself needs a new one.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TextIO

_OF_THE_INTERPRETER = ("PYTHON", "LANG", "LC_")
"""Variables that an interpreter reads when it starts."""


@dataclass(eq=False)
class Forked:
    """A process on its way; what is used here of :class:`subprocess.Popen`, and it means the same."""

    args: Sequence[str]
    stdout: TextIO
    stderr: TextIO
    _told: socket.socket
    pid: int = field(init=False)
    returncode: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Wait until there is a process."""
        self.pid = self._next_number()

    def poll(self) -> int | None:
        """The exit code, negative after a signal; None while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = self._next_number()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not ended in time.
        """
        if self.returncode is None and not select.select([self._told], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait for it, and read what it still prints.

        Raises:
            subprocess.TimeoutExpired: it has not ended in time.
        """
        with ThreadPoolExecutor(2) as pool:
            reading = [pool.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()  # so that the threads come to the end of what it prints
                raise
            stdout, stderr = (one.result() for one in reading)
        return stdout, stderr

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to it alone, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended just now, and that is on its way here
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Forked:  # noqa: PYI034 - Self is not in the oldest Python's typing
        """Nothing more."""
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None) -> None:
        """Close its pipes and wait for it."""
        self.stdout.close()
        self.stderr.close()
        self.wait()
        self._told.close()

    def _next_number(self) -> int:
        line = b""
        while not line.endswith(b"\n"):
            received = self._told.recv(1)
            assert received, "the process that keeps this one has gone"
            line += received
        return int(line)


Started = subprocess.Popen[str] | Forked


def start(program: str, *arguments: str, folder: Path, environment: Mapping[str, str]) -> Started:
    """Start one of the programs beside this Python, with nothing to read, at the head of its own session."""
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    if sys.platform == "linux" and _interpreter_settings(environment) == _interpreter_settings(os.environ):
        return _fork(command, folder, environment)
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _interpreter_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_OF_THE_INTERPRETER)}


def _fork(command: list[str], folder: Path, environment: Mapping[str, str]) -> Forked:
    request = {"arguments": command, "folder": str(folder), "environment": dict(environment)}
    nothing = os.open(os.devnull, os.O_RDONLY)
    stdout, its_stdout = os.pipe()
    stderr, its_stderr = os.pipe()
    told, its_keeper = socket.socketpair()
    theirs = [nothing, its_stdout, its_stderr, its_keeper.fileno()]
    socket.send_fds(_interpreter(), [json.dumps(request).encode()], theirs)
    for descriptor in theirs[:-1]:
        os.close(descriptor)
    its_keeper.close()
    return Forked(command, os.fdopen(stdout, encoding="utf-8"), os.fdopen(stderr, encoding="utf-8"), told)


@cache
def _interpreter() -> socket.socket:
    """Where the interpreter of this test run takes requests; it ends with this process."""
    requests, its_requests = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("interpreter.py")), str(its_requests.fileno())],
        pass_fds=[its_requests.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,  # pipes, as the programs have
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    its_requests.close()

    def end() -> None:
        requests.close()
        process.communicate()

    atexit.register(end)
    return requests
