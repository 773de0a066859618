"""Where dbt's rendering and execution pass by: listened to by patching dbt's classes, once per process.

The patched members have had one signature from dbt-core 1.8 to 1.12. With nobody recording, each costs one look at a
thread-local.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from afresh.dbt.recording import Recorder

_IS_INCREMENTAL = ".is_incremental"
_SPEAKING_MEMBERS = ("log", "print")
_LOCK = threading.Lock()
_REPORTS_TO: list[Recorder] = []


def install(recorder: Recorder) -> None:
    """Report to ``recorder`` from now on. A second call changes nothing."""
    with _LOCK:
        if not _REPORTS_TO:
            _listen(recorder)
            _REPORTS_TO.append(recorder)


def _listen(recorder: Recorder) -> None:
    _listen_to_macros(recorder)
    _listen_to_vars(recorder)
    _listen_to_context_members(recorder)
    _listen_to_config(recorder)
    _listen_to_adapter(recorder)
    _listen_to_statements(recorder)
    _listen_to_compiler(recorder)
    _listen_to_batches(recorder)


def _listen_to_macros(recorder: Recorder) -> None:
    from dbt.clients.jinja import MacroGenerator

    from afresh.dbt.recording import IS_INCREMENTAL

    original = MacroGenerator.__call__

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        frame = recorder.current()
        if frame is None:
            return original(self, *args, **kwargs)
        unique_id = self.macro.unique_id
        frame.macro(unique_id)
        if not unique_id.endswith(_IS_INCREMENTAL):
            return original(self, *args, **kwargs)
        is_dbts_own = unique_id == IS_INCREMENTAL
        frame.asleep += is_dbts_own
        try:
            answer = original(self, *args, **kwargs)
        finally:
            frame.asleep -= is_dbts_own
        frame.incremental(answer=bool(answer))
        return answer

    MacroGenerator.__call__ = functools.wraps(original)(call)


def _listen_to_vars(recorder: Recorder) -> None:
    from dbt.context.base import Var

    original_call, original_has = Var.__call__, Var.has_var

    def note(var: Any, name: str) -> None:
        frame = recorder.current()
        if frame is not None:
            frame.var(getattr(var._node, "package_name", ""), name)

    def call(self: Any, var_name: str, *args: Any, **kwargs: Any) -> Any:
        note(self, var_name)
        return original_call(self, var_name, *args, **kwargs)

    def has_var(self: Any, var_name: str) -> Any:
        note(self, var_name)
        return original_has(self, var_name)

    Var.__call__ = functools.wraps(original_call)(call)
    Var.has_var = functools.wraps(original_has)(has_var)


def _listen_to_context_members(recorder: Recorder) -> None:
    """``env_var``, ``log`` and ``print`` live in a table of each context class, and inherited entries are copies."""
    from dbt.context import configured, docs, providers, secret  # noqa: F401 - their classes must exist to be listened to
    from dbt.context.base import BaseContext

    env_vars: dict[Any, Any] = {}
    speakers: dict[Any, Any] = {}
    for cls in _with_subclasses(BaseContext):
        members = cls._context_members_
        if "env_var" in members:
            original = members["env_var"]
            members["env_var"] = env_vars.setdefault(original, _env_var(recorder, original))
        for name in _SPEAKING_MEMBERS:
            if name in members:
                said = members[name]
                members[name] = speakers.setdefault(said, _muted(recorder, said))


def _with_subclasses(cls: Any) -> Iterator[Any]:
    yield cls
    for below in cls.__subclasses__():
        yield from _with_subclasses(below)


def _env_var(recorder: Recorder, original: Any) -> Callable[..., Any]:
    def env_var(self: Any, var: str, default: str | None = None) -> Any:
        read = functools.partial(original.__get__(self), var, default)
        frame = recorder.current()
        return read() if frame is None else frame.env(var, read)

    return env_var


def _muted(recorder: Recorder, original: Any) -> Any:
    spoken = original.__func__ if isinstance(original, staticmethod) else original

    def speak(*args: Any, **kwargs: Any) -> Any:
        frame = recorder.current()
        return "" if frame is not None and frame.guard is not None else spoken(*args, **kwargs)

    return staticmethod(speak)


def _listen_to_config(recorder: Recorder) -> None:
    from dbt.context.providers import RuntimeConfigObject

    def listen(method: str, prefix: str) -> None:
        original = getattr(RuntimeConfigObject, method, None)
        if original is None:  # `meta_get` is younger than 1.8
            return

        def lookup(self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            frame = recorder.current()
            if frame is not None:
                frame.config(prefix + str(name))
            return original(self, name, *args, **kwargs)

        setattr(RuntimeConfigObject, method, functools.wraps(original)(lookup))

    listen("_lookup", "")
    listen("_lookup_meta", "meta.")


def _listen_to_adapter(recorder: Recorder) -> None:
    from dbt.context.providers import BaseDatabaseWrapper, RuntimeDatabaseWrapper

    original_member, original_commit = RuntimeDatabaseWrapper.__getattr__, BaseDatabaseWrapper.commit

    def member(self: Any, name: str) -> Any:
        value = original_member(self, name)
        frame = recorder.current()
        return value if frame is None else frame.adapter(name, value)

    def commit(self: Any) -> Any:
        frame = recorder.current()
        if frame is None:
            return original_commit(self)
        return frame.adapter("commit", functools.partial(original_commit, self))()

    RuntimeDatabaseWrapper.__getattr__ = functools.wraps(original_member)(member)
    BaseDatabaseWrapper.commit = functools.wraps(original_commit)(commit)


def _listen_to_statements(recorder: Recorder) -> None:
    from dbt.adapters.base.impl import BaseAdapter
    from dbt.adapters.sql.connections import SQLConnectionManager
    from dbt.context.providers import ProviderContext

    original_add, original_execute = SQLConnectionManager.add_query, BaseAdapter.execute
    original_submit = ProviderContext._context_members_["submit_python_job"]

    def add_query(self: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
        frame = recorder.current()
        if frame is None:
            return original_add(self, sql, *args, **kwargs)
        frame.statement(sql)
        answer = original_add(self, sql, *args, **kwargs)
        frame.ask_to_go_on()  # the first one may have connected before it was sent, which takes its time
        return answer

    def execute(self: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
        frame = recorder.current()
        if frame is not None:  # an adapter that is no SQL adapter has no other common point
            frame.statement(sql)
        return original_execute(self, sql, *args, **kwargs)

    def submit_python_job(self: Any, *args: Any, **kwargs: Any) -> Any:
        frame = recorder.current()
        submit = original_submit.__get__(self)
        if frame is None:
            return submit(*args, **kwargs)
        return frame.adapter("submit_python_job", submit)(*args, **kwargs)

    SQLConnectionManager.add_query = functools.wraps(original_add)(add_query)
    BaseAdapter.execute = functools.wraps(original_execute)(execute)
    for cls in _with_subclasses(ProviderContext):
        cls._context_members_["submit_python_job"] = submit_python_job


def _listen_to_compiler(recorder: Recorder) -> None:
    from dbt.compilation import Compiler

    original_code, original_node = Compiler._compile_code, Compiler.compile_node

    def compile_code(self: Any, node: Any, *args: Any, **kwargs: Any) -> Any:
        with recorder.rendering(node.unique_id, inlined=node.is_ephemeral_model):
            return original_code(self, node, *args, **kwargs)

    def compile_node(self: Any, node: Any, *args: Any, **kwargs: Any) -> Any:
        compiled = original_node(self, node, *args, **kwargs)
        frame = recorder.current()
        if frame is not None and frame.target is not None and frame.target.unique_id == node.unique_id:
            frame.target.compiled_sql = getattr(compiled, "compiled_code", None)
        return compiled

    Compiler._compile_code = functools.wraps(original_code)(compile_code)
    Compiler.compile_node = functools.wraps(original_node)(compile_node)


def _listen_to_batches(recorder: Recorder) -> None:
    """Batches of a microbatch model run on whatever thread of dbt's pool is free."""
    from dbt.task import run

    runner = getattr(run, "MicrobatchBatchRunner", None)
    if runner is None:  # 1.8 has no microbatch models
        return
    original = runner.safe_run

    def safe_run(self: Any, manifest: Any) -> Any:
        with recorder.joined(self.node.unique_id):
            return original(self, manifest)

    runner.safe_run = functools.wraps(original)(safe_run)
