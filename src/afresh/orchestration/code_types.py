"""What the host says about code: how it differs from a record, and what a build just ran.

Plain values; nothing here knows dbt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from afresh.core.relation import Relation
    from afresh.core.version import CodeVersion, PartChange


@dataclass(frozen=True, slots=True)
class VolatileCall:
    """A call whose answer moves by itself: ``current_date`` in SQL, ``run_started_at`` in Jinja.

    ``counts`` is false where the call *is* a whole item of a select list, or stands in a comment only (semantics §3,
    ``evaluate_volatile_sql: auto``).
    """

    name: str
    counts: bool


@dataclass(frozen=True, slots=True)
class DeclaredReads:
    """What compiled SQL reads beyond the graph and beyond the node's own relation.

    ``opaque`` holds one sentence for each thing that nobody can resolve: the node then has an unknown input.
    """

    relations: tuple[Relation, ...] = ()
    files: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeComparison:
    """How a node's code differs from what is on record.

    ``not_reusable`` is why the two cannot be compared (the node is then built). ``rendered`` says that stage 2 was needed.
    ``depfile`` is a fresh record, given where rendering proved the code equal although something that was read changed:
    kept in place of the old one, it spares the next run the rendering.
    """

    changes: tuple[PartChange, ...] = ()
    not_reusable: str | None = None
    rendered: bool = False
    depfile: bytes | None = None


@dataclass(frozen=True)
class CodeRecord:
    """The code of a build that just ended, as it goes into the state.

    ``compiled`` is what dbt compiled, empty where nothing was; ``depfile`` belongs to it and is opaque to everybody but
    the code service.
    """

    code: CodeVersion
    depfile: bytes = b""
    compiled: str = ""
    reads: DeclaredReads = DeclaredReads()
    volatile: tuple[VolatileCall, ...] = ()
    not_reusable: str | None = None
