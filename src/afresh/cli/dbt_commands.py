"""dbt's own command line, with our options added to the commands that decide per node."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from afresh.config.afresh_yml import load
from afresh.dbt import options as wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from afresh.orchestration.run_report import RunReport

_JSON = "json"
_EXAMPLES = {
    "build": "afresh build --select marts+",
    "run": "afresh run --select orders --force",
    "test": "afresh test --select orders",
    "seed": "afresh seed --select countries",
    "snapshot": "afresh snapshot --state-url postgresql://user@host/db",
    "retry": "afresh retry --queue-timeout 30m",
}


def _options() -> tuple[click.Option, ...]:
    return (
        click.Option(["--force"], is_flag=True, help="Build all that is selected, whatever the state says; still record it."),
        click.Option(["--state-url"], help="Where the shared state is. Example: postgresql://user@host/db"),
        click.Option(["--queue-timeout"], help="How long a node may wait for another run that builds it. Example: 30m"),
        click.Option(["--output"], type=click.Choice(["text", _JSON]), default="text", help="How the closing summary is printed."),
    )


def command_of(arguments: Sequence[str]) -> str:
    """The command that a line asks for; empty where an option before it is not dbt's."""
    from afresh.dbt.compat import command_line

    return command_line.command_of(arguments)


def run_dbt(arguments: Sequence[str], *, command: str) -> int:
    """Hand a command line to dbt; where ``command`` decides per node, take part in it. Returns dbt's exit code."""
    from afresh.dbt.compat import artifacts, command_line

    if not command:
        return command_line.invoke(arguments)
    found: list[RunReport] = []
    ours: dict[str, object] = {}
    with command_line.with_options(command, _options(), ours, example=_EXAMPLES[command]):
        try:
            if not any(word in ("--help", "-h") for word in arguments):
                wishes.activate(_wishes(arguments, command, ours, found.append))
            with artifacts.manifest_written_once():
                code = command_line.invoke(arguments)
        finally:
            wishes.activate(None)
    if ours.get("output") == _JSON and found:
        from afresh.cli.documents import document_of

        sys.stdout.write(document_of(found[-1]))
    return code


def _wishes(arguments: Sequence[str], command: str, ours: dict[str, object], report: Callable[[RunReport], None]) -> wishes.Options:
    """What the line says about the state. dbt parses the same line again, and complains where it is wrong."""
    from afresh.dbt.compat import command_line

    project_dir = command_line.project_dir_of(arguments, command)
    settings = load(project_dir, cli={name: _text(ours.get(name)) for name in ("state_url", "queue_timeout")})
    as_json = ours.get("output") == _JSON
    return wishes.Options(
        settings,
        force=bool(ours.get("force")),
        command="afresh " + " ".join(arguments),
        job=os.environ.get("AFRESH_JOB", ""),
        report=report if as_json else None,
        quiet_summary=as_json,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
