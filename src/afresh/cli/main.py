"""``afresh``: dbt's commands with one more power, and the commands that tell what it does.

Nothing heavy is imported here: ``afresh --help`` and the commands that need no dbt must not wait for it.
"""

from __future__ import annotations

import atexit
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from afresh import __version__
from afresh.dbt.collector import fewer_collections
from afresh.dbt.options import STATE_AWARE
from afresh.errors import EXIT_COULD_NOT_RUN, EXIT_OK, AfreshError, UsageError

OWN = {
    "plan": "afresh.cli.plan",
    "explain": "afresh.cli.explain",
    "status": "afresh.cli.status",
    "runs": "afresh.cli.runs",
    "recommend": "afresh.cli.recommend",
    "state": "afresh.cli.state",
    "doctor": "afresh.cli.doctor",
    "demo": "afresh.cli.demo",
}
"""Our commands: each module has a ``main(arguments) -> int``."""

_READER_IS_GONE = 141
"""What a shell reports of a program whose output nobody reads any more (`afresh plan | head`)."""

_HELP = f"""Usage: afresh COMMAND [OPTIONS]

  dbt, building only what changed. (afresh {__version__})

Commands that decide per node whether to build it, with all of dbt's options:
  build, run, test, seed, snapshot, retry

Commands that tell what is done and why:
  plan       what `build` would do now, without touching anything
  explain    why a node was built or reused the last time
  status     who runs, who waits for whom, and how each node stands
  runs       what the last runs did
  recommend  which intervals between builds would have saved work
  doctor     whether all works that a run needs, and how each source tells that it changed
  demo       an example project in three acts, on embedded DuckDB

Commands for the state itself:
  state      show, check, invalidate, forget, prune, adopt, export or import what is recorded

Every other command (ls, compile, docs, deps, source freshness, …) is handed to dbt unchanged.

Examples:
  afresh build
  afresh build --select marts+ --force
  afresh plan --select tag:hourly
  afresh explain orders
  afresh status --watch

`afresh COMMAND --help` tells the options of a command.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: dbt's, or 2 when the command could not run."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except AfreshError as error:
        if "--debug" in given:
            raise
        sys.stderr.write(f"afresh: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("afresh: interrupted\n")
        return EXIT_COULD_NOT_RUN
    except BrokenPipeError:
        raise
    except Exception as error:
        if "--debug" in given:
            raise
        sys.stderr.write(f"afresh: a bug of ours, please report it: {error!r}\n  `--debug` shows where it happened.\n")
        return EXIT_COULD_NOT_RUN


def _run(given: list[str]) -> int:
    if not given or given[0] in ("--help", "-h", "help"):
        sys.stdout.write(_HELP)
        return EXIT_OK
    if given[0] == "--version":
        sys.stdout.write(f"afresh {__version__}\n")
        return EXIT_OK
    with fewer_collections():
        return _run_command(given)


def _run_command(given: list[str]) -> int:
    if given[0] in OWN:
        return int(import_module(OWN[given[0]]).main(given[1:]))
    from afresh.cli.dbt_commands import command_of, run_dbt

    command = command_of(given)
    if command in OWN:
        raise UsageError(f"the options of `{command}` stand behind it", hint=f"Example: afresh {command} --debug")
    return run_dbt(given, command=command if command in STATE_AWARE else "")


def run() -> None:
    """The installed program: :func:`main`, and an end that does not take millions of objects apart one by one."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a sign gets a question mark
    try:
        code = main()
        atexit._run_exitfuncs()  # noqa: SLF001 - what a normal end does first; there is no public name for it
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = _READER_IS_GONE
    os._exit(code)


if __name__ == "__main__":
    run()
