"""Moments as the database keeps them: whole microseconds since 1970 in UTC, the same number on every engine."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """The number that stands for ``moment``. A naive ``moment`` is a bug of the caller: :class:`ValueError`."""
    if moment.tzinfo is None:
        raise ValueError(f"a moment without a time zone cannot be stored: {moment!r}")
    return (moment - _EPOCH) // _MICROSECOND


def instant(number: int) -> datetime:
    """The moment in UTC that ``number`` stands for."""
    return _EPOCH + timedelta(microseconds=number)


def optional_micros(moment: datetime | None) -> int | None:
    """As :func:`micros`, for a moment that may not be there."""
    return None if moment is None else micros(moment)


def optional_instant(number: int | None) -> datetime | None:
    """As :func:`instant`, for a moment that may not be there."""
    return None if number is None else instant(number)


def length(span: timedelta) -> int:
    """A span of time in microseconds."""
    return span // _MICROSECOND
