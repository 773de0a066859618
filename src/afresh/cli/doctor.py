"""``afresh doctor``: whether everything works that a run needs, and how each source tells that it changed. Nothing is touched."""

from __future__ import annotations

import io
import re
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, JSON, debug_option, output_option, page, run
from afresh.errors import EXIT_NODE_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.config.settings import Settings
    from afresh.dbt.host import DbtHost
    from afresh.orchestration.examining import SourceFinding
    from afresh.orchestration.run_session import RunSession
    from afresh.render.doctor import CheckLine, Diagnosis, SourceLine

_COMMAND = "afresh doctor"
_PATIENCE = timedelta(seconds=10)
"""How long another program may have a database file open before that is told."""
_LOG_TIME = re.compile(r"^(?:\x1b\[\d+m)*\d\d:\d\d:\d\d\s+", re.MULTILINE)


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, **HELP},
    epilog="All of `dbt build`'s options for selection, target, profile and vars work here. Example: afresh doctor --target prod",
)
@output_option()
@click.option("--state-url", help="Where the state is.")
@debug_option
@click.pass_context
def _doctor(context: click.Context, *, output: str, state_url: str | None) -> int:
    """Look at versions, settings, the state, the warehouse, and at each source of a selected node: how it tells that it changed.

    Nothing is touched.
    """
    found = _diagnosis(context.args, state_url)
    sys.stdout.write(_shown(found, output))
    return EXIT_NODE_FAILED if found.health == "problem" else EXIT_OK


def main(arguments: Sequence[str]) -> int:
    """Look; returns the exit code."""
    return run(_doctor, _COMMAND, arguments)


@dataclass
class _Seen:
    """What came out of leading dbt to the warehouse."""

    has_project: bool = False
    target: str | None = None
    checks: list[CheckLine] = field(default_factory=list)
    sources: tuple[SourceLine, ...] | None = None


def _diagnosis(arguments: Sequence[str], state_url: str | None) -> Diagnosis:
    from afresh.cli.check_lines import settings_lines, state_line, version_lines
    from afresh.cli.in_place import settings_for
    from afresh.render.doctor import CheckLine, Diagnosis

    settings = settings_for(arguments, state_url)
    state = state_line(settings)
    seen, log = _looked(arguments, _for_a_look(settings, state))
    if seen.sources is None:
        if not seen.has_project:
            hint = "`dbt debug` looks at the profile, `dbt parse` at the project."
            raise UsageError("dbt cannot begin" if log else "nothing is selected", where=log or None, hint=hint)
        seen.checks.append(CheckLine("warehouse", "problem", log or "it could not be asked", "`dbt debug` looks at the connection alone."))
    checks = (*version_lines(), *settings_lines(settings), state, *seen.checks)
    return Diagnosis(seen.target, datetime.now(timezone.utc).astimezone(), checks, seen.sources or ())


def _for_a_look(settings: Settings, state: CheckLine) -> Settings:
    """Without a state that can be read, the warehouse is looked at as on the first day."""
    if state.health == "problem":
        settings = replace(settings, state_url=f"sqlite:///{settings.project_dir}/.afresh/no-state-here.db")
    return replace(settings, queue_timeout=min(settings.queue_timeout, _PATIENCE))


def _looked(arguments: Sequence[str], settings: Settings) -> tuple[_Seen, str]:
    """What was seen, and what dbt said where it could not go on."""
    from afresh.cli.in_place import in_place_of_build

    seen = _Seen()

    def project_is_read() -> None:
        seen.has_project = True

    with redirect_stdout(io.StringIO()) as log:
        in_place_of_build(
            arguments, lambda session, host: _look(seen, session, host), command=_COMMAND, settings=settings, before_looking=project_is_read
        )
    return seen, " ".join(_LOG_TIME.sub("", log.getvalue()).split())


def _look(seen: _Seen, session: RunSession, host: DbtHost) -> None:
    from afresh.cli.source_lines import SourcePlace, source_line
    from afresh.orchestration.examining import examine

    def line(found: SourceFinding) -> SourceLine:
        raw = host.raw(found.node.id)
        return source_line(found, SourcePlace(raw.original_file_path, raw.source_name, raw.name))

    seen.target = host.target_name
    seen.checks += [_adapter_line(host), _warehouse_line(host)]
    seen.sources = tuple(map(line, examine(session)))
    seen.checks.append(_reading_line(seen.sources))


def _adapter_line(host: DbtHost) -> CheckLine:
    from afresh.dbt.compat.invocation import adapter_version
    from afresh.render.doctor import CheckLine

    version = adapter_version(host.adapter_type)
    if host.engine.dialect:
        return CheckLine("adapter", "ok", f"{version}: Afresh asks it itself what changed")
    return CheckLine("adapter", "warning", f"{version}: Afresh has no signal of its own for it, so sources need loaded_at_field")


def _warehouse_line(host: DbtHost) -> CheckLine:
    from afresh.render.doctor import CheckLine

    told = f"reached with target {host.target_name}"
    if not host.current_date():
        return CheckLine(
            "warehouse", "problem", f"{told}, and it does not tell its date", "Without it, SQL that uses the date is not understood."
        )
    if host.warehouse is None:
        hint = "Nothing is remembered of it, so everything is built. `warehouse_id` in afresh.yml gives it a name."
        return CheckLine("warehouse", "problem", f"{told}, and nobody can tell which one it is", hint)
    return CheckLine("warehouse", "ok", f"{told}: {host.warehouse}")


def _reading_line(sources: tuple[SourceLine, ...]) -> CheckLine:
    from afresh.render.doctor import CheckLine

    told = sum(1 for line in sources if line.strength != "none")
    return CheckLine("sources", "ok" if told == len(sources) else "problem", f"{told:,} of {len(sources):,} tell whether they changed")


def _shown(found: Diagnosis, output: str) -> str:
    from afresh.render.doctor import doctor_json, doctor_text

    if output == JSON:
        return doctor_json(found)
    shape = page()
    return doctor_text(found, width=shape.width, color=shape.color)
