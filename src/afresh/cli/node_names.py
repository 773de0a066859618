"""What people call nodes when they ask about them: names, unique ids, how those begin, and patterns."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from afresh.errors import UsageError
from afresh.render.words import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LISTED = 10
_WILD = frozenset("*?[")


def named(names: Iterable[str], known: Sequence[str], *, hint: str) -> tuple[str, ...]:
    """The unique ids that are meant, each once; a name with ``*``, ``?`` or ``[…]`` means all that fit.

    Raises:
        UsageError: a name fits nothing, or several nodes where it has to be one; ``hint`` says where to look then.
    """
    ids = list(dict.fromkeys(known))
    return tuple(dict.fromkeys(node for name in names for node in _fitting(name, ids, hint=hint)))


def _fitting(name: str, ids: Sequence[str], *, hint: str) -> Sequence[str]:
    if not _WILD & set(name) or name in ids:
        return [resolved(name, ids, hint=hint)]
    found = [node for node in ids if fnmatchcase(node, name) or fnmatchcase(short_name(node), name)]
    if not found:
        raise UsageError(f"nothing was ever decided about a node that fits `{name}`", hint=_hint(name, ids, hint))
    return found


def resolved(name: str, known: Iterable[str], *, hint: str) -> str:
    """The one unique id that a name means: it, dbt's name, or the beginning of one of them.

    Raises:
        UsageError: it means none, or several.
    """
    ids = list(dict.fromkeys(known))
    for is_meant in (_is_exactly, _is_without_hash, _begins_with):
        found = sorted(node for node in ids if is_meant(node, name))
        if len(found) == 1:
            return found[0]
        if found:
            what = "is the beginning of the names" if is_meant is _begins_with else "is the name"
            raise UsageError(f"`{name}` {what} of {len(found)} nodes", hint=f"Say which one: {listed(found, most=_LISTED)}")
    raise UsageError(f"nothing was ever decided about a node called `{name}`", hint=_hint(name, ids, hint))


def short_name(node: str) -> str:
    """A unique id without kind and project."""
    return node.split(".", 2)[-1]


def _hint(name: str, ids: Sequence[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, [*map(short_name, ids), *ids], n=1)
    return f"Did you mean `{near[0]}`?" if near else otherwise


def _is_exactly(node: str, name: str) -> bool:
    return name in (node, short_name(node))


def _is_without_hash(node: str, name: str) -> bool:
    """dbt ends the id of a generic test with a hash that nobody types."""
    return node.startswith("test.") and name in (node.rpartition(".")[0], short_name(node).rpartition(".")[0])


def _begins_with(node: str, name: str) -> bool:
    return bool(name) and (node.startswith(name) or short_name(node).startswith(name))
