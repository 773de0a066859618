"""The names under which dbt's connections are known to the warehouse."""

from __future__ import annotations

import copy
from typing import Any

from dbt.adapters.factory import get_adapter

from afresh.warehouse.registry import engine


def name_sessions(task: Any, run_id: str) -> None:
    """Let every connection that the task opens from now on carry the run's id, where the engine can find sessions by it.

    Only the connections' own copies of the credentials change: what Jinja sees of the profile stays as the user wrote it.
    """
    adapter = get_adapter(task.config)
    kind, manager = engine(adapter.type()), adapter.connections
    opened = type(manager).open

    def open_named(connection: Any) -> Any:
        found = copy.copy(manager.profile.credentials)
        found.application_name = kind.session_name(str(getattr(found, "application_name", None) or ""), run_id)
        connection.credentials = found
        return opened(connection)

    if kind.session_name("", run_id) is not None:
        manager.open = open_named
