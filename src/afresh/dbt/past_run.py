"""An earlier run of dbt, held against the project as it is now: what it built, and whether the code is the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from afresh.core.node import NodeId, ResourceType
from afresh.core.policy import EngineUpgrade
from afresh.core.version import PartGroup
from afresh.dbt.compat import past_manifest
from afresh.dbt.past_results import PastResults
from afresh.dbt.volatile_marks import MARK
from afresh.errors import UsageError
from afresh.fingerprint.python_model import python_digest
from afresh.fingerprint.sql import Equality, same_sql
from afresh.orchestration.past import BuiltThen
from afresh.render.words import listed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from afresh.core.version import PartChange
    from afresh.dbt.code_service import CodeService
    from afresh.dbt.host import DbtHost
    from afresh.orchestration.code_types import CodeRecord

_MARKER = re.compile(MARK + "[0-9a-f]{10}")
_BESIDE = "manifest.json"


class PastRun:
    """Answers for one run, from its two files.

    Raises:
        UsageError: the two files are not of one run, or of another project or target.
    """

    def __init__(self, results: PastResults, host: DbtHost) -> None:
        self._results = results
        self._host = host
        path = results.path.with_name(_BESIDE)
        self._check(past_manifest.metadata_of(path), str(path))
        self._manifest = past_manifest.read(path)
        self._then: CodeService = host.code_of(self._manifest)

    def _check(self, metadata: Mapping[str, Any], path: str) -> None:
        if metadata.get("invocation_id") != self._results.invocation_id:
            raise UsageError(
                "this is the manifest of another invocation of dbt than the run_results.json beside it",
                where=path,
                hint="Every command of dbt writes manifest.json anew: copy both files away right after the run.",
            )
        project, target = metadata.get("project_name"), self._results.target
        where = str(self._results.path)
        if project != self._host.project_name:
            raise UsageError(f"these are the results of the project `{project}`, and this is `{self._host.project_name}`", where=where)
        if target is not None and target != self._host.target_name:
            hint = f"Select that target: --target {target}"
            raise UsageError(f"these are the results of target `{target}`, and this is `{self._host.target_name}`", where=where, hint=hint)

    @property
    def started_at(self) -> datetime:
        """When its first node began."""
        return self._results.started_at

    @property
    def finished_at(self) -> datetime:
        """When it had ended."""
        return self._results.finished_at

    def built(self, node_id: NodeId) -> BuiltThen | str:
        """When it built a node, or why it did not build the relation that the node has now."""
        result = self._results.results.get(node_id)
        if result is None:
            return "it is not among the results of that run"
        if result.status != "success":
            return f"it ended as `{result.status}` in that run" + (f": {result.message}" if result.message else "")
        if not result.built:
            return "that run reused it and did not build it"
        if result.started_at is None or result.finished_at is None:
            return "the results do not say when it was built"
        then, now = self._relation_then(node_id), self._host.relation_name(node_id)
        if then is None or then != now:
            return f"that run built {then or 'no relation'}, and it is {now} now"
        return BuiltThen(result.started_at, result.finished_at, result.seconds)

    def _relation_then(self, node_id: NodeId) -> str | None:
        """dbt tells no relation of a seed in its results."""
        told, raw = self._results.results[node_id].relation_name, self._manifest.nodes.get(node_id)
        return told or getattr(raw, "relation_name", None)

    # --- code ---------------------------------------------------------------------------------------------------------

    def code(self, node_id: NodeId) -> CodeRecord | str:
        """The node's code, if it is now what it was then, else why not."""
        now, then = self._host.raw(node_id), self._manifest.nodes.get(node_id)
        if then is None:
            return "the manifest of that run does not know it"
        record = self._host.code.record_of_other(now, self._results.results[node_id].compiled)
        if record is None:
            return "a hook or a macro under it reads a variable whose name is computed, so nobody can tell when it changes"
        if record.not_reusable is not None:
            return record.not_reusable
        return self._difference(node_id, now, then, record) or record

    def unseen_variables(self, node_id: NodeId) -> tuple[str, ...]:
        """Variables whose values in that run left no trace in its results."""
        now, then = self._host.raw(node_id), self._results.results[node_id].compiled
        return self._host.code.unseen_variables(now, lambda text: self._is_same(now, then, text))

    def _difference(self, node_id: NodeId, now: Any, then: Any, record: CodeRecord) -> str | None:
        if self._host.node(node_id).resource_type is ResourceType.SEED:
            unchanged = past_manifest.seed_is_unchanged(then, self._host.code.seed_path(now))
            if not unchanged:
                return "its file changed since that run, or is too large for dbt to have kept what it was"
        compared = self._then.compare_with(then, record)
        if compared.not_reusable is not None:
            return compared.not_reusable
        counted = [change for change in compared.changes if self._counts(node_id, change)]
        if counted:
            return f"its code changed since that run: {listed([change.name for change in counted])}"
        if not self._compiled_the_same(now, record):
            return "the SQL that it compiles to is another one than in that run"
        return None

    def _counts(self, node_id: NodeId, change: PartChange) -> bool:
        keeps = self._host.settings(node_id).policy.on_engine_upgrade is EngineUpgrade.KEEP
        return not (change.group is PartGroup.ENGINE and keeps)

    def _compiled_the_same(self, now: Any, record: CodeRecord) -> bool:
        """Whether what that run compiled is one of the forms that the node has now: this holds variables to account."""
        texts = self._host.code.forms_of(record)
        return not texts or any(self._is_same(now, record.compiled, text) for text in texts)

    def _is_same(self, node: Any, then: str, now: str) -> bool:
        is_python = str(getattr(node, "language", "sql")).endswith("python")
        return _is_same(then, now, self._host.engine.dialect, is_python=is_python)


def _is_same(then: str, now: str, dialect: str, *, is_python: bool) -> bool:
    if is_python:
        return python_digest(then) == python_digest(now)
    if MARK in now:  # what moves with every run had another value then; all around it has to be the same
        return re.fullmatch(".{0,200}?".join(map(re.escape, _MARKER.split(now.strip()))), then.strip(), re.DOTALL) is not None
    return same_sql(then, now, dialect) is not Equality.DIFFERENT
