"""What the execution of a node may reach, from texts alone: for builds that nobody recorded.

More than is really reached, never less, as far as names stand in the texts: a word that is the name of a macro counts as a call.
What is named by something computed is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from afresh.dbt.recording import Reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_WORD = re.compile(r"[^\W\d]\w*")
_READ = re.compile(r"\b(env_var|var|config\s*\.\s*\w+)\s*(?:\.\s*\w+\s*)?\(\s*(?:(['\"])([^'\"]*)\2\s*[,)])?")
_BY_COMPUTED_NAME = (
    re.compile(r"(?:\w+__)?get_incremental_\w+_sql"),
    re.compile(r"snapshot_\w+_strategy"),
)
"""Macros that dbt looks up under names that it makes from configs: of all of them, any may be meant."""


def reach_of(
    package: str,
    materialized: str,
    hooks: Sequence[str],
    macros: Mapping[str, Any],
    *,
    adapter_types: Sequence[str],
    is_engine: Callable[[Any], bool],
) -> Reached | None:
    """Everything that building a node of this kind may reach; ``None`` where names are computed.

    ``macros`` are those of the manifest by their ids; ``is_engine`` says whether one is owned by dbt or the adapter.
    """
    by_word = _by_word(macros.values())
    roots = [f"materialization_{materialized}_{adapter}" for adapter in (*adapter_types, "default")]
    named = [one.name for one in macros.values() if any(rule.fullmatch(one.name) for rule in _BY_COMPUTED_NAME)]
    found = _closure([*roots, *named, *(word for hook in hooks for word in _WORD.findall(hook))], by_word)
    reached = Reached(macros={macro.unique_id for macro in found})
    texts = [(package, hook) for hook in hooks]
    texts += [(macro.package_name, macro.macro_sql) for macro in found if not is_engine(macro)]
    return reached if all(_add_reads(reached, owner, text, package) for owner, text in texts) else None


def _by_word(macros: Iterable[Any]) -> dict[str, list[Any]]:
    """Macros by each word that may stand for them: their names, and these without the prefix of a dispatch."""
    found: dict[str, list[Any]] = {}
    for macro in macros:
        _, separator, base = macro.name.partition("__")
        for word in {macro.name, base} if separator and base else {macro.name}:
            found.setdefault(word, []).append(macro)
    return found


def _closure(words: Iterable[str], by_word: Mapping[str, list[Any]]) -> list[Any]:
    seen: dict[str, Any] = {}
    waiting = list(dict.fromkeys(words))
    asked = set(waiting)
    while waiting:
        for macro in by_word.get(waiting.pop(), ()):
            if macro.unique_id not in seen:
                seen[macro.unique_id] = macro
                more = set(_WORD.findall(macro.macro_sql)) - asked
                asked |= more
                waiting.extend(more)
    return list(seen.values())


def _add_reads(reached: Reached, owner: str, text: str, package: str) -> bool:
    """Add the vars, environment variables and config keys that a text names; says whether it names all that it reads."""
    for kind, key in _reads(text):
        if key is None:
            return False
        if kind == "var":
            reached.vars |= {(owner, key), (package, key)}
        elif kind == "env_var":
            reached.env.add(key)
        else:
            reached.config.add(key)
    return True


def _reads(text: str) -> Iterator[tuple[str, str | None]]:
    for call in _READ.finditer(text):
        yield call[1].replace(" ", ""), call[3]
