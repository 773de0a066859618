"""Spark without Unity Catalog: ``DESCRIBE`` says what a relation is, and the table's own log says which version it has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.core.trace import Signature
from afresh.warehouse.asks import Answer, AskSql, Rows
from afresh.warehouse.catalogue import FIX, TABLE, VIEW, Seen, refused
from afresh.warehouse.delta import ask_history, is_missing, read_history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.warehouse.asks import Probing
    from afresh.warehouse.dialect import Dialect
    from afresh.warehouse.names import Name

_DETAILS = ("# Detailed Table Information", "# Detailed View Information")
_OWN_CATALOGS = frozenset({"", "spark_catalog", "hive_metastore"})
"""Where a name without a catalog is in a view that was made there."""


@dataclass(frozen=True, slots=True)
class _Described:
    """What ``DESCRIBE EXTENDED`` says."""

    kind: str
    provider: str
    text: str
    columns: tuple[tuple[str, str], ...]


def look_in_spark(names: Sequence[Name], words: Dialect) -> Probing[dict[Name, Seen]]:
    """One question per relation, and one more for each Delta table."""
    answers = yield tuple(_ask_description(name, words) for name in names)
    described = dict(zip(names, answers, strict=True))
    found = {name: _seen(answer) for name, answer in described.items() if not is_missing(answer)}
    delta = [name for name, seen in found.items() if seen.kind == TABLE and not seen.why]
    histories = yield tuple(ask_history(words, name) for name in delta)
    for name, answer in zip(delta, histories, strict=True):
        found[name] = replace(read_history(answer), kind=TABLE, signature=found[name].signature)
    return found


def _ask_description(name: Name, words: Dialect) -> AskSql:
    named = words.dotted((name.database, name.schema, name.identifier))
    return AskSql(f"describe extended {named}", name.database or None, f"description of {name.schema}.{name.identifier}")


def _seen(answer: Answer) -> Seen:
    if not isinstance(answer, Rows):
        return refused(answer, "its description")
    found = _read(answer)
    signature = Signature(found.columns)
    if "VIEW" in found.kind.upper():
        return Seen(VIEW, definition=found.text, signature=signature)
    if found.provider.lower() != "delta":
        why = f"it is kept as {found.provider or 'something unnamed'}, not as Delta, so it has no versions"
        return Seen(TABLE, why=f"{why}: {FIX}", signature=signature)
    return Seen(TABLE, signature=signature)


def _read(answer: Rows) -> _Described:
    """Columns first, then headings; what stands below the details is a fact, and nothing else is."""
    columns: list[tuple[str, str]] = []
    facts: dict[str, str] = {}
    section = ""
    for row in answer.rows:
        name, value = str(row[0] or "").strip(), str(row[1] or "")
        if not name or name.startswith("# "):
            section = name or "#"
        elif not section:
            columns.append((name, value))
        elif section in _DETAILS:
            facts.setdefault(name, value)
    made_in = facts.get("View Catalog and Namespace", "").partition(".")[0]
    text = facts.get("View Text", "") if made_in in _OWN_CATALOGS else ""
    return _Described(facts.get("Type", ""), facts.get("Provider", ""), text, tuple(columns))
