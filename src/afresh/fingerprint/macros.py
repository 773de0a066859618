"""Macros as dependencies: what a macro's text says, and which macros could answer to a name.

dbt's own list of a node's macros is not the closure (dbt-notes 3.2): what counts is what rendering and execution really
called, and, per name, everything that could win its dispatch the next time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2 import TemplateSyntaxError

from afresh.fingerprint.digest import digest_of, digest_of_text
from afresh.fingerprint.jinja_environment import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMENT_TOKENS = frozenset({"comment", "comment_begin", "comment_end", "linecomment", "linecomment_begin", "linecomment_end"})
_DEFAULT = "default"


@lru_cache(maxsize=8192)
def macro_digest(macro_sql: str) -> str:
    """The digest of a macro's text without Jinja comments and without white space inside Jinja tags and around the whole.

    SQL comments stay: a macro may build text in which a comment's content or place matters, and only its rendering can tell.
    """
    try:
        tokens = [
            (kind, value) for _, kind, value in ENVIRONMENT.lex(macro_sql.strip()) if kind not in _COMMENT_TOKENS and kind != "whitespace"
        ]
    except TemplateSyntaxError:
        return "raw:" + digest_of_text(macro_sql)
    return digest_of(_joined_data(tokens))


def _joined_data(tokens: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join neighbouring pieces of template data, which a removed comment would otherwise leave in two."""
    joined: list[tuple[str, str]] = []
    for kind, value in tokens:
        if kind == "data" and joined and joined[-1][0] == "data":
            joined[-1] = ("data", joined[-1][1] + value)
        else:
            joined.append((kind, value))
    return joined


def candidates(name: str, adapter_types: Sequence[str]) -> tuple[str, ...]:
    """Every macro name that could answer when ``name`` is called or dispatched, for an adapter and its parents.

    ``adapter_types`` are in dbt's search order, the adapter itself first. A name that carries a dispatch prefix already
    (``duckdb__create_table_as``) stands for all its rivals.
    """
    base = _without_prefix(name, adapter_types)
    return tuple(dict.fromkeys((name, base, *(f"{adapter}__{base}" for adapter in adapter_types), f"{_DEFAULT}__{base}")))


def _without_prefix(name: str, adapter_types: Sequence[str]) -> str:
    prefix, separator, rest = name.partition("__")
    return rest if separator and rest and prefix in {*adapter_types, _DEFAULT} else name
