"""Everything about code versions on a live dbt: what a build's code was, and how a node's code differs from it.

The only thing here that may reach the warehouse is a fingerprint rendering, and it may only read (semantics §1).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from afresh.core.relation import Relation
from afresh.dbt.code_compare import CodeComparer
from afresh.dbt.code_memo import CodeMemo
from afresh.dbt.code_record import CodeRecorder, CodeTracer, together
from afresh.dbt.compat.node_facts import NodeFacts
from afresh.dbt.compat.reads_now import ReadsNow
from afresh.dbt.compat.rendering import Renderer
from afresh.dbt.dependencies import Dependencies
from afresh.dbt.forms import FormRenderer
from afresh.dbt.node_reading import NodeReader, NodeReading
from afresh.dbt.read_inputs import ReadInputs
from afresh.fingerprint.digest import digest_of
from afresh.fingerprint.env_vars import DEFAULT_VOLATILE_ENV_VARS
from afresh.fingerprint.sql import dialect_of
from afresh.orchestration.code_types import CodeComparison, CodeRecord, DeclaredReads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from afresh.core.trace import Trace
    from afresh.dbt.recording import Recording
    from afresh.fingerprint.reads import TableName


class CodeService:
    """Code versions of the nodes of one manifest. Made once per run; safe to use from dbt's threads."""

    def __init__(
        self,
        manifest: Any,
        runtime_config: Any,
        adapter: Any,
        *,
        secrets_key: bytes,
        volatile_env_patterns: Iterable[str] = DEFAULT_VOLATILE_ENV_VARS,
        project_dir: str | Path | None = None,
        relation_of: Callable[[Any], Relation | None] | None = None,
    ) -> None:
        """``relation_of`` gives the identity of one of the adapter's relations, ``None`` where nobody can say which one it is."""
        dialect = dialect_of(adapter.type())
        volatile_env = tuple(volatile_env_patterns)
        now = ReadsNow(manifest, runtime_config)
        self._facts = NodeFacts(manifest, runtime_config)
        root = Path(project_dir or runtime_config.project_root)
        packages = str(runtime_config.packages_install_path)
        self._reader = NodeReader(self._facts, now, project_root=root, packages_path=packages, dialect=dialect)
        dependencies = Dependencies(now, key=secrets_key, volatile_env=volatile_env, find=self._find(manifest))
        forms = FormRenderer(Renderer(manifest, runtime_config), dialect=dialect, volatile_env=volatile_env)
        tracer = CodeTracer(self._reader, dependencies, dialect=dialect, volatile_env=volatile_env)
        self._inputs = ReadInputs(self._facts, dialect=dialect, locate=_Locator(adapter, runtime_config, relation_of))
        self._forms = forms
        self._recorder = CodeRecorder(
            reader=self._reader, dependencies=dependencies, tracer=tracer, forms=forms, inputs=self._inputs, dialect=dialect
        )
        self._comparer = CodeComparer(
            reader=self._reader,
            dependencies=dependencies,
            tracer=tracer,
            forms=forms,
            dialect=dialect,
            exists=self._facts.exists,
        )

    def _find(self, manifest: Any) -> Callable[[str], Any]:
        return lambda unique_id: self._facts.find(unique_id) or manifest.unit_tests.get(unique_id)

    def facts(self, node: Any) -> NodeReading:
        """What is known of a node's code without rendering it; read once per run."""
        return self._reader.read(node)

    def static_not_reusable(self, node: Any) -> str | None:
        """Why a node cannot be reasoned about, as far as that needs no record: a custom materialization nobody vouched for."""
        return self._reader.read(node).not_reusable

    def compare(self, node: Any, trace: Trace, depfile: bytes | None, compiled: str | None) -> CodeComparison:
        """How the node's code differs from what is on record. May render, which may read the warehouse; never writes."""
        return self._comparer.compare(node, trace, CodeMemo.from_bytes(depfile), compiled)

    def may_query(self, depfile: bytes | None) -> bool:
        """Whether comparing with this record asks the warehouse for data."""
        memo = CodeMemo.from_bytes(depfile)
        return memo is not None and memo.depfile.queries

    def record(self, node: Any, recording: Recording) -> CodeRecord:
        """The code of a build that just ended well, for the state."""
        return self._recorder.record(node, recording)

    def reads_before_execution(self, node: Any) -> DeclaredReads:
        """What the node's SQL, compiled and not yet sent, reads beyond the graph."""
        reading = self._reader.read(node)
        if reading.is_python:
            return self._inputs.of_python(reading.code.raw_code)
        if not reading.is_rendered or reading.is_plain_test or reading.not_reusable is not None:
            return DeclaredReads()
        compiled = getattr(node, "compiled_code", None)
        if compiled:
            return self._inputs.of_sql(node, reading, compiled)
        forms = self._forms.render(node, reading, CodeMemo(), exists=False)  # a microbatch model is compiled batch by batch
        return together(self._inputs.of_sql(node, reading, text) for text in forms.texts.values())

    def ephemeral_version(self, node: Any) -> str:
        """The part of an ephemeral model's data version that stands for its code.

        A constant per model: its code is inlined, so it is part of the code version of whoever reads it, deployed with it.
        """
        return digest_of(["inlined", node.unique_id])


class _Locator:
    """From a name in SQL to the identity of the relation that it stands for, in the session of the target."""

    def __init__(self, adapter: Any, config: Any, relation_of: Callable[[Any], Relation | None] | None) -> None:
        self._adapter = adapter
        self._config = config
        self._relation_of = relation_of

    def __call__(self, name: TableName) -> Relation | None:
        database = name.catalog or self._config.credentials.database or ""
        schema = name.db or self._config.credentials.schema
        if self._relation_of is None:
            return Relation("", database, schema, name.name)
        quoted = name.quoted
        found = self._adapter.Relation.create(
            database=database,
            schema=schema,
            identifier=name.name,
            quote_policy={"database": quoted[0] or not name.catalog, "schema": quoted[1] or not name.db, "identifier": quoted[2]},
        )
        return self._relation_of(found)
