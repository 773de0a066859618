"""Rendering a node for its fingerprint: dbt's own compiler, on copies, with nothing that writes, prints or moves.

dbt's node, its ephemeral parents, its files, caches and artifacts are as before afterwards.
"""

from __future__ import annotations

import copy
import datetime as dt
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import agate
from dbt.adapters.contracts.connection import ConnectionState
from dbt.adapters.factory import get_adapter
from dbt.clients import jinja
from dbt.compilation import Compiler
from dbt.context.providers import generate_runtime_model_context, generate_runtime_unit_test_context
from dbt.contracts.graph.nodes import GenericTestNode, UnitTestNode
from dbt_common.exceptions import DbtBaseException
from jinja2 import TemplateError

from afresh.dbt.recording import RECORDER, Rendered
from afresh.dbt.render_guard import ReadingGuard, RenderStoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from afresh.dbt.volatile_marks import Marks

_BATCH = (dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc), dt.datetime(2000, 1, 2, tzinfo=dt.timezone.utc))
"""The batch for which a microbatch model is rendered: which one, is no part of its code."""

_READ_ONLY_TRANSACTIONS = frozenset({"postgres", "greenplum", "yugabytedb"})


@dataclass(frozen=True)
class FingerprintRendering:
    """What a rendering gave: the SQL, or why there is none."""

    sql: str | None
    found: Mapping[str, Rendered] = field(default_factory=dict)
    stopped: str | None = None
    """It asked for something that may write."""
    failed: str | None = None
    """It raised an error: it may well raise it in a build, too."""


class Renderer:
    """Renders nodes of one manifest for their fingerprints."""

    def __init__(self, manifest: Any, config: Any) -> None:
        self._manifest = manifest
        self._config = config
        self._adapter = get_adapter(config)

    def render(self, node: Any, *, guard: ReadingGuard, marks: Marks, incremental: bool | None) -> FingerprintRendering:
        """Render a copy of ``node``. ``incremental``: what ``is_incremental()`` answers; ``None`` for its own answer."""
        compiler = _FingerprintCompiler(self._config, marks, incremental=incremental)
        manifest = _manifest_for(node, self._manifest)
        with RECORDER.guarded(guard) as found, self._connection(node):
            try:
                compiled = compiler.compile_node(self._copy(node), manifest, {}, write=False)
            except RenderStoppedError as stopped:
                return FingerprintRendering(None, found, stopped=str(stopped))
            except (DbtBaseException, TemplateError, RecursionError, ValueError, TypeError, LookupError, AttributeError) as error:
                return FingerprintRendering(None, found, stopped=guard.stopped, failed=_first_line(error))
        return FingerprintRendering(compiled.compiled_code or "", found, stopped=guard.stopped)

    def read_only(self) -> None:
        """Make the transaction of this thread refuse writes, where the engine can."""
        if self._adapter.type() not in _READ_ONLY_TRANSACTIONS:
            return
        connections = self._adapter.connections
        if not connections.get_thread_connection().transaction_open:
            connections.begin()
        connections.add_query("set transaction read only", auto_begin=False)

    @contextmanager
    def _connection(self, node: Any) -> Iterator[None]:
        """A connection of its own name; nothing is opened before a query is sent. One that is open here already serves as well."""
        held = self._adapter.connections.get_if_exists()
        is_open = held is not None and held.state == ConnectionState.OPEN
        with nullcontext() if is_open else self._adapter.connection_named(f"afresh.{node.unique_id}"):
            yield

    def _copy(self, node: Any) -> Any:
        copied = _uncompiled(node)
        if _is_microbatch(node) and hasattr(copied, "batch"):
            self._give_batch(copied)
        return copied

    def _give_batch(self, node: Any) -> None:
        from dbt.contracts.graph.nodes import BatchContext  # since 1.9, as microbatch itself

        node.batch = BatchContext(id="20000101", event_time_start=_BATCH[0], event_time_end=_BATCH[1])

    def make_table(self, rows: list[list[Any]], names: list[str], types: list[str]) -> Any:
        """A table as the adapter would have given it."""
        from dbt_common.clients import agate_helper

        found = [getattr(agate, name, None) or getattr(agate_helper, name) for name in types]
        return agate.Table(rows, names, [column_type() for column_type in found])

    def make_column(self, fields: dict[str, Any]) -> Any:
        """A column as the adapter would have given it."""
        return self._adapter.Column(**fields)


class _FingerprintCompiler(Compiler):
    """dbt's compiler with a context in which nothing moves, prints or writes."""

    def __init__(self, config: Any, marks: Marks, *, incremental: bool | None) -> None:
        super().__init__(config)
        self._marks = marks
        self._incremental = incremental

    def _create_node_context(self, node: Any, manifest: Any, extra_context: Any) -> Any:
        is_unit_test = isinstance(node, UnitTestNode)
        generate = generate_runtime_unit_test_context if is_unit_test else generate_runtime_model_context
        context = generate(node, self.config, manifest)
        _still(context, self._marks)
        if self._incremental is not None and not is_unit_test:
            _answer_is_incremental(context, answer=self._incremental)
        context.update(extra_context)
        if isinstance(node, GenericTestNode):
            jinja.add_rendered_test_kwargs(context, node)
        return context

    def _write_node(self, node: Any, *_args: Any, **_kwargs: Any) -> Any:
        return node


def _still(context: dict[str, Any], marks: Marks) -> None:
    """Replace what moves and what is heard; also under ``builtins``, where overriding macros look."""
    modules = {**context["modules"], "datetime": marks.datetime_module(context["modules"]["datetime"])}
    quiet = {**context["exceptions"], "warn": lambda *_args, **_kwargs: ""}
    replaced: dict[str, Any] = {
        "run_started_at": marks.moment("run_started_at"),
        "invocation_id": marks.identifier("invocation_id"),
        "thread_id": marks.identifier("thread_id"),
        "modules": modules,
        "exceptions": quiet,
        "write": lambda *_args, **_kwargs: "",
    }
    for name in ("otel_trace_id", "otel_span_id"):
        if name in context:
            replaced[name] = lambda name=name: marks.identifier(name)
    context.update(replaced)
    context["builtins"].update(replaced)


def _answer_is_incremental(context: dict[str, Any], *, answer: bool) -> None:
    """As dbt does it for batches of a microbatch model: a plain member in place of the macro."""
    original = context["is_incremental"]

    def is_incremental() -> bool:
        frame = RECORDER.current()
        if frame is not None:
            frame.macro(original.macro.unique_id)
        return answer

    context["is_incremental"] = is_incremental
    context["dbt"] = {**context["dbt"], "is_incremental": is_incremental}


def _manifest_for(node: Any, manifest: Any) -> Any:
    """The manifest with fresh ephemeral parents, and with nothing that a rendering adds to leaving it."""
    made = object.__new__(type(manifest))
    made.__dict__.update(manifest.__dict__)
    made.files = {}
    made.env_vars = dict(manifest.env_vars)
    fresh = {parent.unique_id: _uncompiled(parent) for parent in _ephemerals_above(node, manifest)}
    if fresh:
        made.nodes = {**manifest.nodes, **fresh}
    return made


def _ephemerals_above(node: Any, manifest: Any) -> Iterator[Any]:
    seen: set[str] = set()
    waiting = list(node.depends_on.nodes)
    while waiting:
        unique_id = waiting.pop()
        parent = manifest.nodes.get(unique_id)
        if unique_id not in seen and parent is not None and parent.is_ephemeral_model:
            seen.add(unique_id)
            waiting.extend(parent.depends_on.nodes)
            yield parent


def _uncompiled(node: Any) -> Any:
    made = copy.deepcopy(node)
    made.compiled = False
    made.compiled_code = None
    made.extra_ctes = []
    made.extra_ctes_injected = False
    return made


def _is_microbatch(node: Any) -> bool:
    return getattr(getattr(node, "config", None), "incremental_strategy", None) == "microbatch"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) or type(error).__name__
