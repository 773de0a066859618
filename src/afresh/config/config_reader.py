"""Takes settings out of one node's dbt config and remembers where each was found and what could not be used.

The config comes from dbt as plain values: Jinja is rendered, so that a number or a boolean may come as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from afresh.config import values as v
from afresh.config.durations import LONGEST, format_duration
from afresh.config.problems import Problem, nearest, shown, unknown_key_hint
from afresh.errors import Location

T = TypeVar("T")
D = TypeVar("D")

_PERIODS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_FRESHNESS_KEYS = ("build_after", "error_after", "filter", "warn_after")
_BUILD_AFTER_KEYS = ("count", "period", "updates_on")
_COUNT = v.whole()
_PERIOD = v.Value(lambda text: _PERIODS[text.strip()], "one of minute, hour, day", tuple(_PERIODS))


class ConfigReader:
    """One node's config. Every method that reads a value gives the default after a mistake and collects the mistake."""

    def __init__(self, config: Mapping[str, Any], *, node_id: str, file: str) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.origins: dict[str, str] = {}
        self._node_id, self._file = node_id, file
        meta = config.get("meta")
        self._blocks = {
            "state": self._mapping("state", config.get("state")),
            "meta.afresh": self._mapping("meta.afresh", meta.get("afresh") if isinstance(meta, Mapping) else None),
        }
        self._freshness = self._mapping("freshness", config.get("freshness"))
        self._build_after = self._mapping("freshness.build_after", self._freshness.get("build_after"))
        self.cancels_freshness = "freshness" in config and config["freshness"] is None
        """Whether the user wrote ``freshness: null``."""

    def check_keys(self, known: Iterable[str], without_effect: Iterable[str]) -> None:
        """Collect keys that do not exist; a misspelt setting that is passed over in silence would be a setting that does not hold."""
        for block, values in self._blocks.items():
            self._unknown(block, values, (*known, *without_effect), shown_keys=known)
            self.warnings += [f"{self._node_id}: `{block}.{key}` has no effect here" for key in values if key in without_effect]
        self._unknown("freshness.build_after", self._build_after, _BUILD_AFTER_KEYS, shown_keys=_BUILD_AFTER_KEYS)
        for key in self._freshness:
            if nearest(key, _FRESHNESS_KEYS) == "build_after" and key != "build_after":
                self._problem(f"freshness.{key}", "this key does not exist", "did you mean `build_after`?")

    def state(self, key: str, kind: v.Value[T], default: D) -> T | D:
        """A setting of ``state``, or of ``meta.afresh``; not set and null are the same."""
        place, given = self._of_blocks(key)
        return default if given is None else self._parsed(f"{place}.{key}", given, kind, default, origin=key)

    def raw_state(self, key: str) -> Any:  # noqa: ANN401 - whatever the user wrote
        """A setting of ``state`` as it is."""
        place, given = self._of_blocks(key)
        if given is not None:
            self.origins[key] = f"{place}.{key}"
        return given

    def place(self, key: str) -> str | None:
        """Under which name of the config a setting of ``state`` was given, ``None`` where it was not."""
        block, given = self._of_blocks(key)
        return None if given is None else f"{block}.{key}"

    def refuse(self, key: str, given: object, *, allowed: str) -> None:
        """Collect a setting of ``state`` whose value the caller cannot use."""
        place, _ = self._of_blocks(key)
        self._problem(f"{place}.{key}", f"{shown(given)} is not allowed", f"allowed: {allowed}")

    def build_after(self, key: str, kind: v.Value[T]) -> T | None:
        """A setting of ``freshness.build_after``."""
        given = self._build_after.get(key)
        return None if given is None else self._parsed(f"freshness.build_after.{key}", given, kind, None, origin=key)

    def build_after_interval(self) -> timedelta | None:
        """``count`` times ``period``; one without the other is a mistake, except that zero needs no period."""
        given_count, given_period = self._build_after.get("count"), self._build_after.get("period")
        count, period = self.build_after("count", _COUNT), self.build_after("period", _PERIOD)
        if given_count is None and given_period is None:
            return None
        if given_count is None or (given_period is None and count != 0):
            missing = "count" if given_count is None else "period"
            self._problem(
                "freshness.build_after", f"`{missing}` is missing", "an interval needs `count` and `period` (minute, hour or day)"
            )
            return None
        return timedelta(0) if count == 0 else None if count is None or period is None else self._span(count, period)

    def warn_if_both(self, key: str, of_state: object, other: str, of_other: object) -> None:
        """Say that a setting of ``state`` wins over one of ``freshness``, if both are set and differ."""
        if of_state is not None and of_other is not None and of_state != of_other:
            place = self._of_blocks(key)[0]
            self.warnings.append(f"{self._node_id}: `{place}.{key}` ({_told(of_state)}) wins over `{other}` ({_told(of_other)})")

    def take(self, other: ConfigReader) -> None:
        """Take over what ``other`` found of the lag: it is read from another level of the same node's config."""
        self.take_problems(other)
        self.warnings += other.warnings
        self.origins |= other.origins

    def take_problems(self, other: ConfigReader) -> None:
        """Take over the mistakes that ``other`` found in the same node's config."""
        known = set(self.problems)
        self.problems += [problem for problem in other.problems if problem not in known]

    def _span(self, count: int, period: timedelta) -> timedelta | None:
        if count <= LONGEST / period:
            return count * period
        hint = f"the interval is too long: at most {LONGEST.days} days"
        self._problem("freshness.build_after.count", f"{count} is not allowed", hint)
        return None

    def _parsed(self, path: str, given: object, kind: v.Value[T], default: D, *, origin: str) -> T | D:
        try:
            value = kind.parse(_text(given))
        except (ValueError, KeyError):
            near = nearest(str(given), kind.choices)
            hint = f"allowed: {kind.allowed}" + (f"; did you mean {near}?" if near else "")
            self._problem(path, f"{shown(given)} is not allowed", hint)
            return default
        self.origins[origin] = path
        return value

    def _of_blocks(self, key: str) -> tuple[str, Any]:
        """The block that holds ``key``, and its value: ``state`` before ``meta.afresh``."""
        found = ((block, values[key]) for block, values in self._blocks.items() if values.get(key) is not None)
        return next(found, ("state", None))

    def _mapping(self, path: str, given: object) -> Mapping[str, Any]:
        if given is None:
            return {}
        if isinstance(given, Mapping):
            return given
        self._problem(path, f"a mapping of keys to values is expected here, not {shown(given)}")
        return {}

    def _unknown(self, block: str, values: Mapping[str, Any], known: Iterable[str], *, shown_keys: Iterable[str]) -> None:
        for key in values:
            if key not in known:
                self._problem(f"{block}.{key}", "this key does not exist", unknown_key_hint(str(key), shown_keys))

    def _problem(self, path: str, what: str, hint: str | None = None) -> None:
        self.problems.append(Problem(f"{self._node_id}: {what}", Location(self._file, None, path), hint))


def _text(given: object) -> str:
    """The value as text: dbt's typed configs hold enums, YAML gives booleans and numbers, rendered Jinja gives text."""
    if isinstance(given, Enum):
        return str(given.value)
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, float) and given.is_integer():
        return str(int(given))
    if isinstance(given, (str, int)):
        return str(given)
    raise ValueError(given)


def _told(value: object) -> str:
    return format_duration(value) if isinstance(value, timedelta) else str(value.value if isinstance(value, Enum) else value)
