"""What a Jinja template could read, without rendering it.

An over-approximation on purpose: every branch counts, and a name that is sometimes local counts as read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2 import TemplateError, meta, nodes

from afresh.fingerprint.jinja_environment import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTEXT_MEMBERS: frozenset[str] = frozenset(
    {
        "adapter", "api", "builtins", "column", "columns", "compiled_code", "config", "context", "database", "dbt_metadata_envs",
        "dbt_version", "defer_relation", "env", "exceptions", "execute", "flags", "graph", "invocation_args_dict", "invocation_id",
        "model", "modules", "node", "project_name", "run_started_at", "schema", "schemas", "selected_resources", "sql",
        "sql_header", "store_result", "submit_python_job", "target", "this", "thread_id", "validation",
    }
)  # fmt: skip
"""Names of dbt's rendering context whose members are data or an interface, so that a path into them says more than the name."""

_NAMESPACES = frozenset({"context", "builtins"})
"""Members that hold the other members by name."""
_INTERFACES = frozenset({"adapter", "api", "config", "exceptions", "modules"})
"""Members whose methods are named in a path; on the others a method call reads the value it is called on."""
_KEYED_CALLS = frozenset({"get", "require", "meta_get", "meta_require", "dispatch", "persist_relation_docs", "persist_column_docs"})
_KEYED_NAMES = frozenset({"var", "env_var"})
_COMPUTED_TEMPLATES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


@dataclass(frozen=True, slots=True)
class JinjaReads:
    """What a template could read.

    ``names``: every name it does not declare itself. ``paths``: ``target.name``, ``model.config.meta``, ``config.get:key``,
    ``adapter.get_columns_in_relation()``, ``var:start_date``. A path stands for everything below it. ``whole``: context members (and
    ``var``, ``env_var``) used other than by a constant path. ``dynamic``: it reads names that are computed, so that anything may be read.
    """

    names: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    dynamic: bool = False


def static_reads(template: str, *, parse: Callable[[str], nodes.Template] | None = None) -> JinjaReads:
    """What ``template`` could read in any branch; a template that does not parse is ``dynamic``.

    ``parse`` replaces the built-in parser, for a dbt with tags of its own. Results are kept by text.
    """
    if parse is not None:
        return _reads_of(template, parse)
    return _cached(template)


@lru_cache(maxsize=4096)
def _cached(template: str) -> JinjaReads:
    return _reads_of(template, ENVIRONMENT.parse)


def _reads_of(template: str, parse: Callable[[str], nodes.Template]) -> JinjaReads:
    if "{{" not in template and "{%" not in template:
        return JinjaReads()
    try:
        tree = parse(template)
    except (TemplateError, RecursionError):
        return JinjaReads(dynamic=True)
    collector = _Collector()
    collector.visit(tree)
    names = _undeclared(tree) | collector.names
    return JinjaReads(
        names=frozenset(names),
        paths=frozenset(path for path in collector.paths if re.split(r"[.:]", path, maxsplit=1)[0] in names),
        whole=frozenset(collector.whole),
        dynamic=collector.dynamic,
    )


def _undeclared(tree: nodes.Template) -> set[str]:
    try:
        return meta.find_undeclared_variables(tree)
    except (TemplateError, RecursionError):  # a filter that only dbt knows
        return {name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"}


class _Collector:
    """Walks a template's tree and notes chains of attributes, constant keys and calls that start at a name."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.paths: set[str] = set()
        self.whole: set[str] = set()
        self.dynamic = False

    def visit(self, node: nodes.Node) -> None:
        """Note what ``node`` reads, then what is inside it."""
        if isinstance(node, _COMPUTED_TEMPLATES):
            self.dynamic = True
        chain = _chain(node)
        if chain is None:
            for child in node.iter_child_nodes():
                self.visit(child)
            return
        self._note(chain)
        for other in _outside_of_chain(node):
            self.visit(other)

    def _note(self, chain: _Chain) -> None:
        steps = list(chain.steps)
        name = chain.root
        while name in _NAMESPACES:
            self.names.add(name)
            name_read = _name_in_namespace(steps)
            if name_read is None:
                self.dynamic = True
                return
            name = name_read
        if name in CONTEXT_MEMBERS or name != chain.root:
            self.names.add(name)
        self._note_path(name, steps)

    def _note_path(self, name: str, steps: list[_Step]) -> None:
        if name in _KEYED_NAMES:
            self._note_keyed(name, steps)
        elif name == "config" and steps and (steps[0].kind == "call" or _has_computed_key(steps)):
            # `config(…)` writes; `config.get(x)` may read any key.
            self.whole.update({name} if steps[0].kind != "call" else ())
        elif (path := _path(name, steps)) != name:
            self.paths.add(path)
        elif name in CONTEXT_MEMBERS:
            self.whole.add(name)

    def _note_keyed(self, name: str, steps: list[_Step]) -> None:
        """``var('x')``, ``env_var('X')``, ``var.has_var('x')``: by the name asked for, if it is a constant."""
        call = next((step for step in steps if step.kind == "call"), None)
        if call is not None and call.text:
            self.paths.add(f"{name}:{call.text}")
        else:
            self.whole.add(name)


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a chain: an attribute or constant key, a call (with its first argument if constant), or a computed key."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Chain:
    root: str
    steps: tuple[_Step, ...]


def _chain(node: nodes.Node) -> _Chain | None:
    """The chain that ends at ``node``; ``None`` if it is no chain from a name that is read."""
    steps: list[_Step] = []
    while not isinstance(node, nodes.Name):
        step = _step(node)
        if step is None:
            return None
        steps.append(step)
        node = node.node  # type: ignore[attr-defined]  # the three kinds of a step have it
    return _Chain(node.name, tuple(reversed(steps))) if node.ctx == "load" else None


def _step(node: nodes.Node) -> _Step | None:
    if isinstance(node, nodes.Getattr):
        return _Step("name", node.attr)
    if isinstance(node, nodes.Getitem):
        key = _text_of(node.arg)
        return _Step("computed", "") if key is None else _Step("name", key)
    if isinstance(node, nodes.Call):
        return _Step("call", (_text_of(node.args[0]) if node.args else None) or "")
    return None


def _has_computed_key(steps: list[_Step]) -> bool:
    """Whether the chain asks for a key that only rendering knows: ``config.get(x)``."""
    return steps[0].text in _KEYED_CALLS and len(steps) > 1 and steps[1].kind == "call" and not steps[1].text


def _text_of(node: nodes.Node) -> str | None:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None


def _outside_of_chain(node: nodes.Node) -> Iterator[nodes.Node]:
    """Arguments and computed keys: what a chain contains beside itself."""
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getitem):
            yield node.arg
        if isinstance(node, nodes.Call):
            yield from node.args
            yield from (pair.value for pair in node.kwargs)
            yield from (extra for extra in (node.dyn_args, node.dyn_kwargs) if extra is not None)
        node = node.node  # type: ignore[attr-defined]  # the three kinds of a step have it


def _name_in_namespace(steps: list[_Step]) -> str | None:
    """Take the step(s) that pick a name out of ``context`` or ``builtins`` off the front; ``None`` if the name is computed."""
    if not steps or steps[0].kind != "name":
        return None
    first = steps.pop(0).text
    if not steps or steps[0].kind != "call":
        return first
    call = steps[0]
    if first not in ("get", "pop", "setdefault"):
        return None if first in ("items", "keys", "values", "update", "copy") else first
    if not call.text:
        return None
    steps.pop(0)
    return call.text


def _path(name: str, steps: list[_Step]) -> str:
    """The dotted path of a chain, up to the first computed key or, on data, up to the method called."""
    path = name
    for position, step in enumerate(steps):
        follows = steps[position + 1] if position + 1 < len(steps) else None
        if step.kind != "name":
            break
        if follows is None or follows.kind != "call":
            path = f"{path}.{step.text}"
        elif name in _INTERFACES:
            return _path_of_call(path, step.text, follows.text)
        elif step.text == "get" and follows.text:
            return f"{path}.{follows.text}"
        else:
            return f"{path}.{step.text}()" if name not in CONTEXT_MEMBERS else path
    return path


def _path_of_call(path: str, method: str, key: str) -> str:
    if method in _KEYED_CALLS and key:
        return f"{path}.{method}:{key}"
    return f"{path}.{method}()"
