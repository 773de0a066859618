"""Bringing a dbt task to the point where it could run, without running anything."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from dbt.adapters.factory import get_adapter


def prepare(task: Any) -> None:
    """Resolve deferral and fill the relation cache, as a run does; create no schema, run no hook."""
    adapter = get_adapter(task.config)
    task.started_at = time.time()
    with adapter.connection_named("master"):
        task.defer_to_manifest()
        required = task.get_model_schemas(adapter, {node.unique_id for node in task._flattened_nodes})
        task.populate_adapter_cache(adapter, required)


def no_results(task: Any) -> Any:
    """The result of a task in which nothing ran."""
    get_adapter(task.config).cleanup_connections()
    return task.get_result(results=[], elapsed_time=0.0, generated_at=datetime.now(timezone.utc).replace(tzinfo=None))
