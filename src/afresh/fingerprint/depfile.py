"""What a rendering and its execution read, by name, with a digest of each value read: a depfile, as ccache and Shake keep.

While raw text and config are equal and every entry still has its recorded value, rendering takes the same path and gives the
same SQL; it need not be done (semantics §1, "Stage 1 renders nothing").
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from afresh.core.version import PartChange, PartGroup
from afresh.fingerprint.env_vars import DEFAULT_VOLATILE_ENV_VARS, env_digest, is_secret_env_var, is_volatile_env_var

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "DEFAULT_VOLATILE_ENV_VARS",
    "Depfile",
    "ReadKind",
    "entry_key",
    "env_digest",
    "is_secret_env_var",
    "is_volatile_env_var",
    "split_key",
]

_FORMAT = 1


class ReadKind(str, Enum):
    """The kinds of things a node reads beside its own text and config."""

    MACRO = "macro"
    """A name reached while rendering, with all the candidates that could win its dispatch."""
    VAR = "var"
    ENV = "env"
    CTX = "ctx"
    """A dotted path of a context member: ``target.name``, ``flags.FULL_REFRESH``."""
    CONFIG = "config"
    RELATION = "relation"
    QUERY = "query"
    ADAPTER = "adapter"
    EXEC_MACRO = "exec_macro"
    """A macro of the project or a package, reached only in execution."""
    ENGINE_MACRO = "engine_macro"
    """A macro owned by dbt or the adapter, reached only in execution."""


def entry_key(kind: ReadKind, name: str) -> str:
    """The key of one entry, ``kind:name``."""
    return f"{kind.value}:{name}"


def split_key(key: str) -> tuple[ReadKind, str]:
    """Kind and name of an entry's key; names may contain colons. Raises ``ValueError`` for a kind that does not exist."""
    kind, _, name = key.partition(":")
    return ReadKind(kind), name


@dataclass(frozen=True, slots=True)
class Depfile:
    """The record of one rendering (and execution).

    ``unknown`` lists, in one sentence each, what the recorder could not account for: anything in it forces stage 2, as do
    ``queries`` (it asked the warehouse) and ``dynamic`` (it read names that are computed).
    """

    entries: Mapping[str, str] = field(default_factory=dict)
    queries: bool = False
    dynamic: bool = False
    volatile_names: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()

    @property
    def must_render(self) -> bool:
        """Whether equal entries are not enough to know that rendering gives the same SQL."""
        return self.queries or self.dynamic or bool(self.unknown)

    def compare(self, current: Callable[[str], str | None]) -> tuple[PartChange, ...]:
        """Every entry whose value is not the recorded one now, in the order of keys.

        ``current`` answers a key with the digest of today's value, ``None`` when there is none any more or nobody can tell; that
        is a change.
        """
        return compare(self, current)

    def to_bytes(self) -> bytes:
        """A compact, versioned JSON form with one spelling per record."""
        content = {
            "v": _FORMAT,
            "entries": dict(sorted(self.entries.items())),
            "queries": self.queries,
            "dynamic": self.dynamic,
            "volatile": sorted(self.volatile_names),
            "unknown": list(self.unknown),
        }
        return json.dumps(content, separators=(",", ":"), ensure_ascii=True).encode()

    @staticmethod
    def from_bytes(data: bytes) -> Depfile | None:
        """The record that ``data`` holds; ``None`` when it is not one of this format: the node then has to be rendered."""
        try:
            content = json.loads(data)
        except ValueError:
            return None
        return _from_content(content) if isinstance(content, dict) and content.get("v") == _FORMAT else None


def compare(recorded: Depfile, current: Callable[[str], str | None]) -> tuple[PartChange, ...]:
    """Every entry of ``recorded`` whose value is not the recorded one now, in the order of keys."""
    return tuple(
        _change(key, gone=now is None) for key, digest in sorted(recorded.entries.items()) for now in [current(key)] if now != digest
    )


def _change(key: str, *, gone: bool) -> PartChange:
    """Values are kept as digests only, so there is nothing to show but that an entry is gone."""
    kind, name = split_key(key)
    group = PartGroup.ENGINE if kind is ReadKind.ENGINE_MACRO else PartGroup.CODE
    return PartChange(name=f"{kind.value}.{name}", group=group, recorded="", observed="(absent)" if gone else "")


def _from_content(content: dict[str, Any]) -> Depfile | None:
    try:
        entries = {str(key): str(digest) for key, digest in content["entries"].items()}
        for key in entries:
            split_key(key)
        return Depfile(
            entries=entries,
            queries=bool(content["queries"]),
            dynamic=bool(content["dynamic"]),
            volatile_names=frozenset(content["volatile"]),
            unknown=tuple(content["unknown"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
