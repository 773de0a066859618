"""Moments as people write them: `2026-12-01`, `2026-12-01 06:00`, `2026-12-01T06:00:00+01:00`."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime

from afresh.errors import UsageError

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d))?)?\s*(Z|[+-]\d\d:?\d\d)?")
_HINT = 'Write it as "2026-12-01 06:00", in this machine\'s time zone, or with an offset: "2026-12-01 06:00+01:00".'


def moment_of(text: str, *, option: str) -> datetime:
    """The moment that a text names: in the time zone of this machine unless it has an offset; a date alone is its midnight.

    Raises:
        UsageError: it names none.
    """
    found = _MOMENT.fullmatch(text.strip())
    with suppress(ValueError, OverflowError, OSError):
        if found is not None:
            return _read(*found.groups())
    raise UsageError(f"`{text}` is no moment", where=f"option {option}", hint=_HINT)


def _read(day: str, time: str | None, seconds: str | None, offset: str | None) -> datetime:
    zone = "" if offset is None else "+00:00" if offset == "Z" else f"{offset[:3]}:{offset[-2:]}"
    return datetime.fromisoformat(f"{day}T{time or '00:00'}:{seconds or '00'}{zone}").astimezone()
