"""What a command costs: CPU, wall clock and memory of a real process, and how it compares with another one.

Seconds differ between machines and hours; a ratio of two medians that were measured in turns does not. So every figure is kept,
and only ratios are judged.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Quantity = Literal["cpu_seconds", "wall_seconds", "peak_mb"]

_QUIET = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_USE_COLORS": "false"}


@dataclass(frozen=True)
class Cost:
    """What one run of a command used."""

    cpu_seconds: float
    """User and system time, of the process and of the children it waited for."""
    wall_seconds: float
    peak_mb: float
    """Largest resident set of the process, in MB of 2**20 bytes."""


@dataclass(frozen=True)
class Series:
    """The runs of one command."""

    label: str
    runs: tuple[Cost, ...]

    def median(self, quantity: Quantity) -> float:
        """The median of one quantity over all runs."""
        values: list[float] = [getattr(run, quantity) for run in self.runs]
        return statistics.median(values)


@dataclass(frozen=True)
class Comparison:
    """Two series and the ratio of their medians; ``limit`` is the largest ratio that is good enough, if there is one."""

    quantity: Quantity
    ours: Series
    plain: Series
    limit: float | None = None

    @property
    def ratio(self) -> float:
        """Our median divided by the plain one."""
        return self.ours.median(self.quantity) / self.plain.median(self.quantity)

    @property
    def kept(self) -> bool | None:
        """Whether the ratio is within its limit; None without a limit."""
        return None if self.limit is None else self.ratio <= self.limit


@dataclass(frozen=True)
class Fact:
    """A figure that is no ratio of costs, such as the size of a file.

    ``limit`` is the largest value that is good enough, ``least`` the smallest.
    """

    label: str
    value: float
    unit: str
    limit: float | None = None
    least: float | None = None

    @property
    def kept(self) -> bool | None:
        """Whether the value is within its limits; None without one."""
        if self.limit is None and self.least is None:
            return None
        return (self.limit is None or self.value <= self.limit) and (self.least is None or self.value >= self.least)

    @property
    def limit_text(self) -> str:
        """The limits, for a table."""
        signs = (("≤", self.limit), ("≥", self.least))
        return ", ".join(f"{sign} {value:g} {self.unit}" for sign, value in signs if value is not None)


@dataclass(frozen=True)
class Report:
    """The outcome of one case."""

    case: str
    comparisons: tuple[Comparison, ...] = ()
    facts: tuple[Fact, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Everything that was measured, run by run."""
        return {
            "case": self.case,
            "comparisons": [
                {
                    "quantity": comparison.quantity,
                    "ratio": comparison.ratio,
                    "limit": comparison.limit,
                    "kept": comparison.kept,
                    "ours": {"label": comparison.ours.label, "runs": [asdict(run) for run in comparison.ours.runs]},
                    "plain": {"label": comparison.plain.label, "runs": [asdict(run) for run in comparison.plain.runs]},
                }
                for comparison in self.comparisons
            ],
            "facts": [{**asdict(fact), "kept": fact.kept} for fact in self.facts],
        }


class CommandFailedError(Exception):
    """A measured command did not end well, so that its figures mean nothing."""


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> Cost:
    """Run ``dbt`` or ``afresh`` from this Python's environment and return what it used.

    Raises:
        CommandFailedError: its exit code is not 0; the message ends with the command's last lines.
    """
    log = cwd / "benchmark.log"
    program = str(Path(sys.executable).with_name(command[0]))
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [program, *command[1:]], cwd=cwd, env={**os.environ, **_QUIET, **(env or {})}, stdout=output, stderr=subprocess.STDOUT
        )
        # Not getrusage(RUSAGE_CHILDREN): its peak is that of the largest child so far, not of this one.
        _, status, usage = os.wait4(process.pid, 0)
        wall_seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
        raise CommandFailedError(f"{' '.join(command)} ended with exit code {process.returncode}:\n{tail}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Cost(usage.ru_utime + usage.ru_stime, wall_seconds, usage.ru_maxrss / unit)


def in_turns(repeat: int, measurements: Mapping[str, Callable[[], Cost]]) -> dict[str, Series]:
    """Take each measurement ``repeat`` times, in turns, so that a busy minute of the machine is shared by all of them."""
    runs: dict[str, list[Cost]] = {label: [] for label in measurements}
    for _ in range(repeat):
        for label, measure in measurements.items():
            runs[label].append(measure())
    return {label: Series(label, tuple(of_label)) for label, of_label in runs.items()}


def as_markdown(reports: Sequence[Report]) -> str:
    """All reports as tables: first the ratios, then the facts."""
    lines = [
        "| case | quantity | ours | plain | ratio | limit | |",
        "|---|---|---|---|---|---|---|",
        *(_comparison_row(report.case, comparison) for report in reports for comparison in report.comparisons),
    ]
    facts = [_fact_row(report.case, fact) for report in reports for fact in report.facts]
    if facts:
        lines += ["", "| case | fact | value | limit | |", "|---|---|---|---|---|", *facts]
    return "\n".join(lines) + "\n"


def _comparison_row(case: str, comparison: Comparison) -> str:
    ours, plain = (f"`{series.label}` {series.median(comparison.quantity):.2f}" for series in (comparison.ours, comparison.plain))
    limit = "" if comparison.limit is None else f"≤ {comparison.limit:.2f}"
    return f"| {case} | {comparison.quantity} | {ours} | {plain} | {comparison.ratio:.3f} | {limit} | {_verdict(kept=comparison.kept)} |"


def _fact_row(case: str, fact: Fact) -> str:
    return f"| {case} | {fact.label} | {fact.value:.2f} {fact.unit} | {fact.limit_text} | {_verdict(kept=fact.kept)} |"


def _verdict(*, kept: bool | None) -> str:
    return {None: "", True: "kept", False: "**over**"}[kept]
