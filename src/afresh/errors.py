"""The three kinds of failure a user can meet, and the exit code of each.

An expected outcome is a value, never an exception. What is raised is one of three: the user can fix it
(:class:`UsageError`), the world is down (:class:`UnavailableError`), or we have a bug (:class:`InternalError`).
Every message says what happened, where, and what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass

EXIT_OK = 0
EXIT_NODE_FAILED = 1
EXIT_COULD_NOT_RUN = 2


@dataclass(frozen=True)
class Location:
    """Where in the user's files a mistake stands; lines and columns count from 1."""

    file: str
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return place if self.key is None else f"{place}, key `{self.key}`"


class AfreshError(Exception):
    """Base of everything that Afresh raises on purpose."""

    exit_code = EXIT_COULD_NOT_RUN

    def __init__(self, what: str, *, where: Location | str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        head = self.what if self.where is None else f"{self.where}: {self.what}"
        return head if self.hint is None else f"{head}\n  {self.hint}"


class UsageError(AfreshError):
    """The user can fix this: a wrong flag, setting, file or selector."""


class UnavailableError(AfreshError):
    """The world is down: the state database, the warehouse or a disk cannot be reached or refuses."""


class StateUnavailableError(UnavailableError):
    """The state database cannot be opened, read or written."""


class LeaseLostError(AfreshError):
    """A write named a term that is no longer the relation's current one: somebody else may hold the lease."""


class QueueTimeoutError(AfreshError):
    """A node waited for another run's lease longer than ``queue_timeout``, or until its own run was ended."""

    def __init__(self, what: str, *, where: Location | str | None = None, holder: str = "", waited: float = 0.0) -> None:
        super().__init__(what, where=where)
        self.holder = holder
        self.waited = waited


class OrphanedQueryError(AfreshError):
    """What a run that died left at work in the warehouse could not be ended, so nothing is built beside it."""

    def __init__(self, what: str, *, run_id: str, detail: str) -> None:
        super().__init__(what)
        self.run_id = run_id
        self.detail = detail


class InternalError(AfreshError):
    """Our bug. The message asks for a report."""
