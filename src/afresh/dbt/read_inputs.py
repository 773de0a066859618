"""What compiled SQL reads beyond the graph (semantics §1, "Inputs")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from afresh.core.node import ResourceType
from afresh.core.relation import Relation
from afresh.fingerprint.python_model import python_io
from afresh.orchestration.code_types import DeclaredReads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from afresh.dbt.compat.node_facts import NodeFacts
    from afresh.dbt.node_reading import NodeReading
    from afresh.fingerprint.reads import TableName

_Name = tuple[str, str, str]


class ReadInputs:
    """Compares what SQL names with what the graph lists."""

    def __init__(self, facts: NodeFacts, *, dialect: str | None, locate: Callable[[TableName], Relation | None]) -> None:
        self._facts = facts
        self._dialect = dialect
        self._locate = locate
        self._last: dict[str, tuple[str, DeclaredReads]] = {}
        """What was found last for each node: the same text is asked about before it is sent, and when it is recorded."""

    def of_python(self, source: str) -> DeclaredReads:
        """What a Python model may read beyond ``dbt.ref`` and ``dbt.source``."""
        return DeclaredReads(opaque=python_io(source))

    def of_sql(self, node: Any, reading: NodeReading, sql: str) -> DeclaredReads:
        """What SQL reads that is neither an input of the graph, nor the node itself, nor a known function."""
        last = self._last.get(node.unique_id)
        if last is None or last[0] != sql:
            last = self._last[node.unique_id] = (sql, self._of_sql(node, reading, sql))
        return last[1]

    def _of_sql(self, node: Any, reading: NodeReading, sql: str) -> DeclaredReads:
        from afresh.fingerprint.reads import relations_read

        reads = relations_read(self._query(reading, sql), self._dialect)
        known = set(self._known(node))
        functions = {one.lower() for name in known for one in _spellings(name)}
        unknown = [name for name in sorted(reads.tables) if not _is_known(name, known)]
        located = [(name, self._locate(name)) for name in unknown]
        opaque = [
            *reads.opaque,
            *(f"it reads {_spelled(name)}, and nobody can say which relation that is" for name, found in located if found is None),
        ]
        opaque += [
            f"it calls the function `{name}`, which may read relations" for name in sorted(reads.udfs) if _unquoted(name) not in functions
        ]
        files = () if reading.is_python else tuple(sorted(reads.files))
        return DeclaredReads(tuple(found for _, found in located if found is not None), files, tuple(opaque))

    def _query(self, reading: NodeReading, sql: str) -> str:
        """The body of a function may be an expression, which is read as the query that asks for it."""
        from afresh.fingerprint.trees import parse_query

        is_expression = reading.code.resource_type is ResourceType.FUNCTION and parse_query(sql, self._dialect) is None
        return f"select (\n{sql}\n)" if is_expression else sql

    def _known(self, node: Any) -> Iterator[_Name]:
        """The node's relation, and those of its inputs, of ephemeral models above it too."""
        yield _name(node)
        for holder in (node, *self._facts.ephemerals_above(node)):
            for parent in self._facts.parents(holder):
                yield _name(parent)
                deferred = getattr(parent, "defer_relation", None) or getattr(parent, "defer_function", None)
                if deferred:
                    yield _name(deferred)


def _name(node: Any) -> _Name:
    identifier = getattr(node, "identifier", None) or getattr(node, "alias", None) or getattr(node, "name", "")
    return ((getattr(node, "database", None) or "").lower(), (getattr(node, "schema", None) or "").lower(), str(identifier).lower())


def _is_known(name: TableName, known: set[_Name]) -> bool:
    """Whether the SQL's spelling can only be one of the known relations: parts that both have must agree."""
    parts = (name.catalog.lower(), name.db.lower(), name.name.lower())
    return any(parts[2] == one[2] and all(not said or said == have for said, have in zip(parts[:2], one[:2], strict=True)) for one in known)


def _spellings(name: _Name) -> Iterator[str]:
    database, schema, identifier = name
    yield identifier
    yield f"{schema}.{identifier}"
    yield f"{database}.{schema}.{identifier}"


def _unquoted(name: str) -> str:
    return name.replace('"', "").replace("`", "").lower()


def _spelled(name: TableName) -> str:
    return ".".join(part for part in (name.catalog, name.db, name.name) if part)
