"""What one of dbt's tasks says about itself: flags, adapter, credentials, sources."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dbt.adapters.factory import get_adapter
from dbt.node_types import NodeType
from dbt_common.exceptions import DbtBaseException

from afresh.orchestration.host import FeedLimits
from afresh.warehouse.registry import engine

if TYPE_CHECKING:
    from collections.abc import Mapping


_BUILT = (NodeType.Model, NodeType.Seed, NodeType.Snapshot)
_CREDENTIALS = (
    "host",
    "server",
    "port",
    "path",
    "database",
    "dbname",
    "account",
    "project",
    "http_path",
    "attach",
    "region_name",
    "s3_staging_dir",
    "s3_data_dir",
)


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What dbt knows of a source's freshness; queries are rendered."""

    loaded_at_field: str | None = None
    loaded_at_query: str | None = None
    filter: str | None = None
    location: str | None = None


class TaskFacts:
    """Facts of a task that do not change while it runs."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self.adapter = get_adapter(task.config)
        self.manifest = task.manifest
        self.config = task.config
        self.engine = engine(self.adapter.type())
        self.credentials = self._credentials()
        self._relations: dict[str, Any] = {}
        self.partial_run = self._partial_run()
        self.files_to_lock = self._files_to_lock()

    def _credentials(self) -> Mapping[str, object]:
        """Only what tells where the warehouse is; never a user or a password."""
        found = self._task.config.credentials
        return {name: getattr(found, name) for name in _CREDENTIALS if getattr(found, name, None) is not None}

    def _files_to_lock(self) -> Mapping[str, str]:
        if self.adapter.type() != "duckdb":
            return {}
        own = [str(self.credentials.get("path") or ":memory:")]
        attached = [str(one.path) for one in self.credentials.get("attach") or () if not getattr(one, "read_only", False)]  # type: ignore[attr-defined]
        return {os.path.realpath(path): path for path in (*own, *attached) if path != ":memory:" and ":" not in path[2:]}

    # --- flags --------------------------------------------------------------------------------------------------------

    def _flag(self, name: str) -> Any:
        return getattr(self._task.config.args, name, None)

    def _partial_run(self) -> str | None:
        given = {"EMPTY": "--empty", "SAMPLE": "--sample", "EVENT_TIME_START": "--event-time-start", "EVENT_TIME_END": "--event-time-end"}
        return next((shown for name, shown in given.items() if self._flag(name)), None)

    def full_refresh(self, raw: Any) -> bool:
        """Whether the run was asked to build this node from nothing; ``full_refresh: false`` in its config protects it."""
        if raw.resource_type in (NodeType.Test, NodeType.Unit):
            return False
        return bool(self._flag("FULL_REFRESH")) and getattr(getattr(raw, "config", None), "full_refresh", None) is not False

    # --- relations ----------------------------------------------------------------------------------------------------

    def relation_named(self, name: str) -> Any:
        """The adapter's relation of a dotted name; what the name leaves out is the target's own."""
        *before, identifier = name.split(".")
        own = self._task.config.credentials
        schema = before[-1] if before else own.schema
        database = before[-2] if len(before) > 1 else own.database
        return self.adapter.Relation.create(database=database, schema=schema, identifier=identifier)

    def adapter_relation(self, raw: Any) -> Any:
        """The adapter's relation that stands for a node in this run; ``None`` where it has none."""
        if raw.resource_type in (NodeType.Unit, NodeType.Exposure, NodeType.SavedQuery, NodeType.Operation):
            return None
        if getattr(raw, "is_ephemeral_model", False):
            return None
        if getattr(raw, "defer_relation", None) is not None:
            return self.adapter.Relation.create_from(self._task.config, self._deferred(raw) or raw)
        if raw.unique_id not in self._relations:
            self._relations[raw.unique_id] = self.adapter.Relation.create_from(self._task.config, raw)
        return self._relations[raw.unique_id]

    @cached_property
    def made_here(self) -> tuple[Any, ...]:
        """The adapter's relations of everything that the project makes."""
        found = (self.adapter_relation(raw) for raw in self.manifest.nodes.values() if raw.resource_type in _BUILT)
        return tuple(relation for relation in found if relation is not None)

    def _deferred(self, raw: Any) -> Any:
        """What dbt reads in place of an unselected node under ``--defer``."""
        other = getattr(raw, "defer_relation", None)
        if other is None or not self._flag("DEFER") or self._is_selected(raw):
            return None
        if self._flag("FAVOR_STATE"):
            return other
        here = self.adapter.Relation.create_from(self._task.config, raw)
        with self.adapter.connection_named("afresh"):
            exists = self.adapter.get_relation(here.database, here.schema, here.identifier) is not None
        return None if exists else other

    def _is_selected(self, raw: Any) -> bool:
        return any(node.unique_id == raw.unique_id for node in self._task._flattened_nodes)

    def source_facts(self, raw: Any) -> SourceFacts:
        """What a source's freshness settings say."""
        config, freshness = getattr(raw, "config", None), getattr(raw, "freshness", None)
        query = getattr(raw, "loaded_at_query", None) or getattr(config, "loaded_at_query", None)
        query = query or (raw.meta or {}).get("loaded_at_query")
        relation = self.adapter.Relation.create_from(self._task.config, raw)
        return SourceFacts(
            loaded_at_field=raw.loaded_at_field or None,
            loaded_at_query=None if query is None else self._rendered(raw, query),
            filter=getattr(freshness, "filter", None),
            location=getattr(relation, "external", None),
        )

    def feed_limits(self, raw: Any) -> FeedLimits:
        """From what age on dbt calls a source late."""
        freshness = getattr(raw, "freshness", None)
        return FeedLimits(_length(getattr(freshness, "warn_after", None)), _length(getattr(freshness, "error_after", None)))

    def _rendered(self, raw: Any, query: str) -> str:
        """A ``loaded_at_query`` as dbt's own freshness task renders it."""
        from dbt.clients.jinja import get_rendered
        from dbt.context import providers

        context_class = getattr(providers, "SourceContext", None)
        if context_class is None:
            context = providers.generate_runtime_macro_context(None, self._task.config, self.manifest, raw.package_name)
            context["this"] = self.adapter.Relation.create_from(self._task.config, raw)
        else:
            context = context_class(raw, self._task.config, self.manifest, providers.RuntimeProvider(), None).to_dict()
        with self.adapter.connection_named("afresh"):
            return str(get_rendered(query, context, raw))

    # --- the rest -----------------------------------------------------------------------------------------------------

    def description(self, raw: Any) -> str:
        """What dbt's log lines call a node."""
        runner_type = self._task.get_runner_type(raw)
        if runner_type is None:
            return f"{raw.resource_type} {raw.name}"
        runner = runner_type(self._task.config, self.adapter, raw, 0, 0)
        try:
            return str(runner.describe_node())
        except (AttributeError, NotImplementedError):
            return f"{raw.resource_type} {raw.name}"

    def window(self, raw: Any, at: datetime | None = None) -> str | None:
        """The end of the last batch that a microbatch model would cover now, or at another moment."""
        config = getattr(raw, "config", None)
        if getattr(config, "incremental_strategy", None) != "microbatch" or getattr(config, "materialized", "") != "incremental":
            return None
        with contextlib.suppress(ImportError, DbtBaseException):
            from dbt.materializations.incremental.microbatch import MicrobatchBuilder

            now = at or datetime.now(timezone.utc)
            builder = MicrobatchBuilder(model=raw, is_incremental=True, event_time_start=None, event_time_end=None, default_end_time=now)
            return f"up to {builder.build_end_time().isoformat()}"
        return None


def _length(limit: Any) -> timedelta | None:
    return timedelta(**{limit.period.plural(): limit.count}) if limit else None
