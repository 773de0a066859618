"""Times, durations, counts and lists as people write them. Everything is given; nothing here asks the time."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from afresh.core.relation import TraceKey, relation_of_key

if TYPE_CHECKING:
    from collections.abc import Sequence

RUN_ID_SHOWN = 10
"""The first ten characters of a run id (a ULID) are its time to the millisecond: enough to find the run."""

BEYOND_GRAPH = ("relation:", "undeclared:")
"""How the names of inputs begin that are no nodes: those that only the SQL or a setting names, and those that nobody can resolve."""

_KINDS = frozenset({"model", "seed", "snapshot", "test", "unit_test", "function", "source", "exposure", "saved_query", "operation"})
_PARTS_AFTER_KIND = 2
_OF_NODE = re.compile(r"\A[\w ]*Error in \w+ \S+ \([^)]*\)\s+")
"""How dbt begins what it says of a node that failed; whoever tells of the failure has named the node already."""
_EXCERPT = re.compile(r"\s*^\s*LINE \d+:.*", re.MULTILINE | re.DOTALL)
"""How DuckDB and PostgreSQL point at a place in the SQL, over several lines: nothing of that is left in a sentence."""
_UNITS = ((7 * 86_400, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def duration_text(span: timedelta) -> str:
    """Whole seconds as ``1h 30m``; ``0s`` for nothing. The configuration reads this spelling back to the same duration."""
    rest = max(0, int(span.total_seconds()))
    words = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words) or "0s"


def rough_duration(seconds: float) -> str:
    """A measured or estimated time with two units at most, so that it promises no more than is known: ``0.31s``, ``3m 12s``."""
    if seconds < 1:
        return f"{max(seconds, 0.0):.2f}s"
    if seconds < 10:  # noqa: PLR2004 - one decimal still matters below ten seconds
        return f"{seconds:.1f}s"
    return " ".join(duration_text(timedelta(seconds=round(seconds))).split()[:2])


def moment_text(at: datetime, now: datetime | None = None) -> str:
    """``06:50`` on the day of ``now`` and in its time zone, ``2026-11-21 06:50`` on another day, with ``UTC`` where ``now`` is unknown."""
    if now is None:
        return f"{_utc(at):%Y-%m-%d %H:%M} UTC"
    local = _utc(at).astimezone(now.tzinfo or timezone.utc)
    return f"{local:%H:%M}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"


def iso(at: datetime) -> str:
    """The moment as the JSON documents write it: UTC, seconds, ``Z``."""
    return f"{_utc(at):%Y-%m-%dT%H:%M:%SZ}"


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=timezone.utc) if at.tzinfo is None else at.astimezone(timezone.utc)


def run_text(run_id: str) -> str:
    """A run id short enough for a log line."""
    return run_id if len(run_id) <= RUN_ID_SHOWN else f"{run_id[:RUN_ID_SHOWN]}…"


def node_text(unique_id: str) -> str:
    """How people call a node: ``orders`` for a model, ``source ecom.raw_orders``, ``test not_null_orders_id``; other text as it is.

    What a trace names beyond dbt's graph is told too: a table or a file, or what nobody can resolve.
    """
    if unique_id.startswith(BEYOND_GRAPH):
        return _beyond_graph(unique_id)
    kind, *rest = unique_id.split(".")
    if len(rest) < _PARTS_AFTER_KIND or kind not in _KINDS:
        return unique_id
    if kind == "model":
        return ".".join(rest[1:])
    # dbt ends the id of a generic test with a hash that tells nobody anything.
    return f"{kind.replace('_', ' ')} {rest[1] if kind == 'test' else '.'.join(rest[1:])}"


def _beyond_graph(name: str) -> str:
    kind, _, key = name.partition(":")
    relation = relation_of_key(TraceKey(key)) if kind == "relation" else None
    if relation is None:
        return "what else it reads"
    is_file = not (relation.database or relation.schema)
    return f"{relation.name} (a file named in its SQL)" if is_file else f"{relation.name} (a table named without ref or source)"


def listed(names: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 4 more``: never a wall of names in a sentence."""
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """``1 node``, ``1,000 nodes``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def one_line(text: str) -> str:
    """Text of others (names, messages of a warehouse) made safe for one line of a terminal: no breaks, no control characters."""
    return "".join(_shown(char) for char in " ".join(text.split()))


def failure_text(message: str) -> str:
    """What went wrong in a node, as a sentence tells it: without how dbt begins and without an excerpt of the SQL, if something is left."""
    told = _EXCERPT.sub("", _OF_NODE.sub("", message)).strip()
    return told or message


def safe_lines(text: str) -> list[str]:
    """Lines of foreign text (SQL) without characters that a terminal would obey."""
    return ["".join(_shown(char) for char in line.expandtabs(4)) for line in text.splitlines()]


def _shown(char: str) -> str:
    return "�" if unicodedata.category(char) in {"Cc", "Cs"} or char in _BIDI else char


# Marks that turn the direction of what follows on the line could make a diff read as something else.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def display_width(text: str) -> int:
    """How many columns of a terminal ``text`` takes: wide East Asian characters take two, combining marks none."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def padded(text: str, width: int) -> str:
    """``text`` filled with spaces to ``width`` columns."""
    return text + " " * (width - display_width(text))
