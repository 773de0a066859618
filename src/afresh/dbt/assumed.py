"""The nodes that are meant where somebody names what a plan shall take for changed: `source:raw.orders`, `model:orders`, `orders`."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from afresh.core.node import NodeId
from afresh.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_OPTION = "--assume-changed"
_METHODS = ("source", "model", "seed", "snapshot", "function")
_HINT = "Name it as in `--select`: `source:NAME`, `source:NAME.TABLE`, `model:NAME`, or a name alone."


def assumed_changed(manifest: Any, named: Iterable[str]) -> tuple[NodeId, ...]:
    """The nodes and sources of a project that are meant, each once; ``*`` and ``?`` stand for anything.

    Raises:
        UsageError: a name means nothing.
    """
    spelled = _spelled(manifest)
    return tuple(dict.fromkeys(node for text in named for node in _meant(text, spelled)))


def _meant(text: str, spelled: Mapping[str, Mapping[str, list[NodeId]]]) -> list[NodeId]:
    method, colon, name = text.partition(":")
    if colon and method not in _METHODS:
        raise UsageError(f"`{method}:` cannot be assumed to change", where=f"option {_OPTION}", hint=_HINT)
    kinds = (method,) if colon else (*(kind for kind in spelled if kind != "source"), "source")
    wanted = name if colon else text
    for found in ([node for kind in some for node in _fitting(wanted, spelled.get(kind, {}))] for some in _groups(kinds)):
        if found:
            return found
    raise UsageError(f"nothing in this project is called `{text}`", where=f"option {_OPTION}", hint=_nearest(wanted, kinds, spelled))


def _groups(kinds: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """A name alone means a source only where no node is called so."""
    nodes = tuple(kind for kind in kinds if kind != "source")
    yield from (some for some in (nodes, tuple(kind for kind in kinds if kind == "source")) if some)


def _fitting(wanted: str, names: Mapping[str, list[NodeId]]) -> list[NodeId]:
    return [node for name, nodes in names.items() if name == wanted or fnmatchcase(name, wanted) for node in nodes]


def _nearest(wanted: str, kinds: tuple[str, ...], spelled: Mapping[str, Mapping[str, list[NodeId]]]) -> str:
    names = {name: kind for kind in kinds for name in spelled.get(kind, {})}
    near = difflib.get_close_matches(wanted, names, n=1)
    if not near:
        return _HINT
    kind = names[near[0]]
    return f"Did you mean `{f'{kind}:' if kind in _METHODS else ''}{near[0]}`?"


def _spelled(manifest: Any) -> Mapping[str, Mapping[str, list[NodeId]]]:
    """What everything in a project may be called, by kind."""
    found: dict[str, dict[str, list[NodeId]]] = {}
    for raw in (*manifest.nodes.values(), *manifest.sources.values(), *getattr(manifest, "functions", {}).values()):
        kind = str(getattr(raw.resource_type, "value", raw.resource_type))
        for name in dict.fromkeys(_names(raw, kind)):
            found.setdefault(kind, {}).setdefault(name, []).append(NodeId(raw.unique_id))
    return found


def _names(raw: Any, kind: str) -> Iterator[str]:
    package, name = str(raw.package_name), str(raw.name)
    if kind == "source":
        yield str(raw.source_name)
        name = f"{raw.source_name}.{name}"
    yield name
    yield f"{package}.{name}"
    yield str(raw.unique_id)
    version = getattr(raw, "version", None)
    if version is not None:
        yield f"{name}.v{version}"
