"""The code version of a node, in named parts: those that can be compared without rendering, and those of the rendered SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from afresh.core.node import ResourceType
from afresh.core.version import CodeVersion, Part, PartGroup
from afresh.fingerprint.config_parts import config_parts
from afresh.fingerprint.data_test import data_test_parts
from afresh.fingerprint.digest import digest_of, digest_of_text, shown
from afresh.fingerprint.function import function_parts
from afresh.fingerprint.python_model import python_digest
from afresh.fingerprint.seed import seed_parts
from afresh.fingerprint.sql import dialect_of, token_digest
from afresh.fingerprint.unit_test import unit_test_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from afresh.fingerprint.node_code import ColumnCode, NodeCode

# Snapshots need nothing of their own: strategy, keys and checked columns are configs.
_OF_RESOURCE: Mapping[ResourceType, Callable[[NodeCode], dict[str, Part]]] = {
    ResourceType.SEED: seed_parts,
    ResourceType.TEST: data_test_parts,
    ResourceType.UNIT_TEST: unit_test_parts,
    ResourceType.FUNCTION: function_parts,
}


def static_parts(code: NodeCode) -> Mapping[str, Part]:
    """Everything of the node that can be compared without rendering, in named parts.

    ``raw`` (or ``python`` for a Python model) is its text, ``config.<key>`` one part per config, ``columns`` and ``column.<name>`` what
    YAML says of its columns where that is part of the DDL, ``relation`` its own name, ``ref.<node>`` the names of what it refers to.
    """
    parts = dict(_text_parts(code))
    parts.update(config_parts(code))
    parts.update(_column_parts(code))
    parts.update(_name_parts(code))
    parts.update(_docs_parts(code))
    if code.resource_type in _OF_RESOURCE:
        parts.update(_OF_RESOURCE[code.resource_type](code))
    return parts


def rendered_parts(code: NodeCode) -> Mapping[str, Part]:
    """The token digests of the rendered SQL, ``sql`` and (for incremental models) ``sql.incremental``; empty before rendering."""
    dialect = dialect_of(code.adapter_type)
    forms = {"sql": code.rendered_sql, "sql.incremental": code.rendered_incremental_sql}
    return {name: Part(token_digest(sql, dialect)) for name, sql in forms.items() if sql is not None}


def code_version(code: NodeCode) -> CodeVersion:
    """All the parts there are, as one code version.

    Once the SQL is rendered, it stands for the raw text and the macros that it was rendered from: a comment in the file is no change.
    """
    rendered = rendered_parts(code)
    replaced = {"raw"} | {f"macro.{name}" for name in code.macros} if rendered else set()
    static = {name: part for name, part in static_parts(code).items() if name not in replaced}
    return CodeVersion({**static, **rendered})


def _text_parts(code: NodeCode) -> Iterator[tuple[str, Part]]:
    if code.language == "python":
        yield "python", Part(python_digest(code.raw_code))
    elif code.resource_type not in (ResourceType.SEED, ResourceType.UNIT_TEST):
        yield "raw", Part(digest_of_text(code.raw_code.strip()))
    for name, digest in code.macros.items():
        yield f"macro.{name}", Part(digest)
    for name, value in code.extra.items():
        yield name, Part(digest_of(value), shown=shown(value))


def _name_parts(code: NodeCode) -> Iterator[tuple[str, Part]]:
    if code.relation_name is not None:
        yield "relation", Part(digest_of_text(code.relation_name), shown=shown(code.relation_name))
    for node, relation in code.refs.items():
        yield f"ref.{node}", Part(digest_of_text(relation), shown=shown(relation))
    for node, digest in code.functions.items():
        yield f"function.{node}", Part(digest)
    if code.is_microbatch:
        for node, event_time in code.ref_event_times.items():
            yield f"ref_event_time.{node}", Part(digest_of(event_time), shown=shown(event_time))


# --- columns ----------------------------------------------------------------------------------------------------------


def _column_parts(code: NodeCode) -> Iterator[tuple[str, Part]]:
    if code.contract_enforced:
        # The order too: dbt writes the columns of the DDL in it.
        names = list(code.columns)
        yield "columns", Part(digest_of(names), shown=shown(names))
    for name, column in code.columns.items():
        said = _ddl_of(column, enforced=code.contract_enforced)
        if said:
            yield f"column.{name}", Part(digest_of(said), shown=shown(said))
    if code.constraints:
        constraints = [_constraint(entry) for entry in code.constraints]
        yield "constraints", Part(digest_of(constraints), shown=shown(constraints))


def _ddl_of(column: ColumnCode, *, enforced: bool) -> dict[str, Any]:
    """What of a column can reach the DDL: its type only under an enforced contract, its constraints and unknown keys always."""
    said: dict[str, Any] = {}
    if enforced and column.data_type is not None:
        said["data_type"] = column.data_type
    if enforced and column.quote is not None:
        said["quote"] = column.quote
    if column.constraints:
        said["constraints"] = [_constraint(entry) for entry in column.constraints]
    said.update({key: value for key, value in column.extra.items() if value is not None and key not in _COLUMN_DEFAULTS})
    return said


_COLUMN_DEFAULTS = frozenset({"doc_blocks", "granularity", "dimension", "entity", "data_tests", "tests", "name", "config"})
"""Keys that dbt adds to a column for its own use. ``config`` of a column holds tags and meta only."""


def _constraint(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A constraint as its author wrote it: dbt's empty fields say nothing."""
    return {key: value for key, value in entry.items() if value not in (None, [], "") or key == "type"}


# --- descriptions that are written into the warehouse -----------------------------------------------------------------


def _docs_parts(code: NodeCode) -> Iterator[tuple[str, Part]]:
    persisted = code.config.get("persist_docs")
    if not isinstance(persisted, Mapping):
        return
    if persisted.get("relation"):
        yield "description", Part(digest_of_text(code.description), PartGroup.METADATA, shown(code.description))
    if persisted.get("columns"):
        said = {name: [column.description, column.quote] for name, column in code.columns.items()}
        yield "column_descriptions", Part(digest_of(said), PartGroup.METADATA)
