"""The questions a probe may put to the outside, and the answers it is sent.

A probe yields a tuple of asks, which may be answered in any order or in parallel, and is sent as many answers in the
same order. It never talks to anything itself, so the same probe runs over dbt's connections, over a driver in a test,
or over a recorded conversation.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class AskSql:
    """One statement to run in ``database`` (``None``: wherever the connection stands). It changes no data.

    It has to run in a transaction of its own: some engines keep what was read first for the rest of a transaction.
    ``label`` says for people what is asked.
    """

    sql: str
    database: str | None
    label: str
    same_session: bool = False
    """Whether it is worth nothing outside the session that has just built the relation."""


@dataclass(frozen=True, slots=True)
class AskFiles:
    """The files on this machine that match ``patterns`` (``*``, ``**``, ``?`` and ``[…]``; without these, one path).

    A file that changed less than ``quiet_ns`` ago is to be looked at again once that time has passed: within one tick of
    the file system's clock a further change might leave size and time as they are.
    """

    patterns: tuple[str, ...]
    quiet_ns: int = 0


Ask = AskSql | AskFiles


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a statement."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class FileStat:
    """One file: its *real* path (links resolved), bytes, time of last change in nanoseconds, and inode (0: none)."""

    path: str
    size: int
    mtime_ns: int
    inode: int = 0


@dataclass(frozen=True, slots=True)
class FileStats:
    """Every file that matched. ``observed_at_ns`` is the same clock as ``mtime_ns``, read *before* the files were looked at."""

    files: tuple[FileStat, ...]
    observed_at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The question could not be answered; ``error`` is what the warehouse or the system said."""

    error: str

    @property
    def reason(self) -> str:
        """The first line that says something; dbt puts the kind of error (``Database Error``) on a line before it."""
        lines = [line.strip() for line in self.error.splitlines() if line.strip()]
        telling = [line for line in lines if not line.endswith(" Error")] or lines
        return telling[0] if telling else "no reason was given"


Answer = Rows | FileStats | Failed

_T = TypeVar("_T")

Probing = Generator[tuple[Ask, ...], tuple[Answer, ...], _T]
"""A conversation that ends in a ``_T``."""


def ask_one(ask: Ask) -> Probing[Answer]:
    """Ask a single question."""
    (answer,) = yield (ask,)
    return answer


def together(talks: Sequence[Probing[_T]]) -> Probing[tuple[_T, ...]]:
    """Hold several conversations in step: what they ask in one round is asked as one tuple."""
    done: dict[int, _T] = {}
    waiting: dict[int, tuple[Ask, ...]] = {}
    for at, talk in enumerate(talks):
        _step(talk, at, None, waiting, done)
    while waiting:
        asked, waiting_now = dict(waiting), sorted(waiting)
        answers = yield tuple(ask for at in waiting_now for ask in asked[at])
        waiting.clear()
        start = 0
        for at in waiting_now:
            mine = answers[start : start + len(asked[at])]
            start += len(mine)
            _step(talks[at], at, mine, waiting, done)
    return tuple(done[at] for at in range(len(talks)))


def _step(
    talk: Probing[_T],
    at: int,
    answers: tuple[Answer, ...] | None,
    waiting: dict[int, tuple[Ask, ...]],
    done: dict[int, _T],
) -> None:
    try:
        waiting[at] = next(talk) if answers is None else talk.send(answers)
    except StopIteration as end:
        done[at] = end.value


def settled(value: _T) -> Probing[_T]:
    """A conversation that asks nothing and ends in ``value``."""
    yield from ()
    return value
