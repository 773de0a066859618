"""Measures what Afresh costs and saves, always against plain dbt in the same run.

    python -m benchmarks.run                         # every case
    python -m benchmarks.run nothing_changed --models 1000 --repeat 5

Results go to ``benchmarks/results/``: everything as JSON, the medians and ratios as Markdown. A limit that is not kept is
marked; the exit code stays 0, for a busy machine is no bug.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.decisions import situations
from benchmarks.generate import Size, generate
from benchmarks.leases import measure_leases
from benchmarks.measure import Comparison, Cost, Fact, Report, as_markdown, in_turns, run
from benchmarks.server import new_database, postgres_server, statements_to
from benchmarks.sources import of_many, of_one_large

from afresh.core.decide import decide
from afresh.core.observation import Observation
from afresh.core.trace import Trace

RESULTS = Path(__file__).parent / "results"
STATE_FILES = Path(".afresh")
PLAIN = {"AFRESH": "0"}
_MANY = 100_000


@dataclass(frozen=True)
class Bench:
    """What a case is given: a generated project that was never run, and a folder for its copies."""

    template: Path
    work: Path
    size: Size
    repeat: int

    def copy(self, name: str) -> Path:
        """A fresh copy of the project; an older one of that name is replaced."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.template, folder)
        return folder

    @property
    def nodes(self) -> int:
        """Models and tests."""
        return self.size.models + self.size.tests


def first_build(bench: Bench) -> Report:
    """A project that was never built: all work is done, and all of it is recorded."""

    def measure(command: str) -> Callable[[], Cost]:
        return lambda: run([command, "build"], cwd=bench.copy(command), env=PLAIN if command == "dbt" else None)

    series = in_turns(bench.repeat, {"dbt build": measure("dbt"), "afresh build": measure("afresh")})
    ours, plain = series["afresh build"], series["dbt build"]
    kilobytes = sum(file.stat().st_size for file in (bench.work / "afresh" / STATE_FILES).rglob("*") if file.is_file()) / 1024
    return Report(
        "first_build",
        comparisons=(
            Comparison("cpu_seconds", ours, plain, limit=1.05),
            Comparison("wall_seconds", ours, plain),
            Comparison("peak_mb", ours, plain, limit=1.15),
        ),
        facts=(Fact("state per node", kilobytes / bench.nodes, "KB", limit=5),),
    )


def nothing_changed(bench: Bench) -> Report:
    """A project that was built and did not change: ours against what dbt needs to list, to parse and to build it again."""
    state_aware, plain = bench.copy("afresh"), bench.copy("dbt")
    run(["afresh", "build"], cwd=state_aware)
    run(["dbt", "build"], cwd=plain, env=PLAIN)
    series = in_turns(
        bench.repeat,
        {
            "afresh build": lambda: run(["afresh", "build"], cwd=state_aware),
            "dbt ls": lambda: run(["dbt", "ls"], cwd=plain, env=PLAIN),
            "dbt parse": lambda: run(["dbt", "parse"], cwd=plain, env=PLAIN),
            "dbt build": lambda: run(["dbt", "build"], cwd=plain, env=PLAIN),
        },
    )
    ours = series["afresh build"]
    return Report(
        "nothing_changed",
        comparisons=(
            Comparison("cpu_seconds", ours, series["dbt ls"], limit=1.2),
            Comparison("cpu_seconds", ours, series["dbt parse"]),
            Comparison("cpu_seconds", ours, series["dbt build"]),
            Comparison("wall_seconds", ours, series["dbt ls"]),
            Comparison("peak_mb", ours, series["dbt build"], limit=1.15),
        ),
        facts=(Fact("nodes that were not reused", _not_reused(state_aware), "", limit=0),),
    )


def decide_100k(bench: Bench) -> Report:
    """The decision alone, over a hundred thousand nodes in memory; the project is not used."""
    prepared = situations(_MANY)
    best = min(_seconds_to_decide(prepared) for _ in range(bench.repeat))
    return Report("decide_100k", comparisons=(), facts=(Fact(f"deciding {_MANY:,} nodes", best, "s", limit=3),))


def _seconds_to_decide(prepared: list[tuple[Observation, Trace]]) -> float:
    began = time.process_time()
    for seen, trace in prepared:
        decide(seen, trace)
    return time.process_time() - began


def leases(bench: Bench) -> Report:
    """Queueing alone, without dbt; the project is not used."""
    return measure_leases(bench.work, bench.repeat)


def _statements(server: str, bench: Bench) -> tuple[int, int]:
    """What a build asks its state when nothing has changed: of the whole project, and of one model alone."""
    url, project = new_database(server), bench.copy("counted")
    env = {"AFRESH_STATE_URL": url}
    for _ in ("everything is built", "every verdict is a new one"):
        run(["afresh", "build"], cwd=project, env=env)

    def of(*selection: str) -> int:
        return statements_to(url, lambda: run(["afresh", "build", *selection], cwd=project, env=env))

    return of(), of("--select", "stg_00000")


def shared_state(bench: Bench) -> Report:
    """A first build with its state in PostgreSQL, against the same with SQLite; and what is asked when nothing has changed."""
    with postgres_server() as server:

        def on_postgres() -> Cost:
            return run(["afresh", "build"], cwd=bench.copy("postgres"), env={"AFRESH_STATE_URL": new_database(server)})

        series = in_turns(
            bench.repeat,
            {"PostgreSQL": on_postgres, "SQLite": lambda: run(["afresh", "build"], cwd=bench.copy("sqlite"))},
        )
        ours, plain = series["PostgreSQL"], series["SQLite"]
        of_all, of_one = _statements(server, bench)
    return Report(
        "shared_state",
        comparisons=(Comparison("wall_seconds", ours, plain, limit=1.05), Comparison("cpu_seconds", ours, plain)),
        facts=(
            Fact(f"statements to the state where all of {bench.nodes:,} nodes are reused", of_all, ""),
            Fact("of these more than where one model is selected", of_all - of_one, "", limit=5),
        ),
    )


def sources(bench: Bench) -> Report:
    """Asking PostgreSQL about 500 sources (fewer for a small project); the project is not used."""
    return of_many(bench.work / "sources", min(500, 10 * bench.size.models))


def large_source(bench: Bench) -> Report:
    """Asking DuckDB about ten million rows (fewer for a small project); the project is not used."""
    return of_one_large(bench.work / "large_source", min(10_000_000, 50_000 * bench.size.models))


CASES: dict[str, Callable[[Bench], Report]] = {
    case.__name__: case for case in (first_build, nothing_changed, decide_100k, leases, shared_state, sources, large_source)
}
"""Every case by name. A new one is a function from :class:`Bench` to :class:`Report` and a place in this table."""


def main() -> None:
    """Read the command line, run the cases and write the results."""
    options = _options()
    reports = []
    with tempfile.TemporaryDirectory(prefix="afresh-bench-") as scratch:
        work = Path(scratch)
        size = Size(options.models)
        generate(work / "template", size, rows=options.rows)
        for name in options.cases or CASES:
            print(f"{name}: {size.models} models, {size.tests} tests, median of {options.repeat} …", flush=True)
            reports.append(CASES[name](Bench(work / "template", work, size, options.repeat)))
    _write(reports, size)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure Afresh against plain dbt.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one of: {', '.join(CASES)} (default: all)")
    parser.add_argument("--models", type=int, default=200, help="number of models of the project (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=100, help="rows in each source table (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each command (default: %(default)s)")
    options = parser.parse_args()
    for name in options.cases:
        if name not in CASES:
            parser.error(f"there is no case {name!r}; there are: {', '.join(CASES)}")
    return options


def _write(reports: list[Report], size: Size) -> None:
    packages = ("afresh", "dbt-core", "dbt-duckdb", "duckdb")
    about = {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "packages": {package: version(package) for package in packages},
        "models": size.models,
        "tests": size.tests,
    }
    RESULTS.mkdir(exist_ok=True)
    document = {"about": about, "reports": [report.as_json() for report in reports]}
    (RESULTS / "results.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    table = as_markdown(reports)
    (RESULTS / "results.md").write_text(table, encoding="utf-8")
    print(f"\n{table}\nEverything that was measured: {RESULTS / 'results.json'}")


def _not_reused(project: Path) -> int:
    results = json.loads((project / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    decisions = [(result["adapter_response"] or {}).get("afresh", {}).get("decision") for result in results]
    return len(decisions) - decisions.count("reuse")


if __name__ == "__main__":
    main()
