"""``loaded_at_field`` and ``loaded_at_query``: the moment that the user says is the sign of new data (semantics §4.2).

Beside an engine's own token, data is new if *either* moves. Where the engine has no token, or the user says
``source_signal: loaded_at``, this decides alone; then a warning names what it cannot see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from afresh.core.version import Known, Unknown
from afresh.warehouse.asks import AskSql, Failed, Rows, ask_one, together
from afresh.warehouse.cells import unmarked
from afresh.warehouse.dialect import STANDARD
from afresh.warehouse.probe import NO_ROWS, ProbeAnswer, Signal, SourceSignal, Strength

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.core.version import DataVersion
    from afresh.warehouse.asks import Probing
    from afresh.warehouse.dialect import Dialect
    from afresh.warehouse.probe import Answers, Target

_NULL = "null"
_EARLIEST_ZONE = timezone(timedelta(hours=14))
"""Where every hour of the clock comes first."""

CANNOT_SEE = "only loaded_at decides: late rows, updates and deletes that leave its maximum as it is are not seen"


@dataclass(frozen=True, slots=True)
class Reading:
    """The version that ``loaded_at_*`` gave, what to tell the user, and how long ago that was."""

    version: DataVersion
    warnings: tuple[str, ...] = ()
    age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """The value in one spelling, whether it lies ahead of the server's clock, and how far behind it."""

    text: str
    is_ahead: bool = False
    age: timedelta | None = None


def with_loaded_at(targets: Sequence[Target], engine: Probing[Answers], dialect: Dialect = STANDARD) -> Probing[Answers]:
    """The engine's answers, joined with ``loaded_at_*`` for the targets that have it."""
    answers = yield from engine
    asked = [target for target in targets if target.has_loaded_at and _worth_asking(answers[target.key])]
    readings = yield from together([read_loaded_at(target, answers[target.key], dialect) for target in asked])
    joined = {
        target.key: _joined(answers[target.key], reading, alone=target.source_signal is SourceSignal.LOADED_AT)
        for target, reading in zip(asked, readings, strict=True)
    }
    return {**answers, **joined}


def _worth_asking(answer: ProbeAnswer) -> bool:
    return answer.exists is not False


def _joined(answer: ProbeAnswer, reading: Reading, *, alone: bool) -> ProbeAnswer:
    warnings = (*answer.warnings, *reading.warnings)
    if isinstance(reading.version, Unknown):
        return replace(answer, version=reading.version, warnings=warnings, signal=Signal.LOADED_AT, strength=Strength.NONE)
    if alone or isinstance(answer.version, Unknown):
        version = Known(f"loaded_at={reading.version.token}")
        signs = (*warnings, CANNOT_SEE)
        return replace(answer, version=version, warnings=signs, signal=Signal.LOADED_AT, strength=Strength.DECLARED, age=reading.age)
    version = Known(f"{answer.version.token} loaded_at={reading.version.token}")
    return replace(answer, version=version, warnings=warnings, age=reading.age)


def read_loaded_at(target: Target, answer: ProbeAnswer, dialect: Dialect = STANDARD) -> Probing[Reading]:
    """Ask for the value, a second time where it could be the moment of asking.

    A field of a table stands still by itself; a query, an expression or a view may answer "now".
    """
    what = "loaded_at_query" if target.loaded_at_query else "loaded_at_field"
    from afresh.warehouse.volatile import answers_with_now

    volatile = answers_with_now(_expression(target), dialect.name)
    if volatile is not None:
        return _moving(target, what, f"it answers with {volatile}()")
    ask = AskSql(_statement(target, dialect), target.name.database or None, f"{what} of {target.relation.name}")
    first = yield from ask_one(ask)
    value = _value(first)
    if isinstance(value, Unknown):
        failed = f"{what} of {target.relation.name} failed: {value.why}"
        return Reading(Unknown(failed), (failed,))
    if _may_be_now(target, answer):
        second = _value((yield from ask_one(ask)))
        if isinstance(second, Unknown) or second.text != value.text:
            return _moving(target, what, "its answer moves between two readings")
    return Reading(Known(value.text), _future(target, value), value.age)


def _moving(target: Target, what: str, why: str) -> Reading:
    text = f"{what} of {target.relation.name} says nothing about new data: {why}"
    return Reading(Unknown(text), (text,))


def _future(target: Target, value: Value) -> tuple[str, ...]:
    return (f"loaded_at of {target.relation.name} lies in the future: {value.text}",) if value.is_ahead else ()


def _may_be_now(target: Target, answer: ProbeAnswer) -> bool:
    plain_field = target.loaded_at_field is not None and re.fullmatch(r'[\w.]+|"[^"]+"', target.loaded_at_field.strip()) is not None
    return not (plain_field and answer.relation_type == "table")


def _expression(target: Target) -> str:
    return target.loaded_at_query or f"select {target.loaded_at_field}"


def _statement(target: Target, dialect: Dialect) -> str:
    columns = dialect.marked_columns("answer.value", dialect.now)
    return f"select {columns} from ({_inner(target, dialect)}) as answer"


def _inner(target: Target, dialect: Dialect) -> str:
    if target.loaded_at_query:
        return f"select (\n{target.loaded_at_query.strip().rstrip(';')}\n) as value"
    where = f"\nwhere (\n{target.filter}\n)" if target.filter else ""
    source = target.location or dialect.dotted((target.name.database, target.name.schema, target.name.identifier))
    return f"select max({target.loaded_at_field}) as value from {source}{where}"


def _value(answer: object) -> Value | Unknown:
    if isinstance(answer, Failed):
        return Unknown(answer.reason)
    if not isinstance(answer, Rows) or len(answer.rows) != 1:
        return Unknown("it did not answer with one row")
    text, now = (unmarked(cell) for cell in answer.rows[0])
    if text is None:
        return Value(_NULL, age=NO_ROWS)
    return Value(spelled(text), lies_ahead(text, now), age_of(text, now))


_OFFSET = re.compile(r"([+-]\d{2})(?::?(\d{2}))?(?::?\d{2})?$")


def _moment(text: str) -> datetime | None:
    """A timestamp as engines print it (``2026-11-22 07:00:00.5+01``), or ``None``."""
    head, _, clock = re.sub(r"(?<=\d)T(?=\d)", " ", text.strip()).partition(" ")
    clock = re.sub(r"(?: UTC|Z)$", "+00:00", clock.strip())
    offset = _OFFSET.search(clock)
    if offset:
        clock = f"{clock[: offset.start()].strip()}{offset[1]}:{offset[2] or '00'}"
    clock = re.sub(r"\.(\d{1,6})\d*", lambda found: "." + found[1].ljust(6, "0"), clock)
    try:
        return datetime.fromisoformat(f"{head} {clock}".strip())
    except ValueError:
        return None


def spelled(text: str) -> str:
    """The value in one spelling: moments with a zone in UTC, others as they are, and what is no moment as text. No white space."""
    moment = _moment(text)
    if moment is None:
        return f"%{text}" if text == _NULL else text.replace("%", "%25").replace(" ", "%20")
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc)
    return moment.isoformat(timespec="microseconds")


def age_of(text: str, now: str | None) -> timedelta | None:
    """How far a value is behind the server's clock. Without a zone it is taken for UTC, as dbt takes it; what is no moment has no age."""
    value, clock = _moment(text), _moment(now or "")
    if value is None or clock is None:
        return None
    return clock.replace(tzinfo=clock.tzinfo or timezone.utc) - value.replace(tzinfo=value.tzinfo or timezone.utc)


def lies_ahead(text: str, now: str | None) -> bool:
    """Whether a value is later than the server's clock. Without a zone it is so only if it is later on every clock in the world."""
    value, clock = _moment(text), _moment(now or "")
    if value is None or clock is None:
        return False
    return value.replace(tzinfo=value.tzinfo or _EARLIEST_ZONE) > clock.replace(tzinfo=clock.tzinfo or timezone.utc)
