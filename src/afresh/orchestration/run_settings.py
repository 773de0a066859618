"""What one run was started with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.orchestration.what_if import NOTHING, WhatIf

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from afresh.core.lease import Holder


@dataclass(frozen=True)
class RunSettings:
    """The identity of a run and the limits it works under."""

    run_id: str
    scheduled_at: datetime
    holder: Holder
    lease_ttl: timedelta
    queue_timeout: timedelta
    build_without_state: bool
    """What to do when the state cannot be reached in mid-run: build and keep a journal, or fail the node."""
    job: str = ""
    target: str = ""
    what_if: WhatIf = NOTHING
    """What a plan takes for given."""
