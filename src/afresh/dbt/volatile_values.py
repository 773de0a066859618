"""Which values in a node's SQL and Jinja move by themselves, and which of them count (semantics §3, ``evaluate_volatile_sql``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afresh.orchestration.code_types import VolatileCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from afresh.dbt.forms import Forms
    from afresh.dbt.node_reading import NodeReading

_KEYS = (
    "unique_key",
    "updated_at",
    "partition_by",
    "cluster_by",
    "check_cols",
    "event_time",
    "merge_update_columns",
    "incremental_predicates",
)


def volatile_values(
    reading: NodeReading, texts: Iterable[str], forms: Forms, *, named: Iterable[str], dialect: str | None
) -> tuple[VolatileCall, ...]:
    """Every volatile value of a node's SQL and of the Jinja that it was rendered from, once by name.

    ``named``: the volatile members that the templates name.
    """
    from afresh.fingerprint.volatile import Position, volatile_calls

    keys = _key_columns(reading)
    found: dict[str, bool] = {}
    for text in dict.fromkeys(texts):
        for call in volatile_calls(text, dialect):
            counts = call.position is Position.OTHER or call.output.lower() in keys
            found[call.name] = found.get(call.name, False) or counts
    for name, counts in _of_jinja(forms, frozenset(named), dialect):
        found[name] = found.get(name, False) or counts
    return tuple(VolatileCall(name, counts) for name, counts in sorted(found.items()))


def _of_jinja(forms: Forms, named: frozenset[str], dialect: str | None) -> Iterator[tuple[str, bool]]:
    """A marker that nobody finds in the text has decided something, or was turned into something else."""
    from afresh.fingerprint.volatile import MarkerUse, classify_marker

    for name in forms.marks.decided:
        yield name, True
    used = {marker: name for marker, name in forms.marks.identifiers.items() if name in named}
    for marker, name in {**forms.marks.printed, **used}.items():
        holding = [text for text in forms.texts.values() if marker in text]
        yield name, not holding or any(classify_marker(text, marker, dialect) is MarkerUse.COUNTS for text in holding)


def _key_columns(reading: NodeReading) -> frozenset[str]:
    """Columns by which rows are found again: a moving value in one of them decides which rows there are."""
    return frozenset(name.lower() for key in _KEYS for name in _names(reading.code.config.get(key)))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (one for item in value.values() for one in _names(item))
    elif isinstance(value, (list, tuple)):
        yield from (one for item in value for one in _names(item))
