"""A node as the fingerprint sees it: plain values that whoever knows dbt fills in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from afresh.core.node import Kind, ResourceType


@dataclass(frozen=True, slots=True)
class ColumnCode:
    """A column as YAML declares it.

    ``extra`` holds every key that is not a field here (``policy_tags``, ``codec``, ``column_mask`` …): what is not known counts.
    """

    data_type: str | None = None
    description: str = ""
    constraints: Sequence[Mapping[str, Any]] = ()
    quote: bool | None = None
    tags: Sequence[str] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TestCode:
    """What makes a generic data test the test it is; ``None`` in :class:`NodeCode` for a singular one."""

    __test__ = False
    name: str
    namespace: str | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    column_name: str | None = None
    attached_node: str | None = None


@dataclass(frozen=True, slots=True)
class UnitTestCode:
    """A unit test. ``tested`` holds the digests of the tested model's code parts, by name; ``fixtures`` those of fixture files."""

    model: str
    given: Sequence[Mapping[str, Any]] = ()
    expect: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    version: str | int | float | None = None
    fixtures: Mapping[str, str] = field(default_factory=dict)
    tested: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunctionCode:
    """A user-defined function's signature; its body is the node's ``raw_code``, overloads bring their own."""

    arguments: Sequence[Mapping[str, Any]] = ()
    returns: Mapping[str, Any] = field(default_factory=dict)
    overloads: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class NodeCode:
    """Everything of one node that can be compared, as plain values.

    ``config`` is the rendered config of the node, every key of it. ``refs`` maps the ids of the nodes and sources it refers to to their
    relation's name (for ephemeral ones: the digest of their code, for they are inlined). ``rendered_sql`` is the SQL rendered as a first
    load, ``rendered_incremental_sql`` as a later run; ``None`` before rendering, or where there is no such form.
    """

    resource_type: ResourceType
    kind: Kind
    adapter_type: str
    raw_code: str = ""
    language: str = "sql"
    config: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, ColumnCode] = field(default_factory=dict)
    constraints: Sequence[Mapping[str, Any]] = ()
    relation_name: str | None = None
    refs: Mapping[str, str] = field(default_factory=dict)
    ref_event_times: Mapping[str, str | None] = field(default_factory=dict)
    """``event_time`` of the inputs: dbt filters a microbatch model's inputs by it."""
    functions: Mapping[str, str] = field(default_factory=dict)
    """Digests of the deployed functions that the node calls, by id."""
    description: str = ""
    seed_digest: str | None = None
    """The digest of the seed file's bytes, at any size."""
    test: TestCode | None = None
    unit_test: UnitTestCode | None = None
    function: FunctionCode | None = None
    macros: Mapping[str, str] = field(default_factory=dict)
    """Digests of the macros that the depfile names, where the caller wants them as parts."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Anything else the caller knows to matter, one part per key."""
    rendered_sql: str | None = None
    rendered_incremental_sql: str | None = None

    @property
    def contract_enforced(self) -> bool:
        """Whether the model's contract is enforced, so that column types and constraints are part of its DDL."""
        contract = self.config.get("contract")
        if isinstance(contract, Mapping):
            return bool(contract.get("enforced"))
        return bool(getattr(contract, "enforced", contract))

    @property
    def is_microbatch(self) -> bool:
        """Whether dbt builds the node batch by batch along an event time."""
        return self.config.get("incremental_strategy") == "microbatch"
