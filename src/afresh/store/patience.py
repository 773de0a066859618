"""How long a database that does not answer is asked again, and how often.

An outage has one clock for all threads of the process: when it has lasted for too long, nobody waits for it any more,
until somebody finds the database there again.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = timedelta(seconds=2)
"""How long whoever asks for nothing else is ready to wait, and how long anybody waits when a state is opened."""
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
_NOT_WORTH_TELLING = 1.0
"""Seconds of waiting that nobody has to hear of."""
_REST = 5.0
"""Seconds for which a database that was given up is not asked again: a host that is gone takes its time to say so."""


class Patience:
    """What the threads of a process know of one database: since when it does not answer, and whether to go on asking."""

    def __init__(self, span: timedelta = PATIENCE, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.span = span
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._given_up: tuple[float, Exception] | None = None
        self._ended = threading.Event()
        self._tell: Callable[[Exception], None] | None = None
        self._is_told = False

    def when_away(self, tell: Callable[[Exception], None]) -> None:
        """Whom to tell, once in each outage that lasts, with the error."""
        self._tell = tell

    def attempts(self) -> Attempts:
        """One piece of work that is about to be tried. Raises the last error if the database was given up just now."""
        with self._lock:
            given_up = self._given_up
        if given_up is not None and self._clock() < given_up[0] + _REST:
            raise given_up[1]
        return Attempts(self)

    def reached(self) -> None:
        """The database answered."""
        if self._since is not None:
            with self._lock:
                self._since = self._given_up = None
                self._is_told = False

    def lost(self, error: Exception) -> float:
        """The database does not answer; says until when it is worth asking."""
        with self._lock:
            now = self._clock()
            self._since = now if self._since is None else self._since
            until = self._since + self.span.total_seconds()
            if now >= until:
                self._given_up = (now, error)
            is_news = now >= self._since + _NOT_WORTH_TELLING and not self._is_told
            self._is_told = self._is_told or is_news
        if is_news and self._tell is not None:
            self._tell(error)
        return until

    def now(self) -> float:
        """The time on the clock of this process."""
        return self._clock()

    def pause(self, seconds: float) -> bool:
        """Wait a moment; says whether to go on after it."""
        return not self._ended.wait(seconds)

    def end(self) -> None:
        """Nobody waits any longer: the run is being ended."""
        self._ended.set()


@dataclass
class Attempts:
    """The attempts at one piece of work."""

    patience: Patience
    count: int = 0
    until: float | None = None

    def again_after_outage(self, error: Exception) -> bool:
        """The database did not answer: wait a moment, and say whether to try again."""
        until = self.patience.lost(error)
        return self._again(until if self.until is None else min(self.until, until))

    def again_after_conflict(self) -> bool:
        """Another transaction was in the way: wait a moment, and say whether to try again."""
        return self._again(self.patience.now() + self.patience.span.total_seconds() if self.until is None else self.until)

    def _again(self, until: float) -> bool:
        self.until = until
        left = until - self.patience.now()
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self.count)
        self.count += 1
        # The last attempt comes when the time is up. Those who were cut off together do not all come back together.
        return left > 0 and self.patience.pause(min(left, longest * random.uniform(0.5, 1.0)))  # noqa: S311 - no secret depends on it
