"""Intervals worth setting: as values, for a terminal with the YAML to paste, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from afresh.render.json import document, document_text
from afresh.render.layout import NARROWEST, Paint, wrapped
from afresh.render.words import counted, duration_text, iso, listed, moment_text, one_line, rough_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIST_LIMIT = 10
"""How many tables are listed whose readers are not known."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and how often it was built for new data."""

    node: str
    name: str
    target: str
    builds: int
    inputs: tuple[tuple[str, int], ...] = ()
    """What had new data how often, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What an interval would have saved; ``seconds`` is ``None`` without a history of durations."""

    interval: timedelta
    builds: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An interval that would have saved builds while every build below found the data that it found."""

    table: Table
    saving: Saving
    reads: int
    unread: int
    """How many of the builds were replaced before any build had read them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A table that no build in this state reads, and what some intervals would have saved."""

    table: Table
    savings: tuple[Saving, ...]


@dataclass(frozen=True, slots=True)
class Recommendations:
    """All that the history says of intervals."""

    runs: int
    since: datetime | None
    now: datetime
    worth: tuple[Recommendation, ...] = ()
    choices: tuple[Choice, ...] = ()
    judged: int = 0
    """How many tables have readers and a history that is long enough."""
    too_short: tuple[str, ...] = ()
    """Names of tables of which the history is too short to tell."""
    least_builds: int = 0
    least_reads: int = 0


def recommendations_text(found: Recommendations, *, width: int, color: bool) -> str:
    """The recommendations, each with its grounds; then the YAML."""
    paint, width = Paint(color), max(width, NARROWEST)
    sections = (
        _head(found, paint, width),
        *([*_worth(one, paint, width)] for one in found.worth),
        _yaml(found, paint),
        _choices(found, paint, width),
        _too_short(found, width),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, sections) if lines) + "\n"


def _head(found: Recommendations, paint: Paint, width: int) -> Iterator[str]:
    since = "" if found.since is None else f" since {moment_text(found.since, found.now)}"
    yield paint(f"Intervals worth setting, from {counted(found.runs, 'run')}{since}: {len(found.worth):,}", "bold")
    if not found.worth and found.judged:
        nothing = "No interval would have saved a build without letting a build below it find older data"
        yield from wrapped(f"{nothing}: looked at {counted(found.judged, 'table')}.", width)
    elif not found.worth and not found.choices:
        yield "The history is too short to recommend anything yet."


def _worth(one: Recommendation, paint: Paint, width: int) -> Iterator[str]:
    yield paint(f"{one_line(one.table.name)} in {one_line(one.table.target)}: at most every {duration_text(one.saving.interval)}", "green")
    yield from _indented(f"{_built(one.table)}; {_of_these(one)}.", width)
    took = "" if one.saving.seconds is None else f", about {rough_duration(one.saving.seconds)}"
    saved = counted(one.saving.builds, "build")
    yield from _indented(
        f"It would have saved {saved}{took}, and all {one.reads:,} builds that read it would have found the same data.", width
    )


def _of_these(one: Recommendation) -> str:
    if not one.unread:
        return "each was read by a build below"
    return f"{one.unread:,} of these were replaced before any build had read them"


def _built(table: Table) -> str:
    inputs = listed([f"{one_line(name)} {count:,} times" for name, count in table.inputs])
    return (
        f"Built {counted(table.builds, 'time')} for new data ({inputs})"
        if inputs
        else f"Built {counted(table.builds, 'time')} for new data"
    )


def _yaml(found: Recommendations, paint: Paint) -> Iterator[str]:
    if found.worth:
        yield paint("To paste into a properties file", "bold")
        yield ""
        yield from yaml_of(found.worth).splitlines()


def yaml_of(worth: Sequence[Recommendation]) -> str:
    """The settings as dbt reads them on every version; a model that has several targets is named once, with the shortest interval."""
    shortest: dict[str, timedelta] = {}
    for one in worth:
        known = shortest.get(one.table.node, one.saving.interval)
        shortest[one.table.node] = min(known, one.saving.interval)
    lines = ["models:"]
    for node, interval in sorted(shortest.items()):
        name, *version = node.split(".")[2:]
        config = f"config: {{meta: {{afresh: {{lag_tolerance: {duration_text(interval).replace(' ', '')}}}}}}}"
        lines += [
            f"  - name: {name}",
            *([f"    versions: [{{v: {version[0].removeprefix('v')}, {config}}}]"] if version else [f"    {config}"]),
        ]
    return "\n".join(lines) + "\n"


def _choices(found: Recommendations, paint: Paint, width: int) -> Iterator[str]:
    if not found.choices:
        return
    yield paint("No build in this state reads these: how old they may be is yours to say", "bold")
    for choice in found.choices[:LIST_LIMIT]:
        savings = ", ".join(
            f"{duration_text(one.interval)} saves {counted(one.builds, 'build')}"
            + ("" if one.seconds is None else f" ({rough_duration(one.seconds)})")
            for one in choice.savings
            if one.builds
        )
        table = choice.table
        yield from _indented(
            f"{one_line(table.name)} in {one_line(table.target)}: built {counted(table.builds, 'time')}; at most every {savings}", width
        )
    if len(found.choices) > LIST_LIMIT:
        yield f"  … and {len(found.choices) - LIST_LIMIT:,} more (--output json tells all)"


def _too_short(found: Recommendations, width: int) -> Iterator[str]:
    if found.too_short:
        needs = f"fewer than {found.least_builds} builds for new data, or fewer than {found.least_reads} builds that read them"
        yield from wrapped(
            f"Too short a history to tell of {counted(len(found.too_short), 'table')}: {needs} ({listed(list(found.too_short))}).", width
        )


def _indented(text: str, width: int) -> Iterator[str]:
    yield from (f"  {line}" for line in wrapped(text, width - 2))


def recommendations_json(found: Recommendations) -> str:
    """The document as it is printed."""
    targets = {table.target for table in (*(one.table for one in found.worth), *(one.table for one in found.choices))}
    whole = document("recommend", [], run_id=None, target=targets.pop() if len(targets) == 1 else None)
    more = {
        "now": iso(found.now),
        "history": {"runs": found.runs, "since": None if found.since is None else iso(found.since)},
        "recommendations": [
            {**_table(one.table), **_saving(one.saving), "reads": one.reads, "unread_builds": one.unread} for one in found.worth
        ],
        "choices": [{**_table(choice.table), "savings": [_saving(one) for one in choice.savings]} for choice in found.choices],
        "too_short": list(found.too_short),
        "yaml": yaml_of(found.worth) if found.worth else None,
    }
    return document_text({**whole, **more})


def _table(table: Table) -> dict[str, object]:
    inputs = [{"label": name, "times": count} for name, count in table.inputs]
    return {"unique_id": table.node, "target": table.target, "builds": table.builds, "inputs": inputs}


def _saving(saving: Saving) -> dict[str, object]:
    return {
        "interval": duration_text(saving.interval).replace(" ", ""),
        "interval_seconds": int(saving.interval.total_seconds()),
        "saved_builds": saving.builds,
        "saved_seconds": saving.seconds,
    }
