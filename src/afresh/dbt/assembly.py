"""Putting together what takes part in one task: settings of nodes, host, state, session, guest."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from afresh import __version__
from afresh.config.node_settings import NodeSettings, validate_all, warnings_of
from afresh.core.lease import Holder
from afresh.dbt.assumed import assumed_changed
from afresh.dbt.compat import invocation, results
from afresh.dbt.compat.sessions import name_sessions
from afresh.dbt.compat.task_facts import TaskFacts
from afresh.dbt.guest import PlanGuest, RunGuest
from afresh.dbt.host import DbtHost, Parts
from afresh.dbt.node_configs import node_configs
from afresh.dbt.shown_command import shown_command
from afresh.dbt.stateless import StatelessGuest
from afresh.errors import UsageError
from afresh.orchestration.heartbeat import BELIEVED
from afresh.orchestration.ids import new_id
from afresh.orchestration.run_session import RunSession
from afresh.orchestration.run_settings import RunSettings
from afresh.orchestration.what_if import WhatIf
from afresh.render.words import counted
from afresh.store import RunRecord, open_store
from afresh.wiring import journal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from afresh.config.settings import Settings
    from afresh.core.relation import Relation
    from afresh.dbt.code_service import CodeService
    from afresh.dbt.compat.seam_points import Guest
    from afresh.dbt.options import Options
    from afresh.orchestration.taint_journal import Journal
    from afresh.store import StateStore


_THIS_MINUTE = timedelta(minutes=1)
"""Whoever writes a moment without seconds may mean the minute that has begun."""


def assemble(task: Any, options: Options) -> Guest:
    """What takes part in a task that has state.

    Raises:
        UsageError: a setting of a node or of the project is wrong.
        StateUnavailableError: the state cannot be opened.
    """
    known = _node_settings(task, options.settings)
    what_if = WhatIf(assumed_changed(task.manifest, options.assume_changed), options.at)
    store = open_store(
        options.settings.state_url, base=options.settings.project_dir, read_only=options.plan, patience=options.settings.lease_ttl
    )
    host = _host(task, options, known, secrets_key=store.secrets_key())
    journal = journal_of(options.settings)
    if not options.plan:
        _hand_over(journal, store)
    settings = replace(_run_settings(task, options, store), what_if=what_if)
    name_sessions(task, settings.run_id)
    session = RunSession(store=store, host=host, settings=settings, journal=journal)
    return (RunGuest if options.builds else PlanGuest)(task, session, host, options)


def assemble_without_state(task: Any, options: Options) -> Guest:
    """What takes part in a task whose state cannot be reached: nothing is reused, and what is built is noted down."""
    known = _node_settings(task, options.settings)
    return StatelessGuest(task, _host(task, options, known, secrets_key=""), journal_of(options.settings))


def _hand_over(journal: Journal, store: StateStore) -> None:
    count = journal.hand_over(store)
    if count:
        were = "was" if count == 1 else "were"
        results.say(f"Afresh: {counted(count, 'relation')} {were} built while the state could not be reached, to be built again.")


def _host(task: Any, options: Options, known: Mapping[str, NodeSettings], *, secrets_key: str) -> DbtHost:
    parts = Parts(
        lambda raw: known.get(str(raw.unique_id)) or NodeSettings(),
        _code_service_of(options.settings, secrets_key.encode()),
        options.settings.warehouse_id,
        options.at,
    )
    host = DbtHost(TaskFacts(task), parts, force=options.force, only_looks=options.plan)
    for text in (*options.settings.warnings, *warnings_of(known)):
        host.say(f"setting:{text}", text)
    return host


def _code_service_of(settings: Settings, key: bytes) -> Callable[[Any, Any, Any, Callable[[Any], Relation | None]], CodeService]:
    def make(manifest: Any, config: Any, adapter: Any, relation_of: Callable[[Any], Relation | None]) -> CodeService:
        from afresh.dbt.code_service import CodeService

        return CodeService(
            manifest,
            config,
            adapter,
            secrets_key=key,
            volatile_env_patterns=settings.volatile_env_vars,
            project_dir=settings.project_dir,
            relation_of=relation_of,
        )

    return make


def _node_settings(task: Any, settings: Settings) -> Mapping[str, NodeSettings]:
    """Reads and checks the settings of every node and source at once, before anything runs."""
    return validate_all(node_configs(task.manifest, task.config), settings.defaults)


def _moment_of(options: Options, store: StateStore) -> datetime:
    """When the run starts by the state's clock, or when a plan is asked to let it start.

    Raises:
        UsageError: that moment is over.
    """
    now = store.now()
    if options.at is None or options.at >= now - _THIS_MINUTE:
        return options.at or now
    store.close()
    raise UsageError(
        f"{options.at:%Y-%m-%d %H:%M} is over",
        where="option --at",
        hint="A plan can look ahead only: the state knows how things stand now. `afresh explain` tells what was decided then.",
    )


def _run_settings(task: Any, options: Options, store: StateStore) -> RunSettings:
    run_id, host, pid = new_id(), socket.gethostname(), os.getpid()
    target = str(task.config.target_name)
    scheduled_at = _moment_of(options, store)
    if not options.plan:
        record = RunRecord(
            run_id=run_id,
            command=shown_command(options.command or invocation.command_line()),
            project=str(task.config.project_name),
            target=target,
            host=host,
            pid=pid,
            job=options.job,
            afresh_version=__version__,
            dbt_version=invocation.dbt_version(),
            adapter_version=invocation.adapter_version(task.config.credentials.type),
        )
        scheduled_at = store.begin_run(record, alive_for=BELIEVED).scheduled_at
    return RunSettings(
        run_id=run_id,
        scheduled_at=scheduled_at,
        holder=Holder(run_id, host, pid, job=options.job),
        lease_ttl=options.settings.lease_ttl,
        queue_timeout=options.settings.queue_timeout,
        build_without_state=options.settings.on_state_error.value == "build",
        job=options.job,
        target=target,
    )
