"""How the text of one setting becomes a value, and what is allowed there. The same for the file, the environment and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Generic, TypeVar

from afresh.config.durations import DURATION_ALLOWED, format_duration, parse_duration
from afresh.config.state_url import STATE_URL_ALLOWED, checked_state_url

T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=Enum)

_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Value(Generic[T_co]):
    """One kind of value. ``parse`` raises ``ValueError`` for what is not ``allowed``; ``secret`` values are never shown."""

    parse: Callable[[str], T_co]
    allowed: str
    choices: tuple[str, ...] = ()
    secret: bool = False


def boolean() -> Value[bool]:
    """True or false, in YAML's words."""

    def parse(text: str) -> bool:
        word = text.strip().lower()
        if word not in _TRUE | _FALSE:
            raise ValueError(text)
        return word in _TRUE

    return Value(parse, "true or false", ("true", "false"))


def choice(of: type[E]) -> Value[E]:
    """One word of a closed list."""
    words = tuple(str(member.value) for member in of)
    return Value(lambda text: of(text.strip().lower()), f"one of {', '.join(words)}", words)


def duration(*, at_least: timedelta = timedelta(0)) -> Value[timedelta]:
    """A length of time."""

    def parse(text: str) -> timedelta:
        span = parse_duration(text)
        if span < at_least:
            raise ValueError(text)
        return span

    least = f", at least {format_duration(at_least)}" if at_least else ""
    return Value(parse, DURATION_ALLOWED + least)


def whole(*, at_least: int = 0) -> Value[int]:
    """A whole number."""

    def parse(text: str) -> int:
        if not text.strip().isdecimal() or int(text) < at_least:
            raise ValueError(text)
        return int(text)

    return Value(parse, f"a whole number, at least {at_least}")


def words(allowed: str = "text", *, secret: bool = False) -> Value[str]:
    """Any text that is not empty."""

    def parse(text: str) -> str:
        if not text.strip():
            raise ValueError(text)
        return text

    return Value(parse, allowed, secret=secret)


def state_url() -> Value[str]:
    """The address of the state database."""
    return Value(lambda text: checked_state_url(text.strip()), STATE_URL_ALLOWED, secret=True)
