"""Names of relations: from dbt's spelling to the one identity that every job finds, and to what a probe asks about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from afresh.core.relation import Relation
from afresh.warehouse.names import Ambiguous, Identity, Name, Quoting
from afresh.warehouse.probe import Purpose, SourceSignal, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from afresh.config.node_settings import NodeSettings
    from afresh.core.relation import TraceKey
    from afresh.dbt.compat.task_facts import SourceFacts
    from afresh.warehouse.engine import Engine

FILES = "files"
"""The warehouse part of a :class:`Relation` that stands for files which SQL reads in place."""


class Names:
    """Knows how one warehouse folds names, and remembers how each relation was spelled."""

    def __init__(
        self,
        *,
        engine: Engine,
        identity: Identity,
        adapter_relation: Callable[[Any], Any],
        source_facts: Callable[[Any], SourceFacts],
        settings_of: Callable[[Any], NodeSettings],
        warn: Callable[[str, str], None],
    ) -> None:
        self._engine = engine
        self._identity = identity
        self.adapter_relation = adapter_relation
        self._source_facts = source_facts
        self._settings_of = settings_of
        self._warn = warn
        self._spelled: dict[TraceKey, Name] = {}

    def relation_of(self, raw: Any) -> Relation | None:
        """The identity of a node's relation; ``None`` where it has none, or nobody can say which one it is."""
        found = self.adapter_relation(raw)
        return None if found is None else self.locate(found)

    def locate(self, found: Any) -> Relation | None:
        """The identity of one of the adapter's relations."""
        policy = found.quote_policy
        name = Name(found.database or "", found.schema or "", found.identifier or "")
        folded = self._engine.normalise(name, Quoting(bool(policy.database), bool(policy.schema), bool(policy.identifier)))
        if isinstance(folded, Ambiguous):
            self._warn(f"ambiguous:{name}", f"{name.schema}.{name.identifier} is built every time: {folded.why}")
            return None
        relation = self._identity.locate(folded)
        if relation is not None:
            self._spelled[relation.key] = folded
        return relation

    def target(self, relation: Relation, raw: Any | None) -> Target:
        """What to ask about a relation; with the freshness settings of the source that ``raw`` is."""
        target = Target(relation, self._spelled.get(relation.key) or self._name_of(relation))
        if raw is None or str(getattr(raw.resource_type, "value", raw.resource_type)) != "source":
            return target
        facts = self._source_facts(raw)
        return replace(
            target,
            loaded_at_field=facts.loaded_at_field,
            loaded_at_query=facts.loaded_at_query,
            filter=facts.filter,
            location=facts.location,
            source_signal=SourceSignal(self._settings_of(raw).source_signal.value),
        )

    def target_of_relation(self, relation: Relation, purpose: Purpose) -> Target | None:
        """What to ask about a relation that a trace names; ``None`` if it lives in another warehouse."""
        if relation.warehouse == FILES:
            return self.file_target(relation.identifier)
        name = self._spelled.get(relation.key) or self._name_of(relation)
        return Target(relation, name, purpose=purpose) if self._identity.locate(name) == relation else None

    def _name_of(self, relation: Relation) -> Name:
        here = (
            name
            for name, catalog in self._identity.catalogs.items()
            if (catalog.warehouse, catalog.database) == (relation.warehouse, relation.database)
        )
        return Name(next(here, relation.database), relation.schema, relation.identifier)

    def file_target(self, pattern: str) -> Target:
        """What to ask about files that SQL reads in place."""
        relation = Relation(FILES, "", "", pattern)
        return Target(relation, Name("", "", pattern), location="'" + pattern.replace("'", "''") + "'")
