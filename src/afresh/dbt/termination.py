"""A run that is asked to end with SIGTERM ends in good order: queries are cancelled, and leases are given back."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def in_good_order() -> Iterator[None]:
    """Within this, SIGTERM does what Ctrl-C does in dbt, and then ends the process just as it would have.

    Programs that run dbt inside themselves keep their own way of handling the signal.
    """
    is_ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not is_ours:
        yield
        return
    asked: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        if not asked:
            asked.append(number)
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if asked:
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGTERM)
