"""Answers about a node's own relation: which questions ask for it, what the record keeps of them, how they are given again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from afresh.dbt.answers import EXECUTE, GET_COLUMNS, GET_RELATION, Answer, kept_table, row_digests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class OwnQuestions:
    """Tells questions about one node's relation from others."""

    def __init__(self, node: Any, dialect: str | None) -> None:
        self._dialect = dialect
        self._name = (_fold(getattr(node, "database", None)), _fold(getattr(node, "schema", None)), _fold(_identifier(node)))

    def asks_own(self, method: str, question: str) -> bool:
        """Whether a question to the warehouse is about the node's own relation."""
        if not self._name[2]:
            return False
        if method == GET_RELATION:
            return self._is_own(tuple(_fold(part) for part in json.loads(question)))
        if method == GET_COLUMNS:
            parts = [_fold(part.strip('"`[]')) for part in question.split(".")]
            return self._is_own((*[""] * (3 - len(parts)), *parts))
        from afresh.fingerprint.reads import relations_read

        tables = relations_read(question, self._dialect).tables
        return any(self._is_own((_fold(table.catalog), _fold(table.db), _fold(table.name))) for table in tables)

    def _is_own(self, parts: tuple[str, ...]) -> bool:
        """Parts that the question leaves out are taken to be the node's."""
        return bool(parts[2]) and all(not part or part == own for part, own in zip(parts, self._name, strict=True))


def _identifier(node: Any) -> str | None:
    return getattr(node, "alias", None) or getattr(node, "identifier", None)


def _fold(name: str | None) -> str:
    return (name or "").lower()


def kept_answers(answers: Iterable[Answer], own: OwnQuestions) -> tuple[dict[str, Any], dict[str, list[str]], bool]:
    """What the record keeps: answers about the node itself, the order of rows of all others, and whether there were others."""
    kept: dict[str, Any] = {}
    orders: dict[str, list[str]] = {}
    asked_others = False
    for answer in answers:
        if own.asks_own(answer.method, answer.question):
            found, value = _kept(answer)
            if found:
                kept[answer.key] = value
                continue
        asked_others = True
        order = row_digests(answer.value) if answer.method == EXECUTE else None
        if order is not None:
            orders[answer.key] = order
    return kept, orders, asked_others


def _kept(answer: Answer) -> tuple[bool, Any]:
    match answer.method:
        case "get_relation":
            return True, None if answer.value is None else True
        case "get_columns_in_relation":
            columns = [_column(column) for column in answer.value or ()]
            return None not in columns, columns
        case _:
            table = kept_table(answer.value)
            return table is not None, table


def _column(column: Any) -> Mapping[str, Any] | None:
    fields = {name: value for name, value in vars(column).items() if not name.startswith("_")}
    return fields if all(value is None or isinstance(value, (str, int, float, bool)) for value in fields.values()) else None
