"""Values for a fingerprint rendering in place of those that are new with every run: ``run_started_at``, ``invocation_id``, now.

Each stands for one fixed moment (or id) and prints as a marker, so that the rendered text is the same in every run and
shows where the value lands. What is read of it in another way (an hour, a comparison) is noted: it may have decided
anything.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any

MARK = "afreshvolatile"
"""How every marker begins; with the digits after it, it is one word in any SQL."""

_FIXED = (2000, 1, 3, 4, 5, 6, 789000)
_ID = "00000000-0000-4000-8000-00000000afre"


@dataclass
class Marks:
    """The markers of one rendering. ``printed`` maps each marker to the name it stands for; ``decided`` are names read otherwise.

    ``plain``: print the fixed values as they are, for code that cannot work with a marker; everything read then counts.
    """

    plain: bool = False
    printed: dict[str, str] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    identifiers: dict[str, str] = field(default_factory=dict)
    """Markers of ids, which exist before anybody asks for them: whether one was used, only the text or the template can tell."""

    def print(self, name: str, spelled: str, value: str) -> str:
        """The marker for a value of ``name``; ``spelled`` tells apart what one name can print."""
        if self.plain:
            self.decided.add(name)
            return value
        marker = MARK + hashlib.sha256(f"{name}\0{spelled}".encode()).hexdigest()[:10]
        self.printed[marker] = name
        return marker

    def moment(self, name: str) -> dt.datetime:
        """A fixed moment, in UTC, that prints as a marker of ``name``."""
        return _moment_class(self, name)(*_FIXED, tzinfo=dt.timezone.utc)

    def naive_moment(self, name: str) -> dt.datetime:
        """The same without a time zone, as ``datetime.now()`` gives it."""
        return _moment_class(self, name)(*_FIXED)

    def day(self, name: str) -> dt.date:
        """A fixed date that prints as a marker."""
        return _day_class(self, name)(*_FIXED[:3])

    def identifier(self, name: str) -> str:
        """A fixed id that is a marker."""
        marker = _ID if self.plain else MARK + hashlib.sha256(name.encode()).hexdigest()[:10]
        self.identifiers[marker] = name
        return _identifier_class(self, name)(marker)

    def datetime_module(self, original: dict[str, Any]) -> dict[str, Any]:
        """``modules.datetime`` with a clock that stands still."""
        return {**original, "datetime": _clock_class(self), "date": _calendar_class(self)}


def _printing(marks: Marks, name: str, base: Any) -> dict[str, Any]:
    """The members by which a date or a moment prints itself. They work on a plain copy: one of them may call another."""

    def marked(self: Any, spelled: str, value: str) -> str:
        return marks.print(name, f"{_plain(self).isoformat()}|{spelled}", value)

    return {
        "strftime": lambda self, fmt: marked(self, f"%{fmt}", _plain(self).strftime(fmt)),
        "isoformat": lambda self, *a, **k: marked(self, f"iso{a}{sorted(k.items())}", _plain(self).isoformat(*a, **k)),
        "ctime": lambda self: marked(self, "ctime", _plain(self).ctime()),
        "__str__": lambda self: marked(self, "str", str(_plain(self))),
        "__repr__": lambda self: marked(self, "repr", repr(_plain(self))),
        "__format__": lambda self, fmt: marked(self, f"%{fmt}", format(_plain(self), fmt)),
        "__hash__": base.__hash__,
    }


def _plain(value: Any) -> Any:
    """The ordinary date or moment of the same value."""
    if isinstance(value, dt.datetime):
        return dt.datetime.combine(dt.datetime.date(value), dt.datetime.timetz(value))
    return dt.date.fromordinal(dt.date.toordinal(value))


def _deciding(marks: Marks, name: str, base: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Members that give away a part of the value: reading one is noted."""

    def noting(member: str) -> Any:
        inner = getattr(base, member)

        def read(self: Any) -> Any:
            marks.decided.add(name)
            return inner.__get__(self)

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            marks.decided.add(name)
            return inner(self, *args, **kwargs)

        return call if callable(inner) else property(read)

    return {member: noting(member) for member in names}


_COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
_DAY_PARTS = ("year", "month", "day", "weekday", "isoweekday", "isocalendar", "toordinal", "timetuple", *_COMPARISONS)
_TIME_PARTS = ("hour", "minute", "second", "microsecond", "timestamp", "utctimetuple", "time", "timetz")


def _moment_class(marks: Marks, name: str) -> Any:
    base = dt.datetime
    members = {**_printing(marks, name, base), **_deciding(marks, name, base, (*_DAY_PARTS, *_TIME_PARTS))}

    def replace(self: Any, **changed: Any) -> Any:
        return _again(_plain(self).replace(**changed))

    def astimezone(self: Any, tz: Any = None) -> Any:
        return _again(_plain(self).astimezone(tz))

    def add(self: Any, other: Any) -> Any:
        return _again(_plain(self) + other)

    def subtract(self: Any, other: Any) -> Any:
        if isinstance(other, dt.timedelta):
            return _again(_plain(self) - other)
        marks.decided.add(name)
        return _plain(self) - other

    def date(self: Any) -> Any:
        plain = _plain(self).date()
        return _day_class(marks, name)(plain.year, plain.month, plain.day)

    members.update({"replace": replace, "astimezone": astimezone, "__add__": add, "__radd__": add, "__sub__": subtract, "date": date})
    made: Any = type("MarkedMoment", (base,), members)

    def _again(value: dt.datetime) -> Any:
        return made(value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond, value.tzinfo)

    return made


def _day_class(marks: Marks, name: str) -> Any:
    base = dt.date
    members = {**_printing(marks, name, base), **_deciding(marks, name, base, _DAY_PARTS)}

    def add(self: Any, other: Any) -> Any:
        return _again(_plain(self) + other)

    def subtract(self: Any, other: Any) -> Any:
        if isinstance(other, dt.timedelta):
            return _again(_plain(self) - other)
        marks.decided.add(name)
        return _plain(self) - other

    def replace(self: Any, **changed: Any) -> Any:
        return _again(_plain(self).replace(**changed))

    members.update({"__add__": add, "__radd__": add, "__sub__": subtract, "replace": replace})
    made: Any = type("MarkedDay", (base,), members)

    def _again(value: dt.date) -> Any:
        return made(value.year, value.month, value.day)

    return made


_PARTS_OF_TEXT = ("__getitem__", "split", "replace", "upper", "lower", "strip", "format", "encode", *_COMPARISONS)


def _identifier_class(marks: Marks, name: str) -> Any:
    return type("MarkedId", (str,), {**_deciding(marks, name, str, _PARTS_OF_TEXT), "__hash__": str.__hash__})


def _clock_class(marks: Marks) -> Any:
    """``datetime.datetime`` for Jinja: makes plain moments, but reads a clock that stands still."""
    name = "modules.datetime.datetime.now"

    def now(_cls: Any, tz: Any = None) -> Any:
        return marks.naive_moment(name) if tz is None else marks.moment(name).astimezone(tz)

    members = {
        "__new__": lambda _cls, *args, **kwargs: dt.datetime(*args, **kwargs),  # noqa: DTZ001 - the user's own arguments
        "now": classmethod(now),
        "utcnow": classmethod(now),
        "today": classmethod(now),
        "strptime": staticmethod(dt.datetime.strptime),
        "fromisoformat": staticmethod(dt.datetime.fromisoformat),
        "fromtimestamp": staticmethod(dt.datetime.fromtimestamp),
        "utcfromtimestamp": staticmethod(dt.datetime.utcfromtimestamp),
        "combine": staticmethod(dt.datetime.combine),
    }
    return type("StoppedClock", (dt.datetime,), members)


def _calendar_class(marks: Marks) -> Any:
    """``datetime.date`` for Jinja, with a day that does not end."""
    members = {
        "__new__": lambda _cls, *args, **kwargs: dt.date(*args, **kwargs),
        "today": classmethod(lambda _cls: marks.day("modules.datetime.date.today")),
        "fromisoformat": staticmethod(dt.date.fromisoformat),
        "fromtimestamp": staticmethod(dt.date.fromtimestamp),
    }
    return type("StoppedCalendar", (dt.date,), members)
