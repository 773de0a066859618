"""The right to build one relation, for a limited time (semantics §5).

Rows in the state database; the database's clock judges; every write names the term, so that a holder that slept past
its expiry cannot write over its successor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from afresh.core.relation import TraceKey


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds or asks for a lease: one run, on one host; ``node`` is what it builds."""

    run_id: str
    host: str
    pid: int
    node: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was granted. ``term`` is the fencing token: it grows with every grant of this key."""

    key: TraceKey
    term: int
    holder: Holder
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else holds the lease until ``expires_at`` unless they renew it."""

    key: TraceKey
    holder: Holder
    since: datetime
    expires_at: datetime
