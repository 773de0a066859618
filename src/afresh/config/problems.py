"""Mistakes in settings, collected so that one error can name them all."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.errors import Location, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_TOLD = 20
"""How many mistakes one error lists."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: what is wrong, where, and what would be right."""

    what: str
    where: Location
    hint: str | None = None

    def __str__(self) -> str:
        told = f"{self.where}: {self.what}"
        return told if self.hint is None else f"{told}\n    {self.hint}"


class SettingsError(UsageError):
    """Settings that cannot be used. ``problems`` holds every mistake, in the order of the file."""

    def __init__(self, problems: Sequence[Problem], *, title: str) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            only = self.problems[0]
            super().__init__(only.what, where=only.where, hint=only.hint)
        else:
            told = "".join(f"\n  {problem}" for problem in self.problems[:_TOLD])
            if len(self.problems) > _TOLD:  # one value for a folder is a mistake in each of its models
                told += f"\n  … and {len(self.problems) - _TOLD:,} more"
            super().__init__(f"{len(self.problems)} mistakes in {title}:{told}")


def raise_if_any(problems: Iterable[Problem], *, title: str) -> None:
    """Raise one error for all ``problems``, in the order of their places; nothing if there are none.

    Raises:
        SettingsError: there is at least one.
    """
    found = sorted(dict.fromkeys(problems), key=lambda problem: (problem.where.file, problem.where.line or 0))
    if found:
        raise SettingsError(found, title=title)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that the user most likely meant."""
    return next(iter(difflib.get_close_matches(word.lower(), sorted(known), n=1)), None)


def unknown_key_hint(key: str, known: Iterable[str]) -> str:
    """The nearest key that exists, or all of them."""
    keys = sorted(known)
    near = nearest(key, keys)
    return f"did you mean `{near}`?" if near else f"allowed keys: {', '.join(keys)}"


def shown(value: object) -> str:
    """A value inside a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 - about what fits beside the rest of a message
