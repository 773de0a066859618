"""Many jobs at once over a hundred models, with the state on a server: each change is built once, whatever happens to whom.

A few rounds here; ``make soak`` goes on for minutes (``AFRESH_SOAK`` seconds), with more jobs. ``AFRESH_SEED`` repeats a history.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import yaml

from integration.processes.conftest import Jobs, Run
from support.outcome import Outcome
from support.postgres import PostgresDatabase, PostgresServer

SECONDS = float(os.environ.get("AFRESH_SOAK", "0"))
SEED = int(os.environ.get("AFRESH_SEED", "7"))
MODELS, SNAPSHOTS = 97, 3
LEAVES = range(MODELS // 3 + 1, MODELS)
"""Models that no other one reads."""

SNAPSHOT = """
    {{% snapshot s{number} %}}
    {{{{ config(target_schema='analytics', unique_key='id', strategy='check', check_cols='all') }}}}
    select id, amount from {{{{ source('raw', 'orders') }}}}
    {{% endsnapshot %}}
"""
INCREMENT = "{% if is_incremental() %} where id > (select coalesce(max(id), 0) from {{ this }}) {% endif %}"


def kind_of(number: int) -> str:
    return {2: "view", 5: "view", 7: "incremental"}.get(number % 10, "table")


def model(number: int, edits: int = 0) -> str:
    """Each model reads one before it, so that there are many ways down from the source."""
    above = "{{ source('raw', 'orders') }}" if number == 0 else f"{{{{ ref('m{(number - 1) // 3}') }}}}"
    kind = kind_of(number)
    settings = f"materialized='{kind}'" + (", incremental_strategy='append'" if kind == "incremental" else "")
    rows = INCREMENT if kind == "incremental" else ""
    return f"{{{{ config({settings}) }}}} select id, amount + {number + edits} as amount from {above} {rows}"


def files() -> dict[str, str]:
    return {
        "models/sources.yml": "version: 2\nsources: [{name: raw, schema: raw, tables: [{name: orders}]}]\n",
        "afresh.yml": "lease_ttl: 8s\n",
        **{f"models/m{number}.sql": model(number) for number in range(MODELS)},
        **{f"snapshots/s{number}.sql": SNAPSHOT.format(number=number) for number in range(SNAPSHOTS)},
    }


DUE = {f"m{number}" for number in range(MODELS) if kind_of(number) != "view"} | {f"s{number}" for number in range(SNAPSHOTS)}
"""What a new row makes due."""
ALL = {f"m{number}" for number in range(MODELS)} | {f"s{number}" for number in range(SNAPSHOTS)}


@dataclass
class Soak:
    """A shop that changes and is built, again and again."""

    jobs: Jobs
    state: PostgresDatabase
    server: PostgresServer
    chance: random.Random
    orders: int = 3
    edits: int = 0

    def change(self) -> set[str]:
        """A new order, and a commit to a model that nobody reads; what is due now."""
        shop = self.jobs.project
        self.orders += 1
        self.edits += 1
        shop.execute(f"insert into raw.orders values ({self.orders}, {self.orders * 10})")
        edited = self.chance.choice([number for number in LEAVES if kind_of(number) == "table"])
        shop.write({f"models/m{edited}.sql": model(edited, self.edits)})
        return DUE

    def start(self, number: int) -> list[Run]:
        return [self.jobs.start("afresh", "build") for _ in range(number)]

    def wait_for_builds(self, runs: list[Run], number: int) -> None:
        """Wait until so many leases were taken from here on, or nobody is left to take any."""
        taken = "select coalesce(sum(term), 0) from afresh_leases"
        before = self.state.query(taken)[0][0]
        self.jobs.until(lambda: self.state.query(taken)[0][0] >= before + number or all(run.process.poll() is not None for run in runs))

    def calm(self, number: int, due: set[str]) -> None:
        """Jobs to which nothing happens."""
        outcomes = [run.end() for run in self.start(number)]
        assert [outcome.exit_code for outcome in outcomes] == [0] * number
        times = Counter(name for outcome in outcomes for name in outcome.executed)
        right = {name: {1} if name in due else {0, 1} for name in ALL}  # a view goes with the table under it, where that is replaced
        wrong = {name: [outcome.reasons(name) for outcome in outcomes] for name in ALL if times[name] not in right[name]}
        assert wrong == {}
        assert all(outcome.executed | outcome.reused == ALL for outcome in outcomes)

    def trouble(self, number: int, _due: set[str]) -> None:
        """Jobs of which one is killed, one is stopped past its leases, and all lose their state for a moment."""
        runs = self.start(number)
        killed, stopped = self.chance.sample(runs, 2)
        faults = [self.restart, lambda: killed.send(signal.SIGKILL), lambda: self.stop_and_go_on(stopped)]
        self.chance.shuffle(faults)
        for fault in faults:
            self.wait_for_builds(runs, self.chance.randint(1, 20))
            fault()
        outcomes = {run: run.end() for run in runs}
        others = [outcome for run, outcome in outcomes.items() if run not in (killed, stopped)]
        assert [outcome.exit_code for outcome in others] == [0] * len(others)
        assert outcomes[stopped].exit_code in (0, 1)
        assert all("Traceback" not in outcome.stdout + outcome.stderr for outcome in outcomes.values())
        self.make_good()

    def make_good(self) -> None:
        """The next run builds what is left to be built, and the one after it nothing."""
        assert self.jobs.run("afresh", "build").exit_code == 0
        last = self.jobs.run("afresh", "build")
        assert (last.exit_code, last.executed, last.reused) == (0, set(), ALL)

    def restart(self) -> None:
        self.server.stop()
        self.server.start()

    def stop_and_go_on(self, run: Run) -> None:
        """As a laptop that is closed: longer than the leases last."""
        if run.process.poll() is not None:
            return
        run.send(signal.SIGSTOP)
        self.jobs.until(lambda: all(held.holder.pid != run.process.pid for held in self.jobs.held()))
        run.send(signal.SIGCONT)

    def assert_equals_a_full_build(self) -> None:
        """By plain dbt, from nothing, in a schema of its own; and no row is there twice."""
        shop = self.jobs.project
        shop.execute("drop schema if exists twin cascade")
        built: Outcome = shop.process("dbt", "run", "--target", "twin", "--quiet")
        assert built.exit_code == 0
        for number in range(MODELS):
            assert shop.rows(f"analytics.m{number}") == shop.rows(f"twin.m{number}"), number
        for number in range(SNAPSHOTS):
            assert shop.query(f"select count(*), count(distinct id) from analytics.s{number}") == [(self.orders, self.orders)]


@pytest.fixture
def soak(dbt_project, postgres, state_server, jobs) -> Iterator[Soak]:
    """A shop of a hundred models that was never built."""
    postgres.execute(
        "create schema raw",
        "create schema analytics",  # two that create one schema at once get in each other's way in PostgreSQL, with plain dbt too
        "create table raw.orders as select id, id * 10 as amount from generate_series(1, 3) id",
        "analyze raw.orders",
    )
    shop = dbt_project(files(), warehouse=postgres, threads=4)
    profiles = yaml.safe_load(shop.read("profiles.yml"))
    outputs = profiles["test"]["outputs"]
    outputs["twin"] = {**outputs["dev"], "schema": "twin"}
    shop.write({"profiles.yml": yaml.safe_dump(profiles)})
    with state_server.database() as state:
        made = jobs(shop)
        made.state_url = state.url
        made.env["PYTHONHASHSEED"] = "random"  # an interpreter for each, as on machines of their own
        yield Soak(made, state, state_server, random.Random(SEED))


def rounds(soak: Soak) -> Iterator[tuple[Callable[[int, set[str]], None], int]]:
    """What to do in which round with how many jobs."""
    yield soak.calm, 2
    yield soak.calm, 4
    yield soak.trouble, 4
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        yield soak.chance.choice([soak.calm, soak.trouble, soak.trouble]), soak.chance.choice([2, 4, 8])


def test_many_jobs_build_each_change_once_and_leave_what_a_full_build_makes(soak):
    due = ALL
    for act, number in rounds(soak):
        act(number, due)
        if number > 2:
            soak.assert_equals_a_full_build()
        due = soak.change()
