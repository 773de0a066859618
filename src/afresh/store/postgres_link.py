"""A connection to PostgreSQL that does not wait for an answer for ever.

A host that is gone is noticed by the operating system. A server that is frozen is not: its kernel goes on acknowledging what nobody
reads. Whoever then waits counts the server as away and closes the connection; what it had sent is in doubt, as after any lost connection.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")

ANSWER_SECONDS = 60.0
"""How long a statement of ours may take: each is short, and waits for others for seconds at most."""


class BoundedConnection(psycopg.Connection[Any]):
    """Raises ``psycopg.OperationalError`` where the server has not answered for :data:`ANSWER_SECONDS`."""

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:  # noqa: ANN401 - whatever this version of the driver takes
        """Wait for an answer, as long as that makes sense."""
        return super().wait(self._bounded(gen), *args, **kwargs)

    def _bounded(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """The driver resumes this with nothing ready a few times per second."""
        deadline = time.monotonic() + ANSWER_SECONDS
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() >= deadline:
                    self.close()
                    raise psycopg.OperationalError(f"the server has not answered for {ANSWER_SECONDS:g} seconds")
                wanted = gen.send(ready)
        except StopIteration as ended:
            answer: T = ended.value
            return answer
