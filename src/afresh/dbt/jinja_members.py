"""Which members of dbt's rendering context texts could read, as far as their values can be compared.

What the recorder sees by itself (macros, vars, env vars, config keys, adapter methods) is not repeated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import TemplateError, meta

from afresh.fingerprint.jinja_environment import ENVIRONMENT
from afresh.fingerprint.jinja_reads import JinjaReads, static_reads

_COMPARED = frozenset(
    {
        "database", "dbt_metadata_envs", "dbt_version", "env", "flags", "invocation_args_dict", "model", "project_name", "schema",
        "selected_resources", "target",
    }
)  # fmt: skip
_MOVING = frozenset({"invocation_id", "otel_span_id", "otel_trace_id", "run_started_at", "thread_id"})
_EVERYTHING = frozenset({"builtins", "context", "graph", "schemas"})
"""Members that hold so much that only rendering can tell whether a difference matters."""

_NAMESPACES = frozenset({"builtins", "context"})

_WORTH_PARSING = re.compile(
    r"\b(?:" + "|".join(sorted(_COMPARED | _MOVING | _EVERYTHING | {"modules", "include", "import", "extends", "getattr", "attr"})) + r")\b"
    r"|\bconfig\s*(?:\.\s*(?:model|context_config)\b|[^.(\s\w])"
)
"""Most texts read nothing but refs and configs: they need no parser."""


@dataclass(frozen=True, slots=True)
class ContextReads:
    """Paths with values that can be compared; whether names are computed; names that move by themselves."""

    paths: frozenset[str] = frozenset()
    dynamic: bool = False
    volatile: frozenset[str] = frozenset()


def context_reads(texts: Iterable[str]) -> ContextReads:
    """What any of the templates could read in any branch."""
    found = [_of_text(text) for text in texts if ("{{" in text or "{%" in text) and _WORTH_PARSING.search(text)]
    return ContextReads(
        frozenset(path for one in found for path in one.paths),
        any(one.dynamic for one in found),
        frozenset(name for one in found for name in one.volatile),
    )


@lru_cache(maxsize=4096)
def _of_text(text: str) -> ContextReads:
    reads = static_reads(text)
    foreign = _foreign_names(text) | (reads.names if reads.names & _NAMESPACES else frozenset())
    paths = {path for path in reads.paths | (reads.whole - {"flags"}) if _root(path) in foreign}
    everything = (reads.names | reads.whole) & _EVERYTHING & foreign
    return ContextReads(
        frozenset(path for path in paths if _root(path) in _COMPARED or path.startswith("config.model")),
        reads.dynamic or bool(everything) or ("flags" in reads.whole and "flags" in foreign),
        frozenset(_moving(reads) if reads.names & _MOVING or "modules" in foreign else ()),
    )


def _foreign_names(text: str) -> frozenset[str]:
    """Names that are not the template's own: a macro with an argument called ``model`` does not read dbt's ``model``."""
    try:
        return frozenset(meta.find_undeclared_variables(ENVIRONMENT.parse(text)))
    except (TemplateError, RecursionError):
        return _COMPARED | _EVERYTHING | {"modules", "config"}


def _root(path: str) -> str:
    return path.partition(".")[0]


def _moving(reads: JinjaReads) -> set[str]:
    found = set(reads.names & _MOVING)
    if "modules" in reads.whole or any(path == "modules.datetime" or path.startswith("modules.datetime.") for path in reads.paths):
        found.add("modules.datetime")
    return found
