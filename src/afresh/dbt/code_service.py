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
from afresh.dbt.forms import FormRenderer, Forms
from afresh.dbt.node_reading import NodeReader, NodeReading
from afresh.dbt.read_inputs import ReadInputs
from afresh.dbt.recording import Reached, Recording
from afresh.dbt.static_reach import reach_of
from afresh.fingerprint.digest import digest_of
from afresh.fingerprint.env_vars import DEFAULT_VOLATILE_ENV_VARS
from afresh.fingerprint.sql import dialect_of
from afresh.orchestration.code_types import CodeComparison, CodeRecord, DeclaredReads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from afresh.core.trace import Trace
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
        self._now = now
        self._reaches: dict[tuple[str, str, tuple[str, ...]], Reached | None] = {}
        root = Path(project_dir or runtime_config.project_root)
        packages = str(runtime_config.packages_install_path)
        self._reader = NodeReader(self._facts, now, project_root=root, packages_path=packages, dialect=dialect)
        dependencies = Dependencies(now, key=secrets_key, volatile_env=volatile_env, find=self._find(manifest))
        forms = FormRenderer(Renderer(manifest, runtime_config), dialect=dialect, volatile_env=volatile_env)
        tracer = CodeTracer(self._reader, dependencies, dialect=dialect, volatile_env=volatile_env)
        self._inputs = ReadInputs(self._facts, dialect=dialect, locate=_Locator(adapter, runtime_config, relation_of))
        self._forms, self._tracer, self._dependencies = forms, tracer, dependencies
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
        return self._comparer.compare(node, trace.code, CodeMemo.from_bytes(depfile), compiled)

    def may_query(self, depfile: bytes | None) -> bool:
        """Whether comparing with this record asks the warehouse for data."""
        memo = CodeMemo.from_bytes(depfile)
        return memo is not None and memo.depfile.queries

    def record(self, node: Any, recording: Recording) -> CodeRecord:
        """The code of a build that just ended well, for the state."""
        return self._recorder.record(node, recording)

    # --- builds of others ---------------------------------------------------------------------------------------------

    def record_of_other(self, node: Any, compiled: str) -> CodeRecord | None:
        """The code of a build that somebody else made; ``None`` where nobody can tell what its execution reads."""
        reading = self._reader.read(node)
        reached = self._reach(node, reading)
        return None if reached is None else self._recorder.record_of_other(node, compiled, reached)

    def compare_with(self, node: Any, record: CodeRecord) -> CodeComparison:
        """How the node's code, by this manifest, differs from a record that was made by another one."""
        return self._comparer.compare(node, record.code, CodeMemo.from_bytes(record.depfile), record.compiled)

    def forms_of(self, record: CodeRecord) -> tuple[str, ...]:
        """The texts that the code of a record renders to."""
        memo = CodeMemo.from_bytes(record.depfile)
        texts = [] if memo is None else [memo.text(form, record.compiled) for form in memo.forms]
        return tuple(text for text in texts if text is not None)

    def unseen_variables(self, node: Any, was_compiled: Callable[[str], bool]) -> tuple[str, ...]:
        """Variables of which a build of somebody else left no trace: only execution reads them, or a form that was not compiled."""
        reading = self._reader.read(node)
        reached = self._reach(node, reading) or Reached()
        unseen = self._dependencies.variables(self._tracer.executed(node, reading, reached))
        if not reading.is_incremental:
            return tuple(sorted(unseen))
        seen: set[str] = set()
        for text, keys in self._read_by_forms(node):
            (seen if was_compiled(text) else unseen).update(self._dependencies.variables(keys))
        return tuple(sorted(unseen - seen))

    def _read_by_forms(self, node: Any) -> Iterator[tuple[str, set[str]]]:
        for incremental in (False, True):
            forms = Forms()
            self._forms.render_form(node, CodeMemo(), forms, incremental=incremental)
            yield from ((text, self._tracer.traced(node, forms.found).keys) for text in forms.texts.values())

    def _reach(self, node: Any, reading: NodeReading) -> Reached | None:
        kind = (node.package_name, str(reading.code.config.get("materialized") or ""), reading.hooks)
        if kind not in self._reaches:
            types, is_engine = self._now.adapter_types, self._now.is_engine_macro
            self._reaches[kind] = reach_of(*kind, self._now.macros, adapter_types=types, is_engine=is_engine)
        return self._reaches[kind]

    def seed_path(self, node: Any) -> Path:
        """Where a seed is read from."""
        return self._reader.seed_path(node)

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
