"""Real processes over one project and one state: each with a target folder of its own, as two jobs of a scheduler have."""

from __future__ import annotations

import shutil
import signal
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from afresh.core.lease import Held
from afresh.store import open_store
from support.outcome import Outcome, read_results
from support.programs import Started
from support.project import Project

PATIENCE = 60
TICK = 0.02


@dataclass(frozen=True)
class Run:
    """A command on its way."""

    project: Project
    process: Started
    target: Path

    def end(self) -> Outcome:
        """Wait for it."""
        outcome = self.project.finish(self.process)
        return replace(outcome, nodes=read_results(self.target))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process alone, as a scheduler does."""
        self.process.send_signal(number)


@dataclass
class Jobs:
    """Starts commands on a project, and looks into the state that they share."""

    project: Project
    state_url: str = "sqlite:///.afresh/state.db"
    env: dict[str, str | None] = field(default_factory=dict)
    """Of all commands."""
    runs: list[Run] = field(default_factory=list)

    def start(self, program: str, *args: str) -> Run:
        """Start a command that works on the project in its own target folder, which dbt has already parsed the project for."""
        target = self.project.root / f"job_{len(self.runs) + 1}"
        shutil.copytree(self._parsed(), target / "target")
        env = {**self.env, "DBT_TARGET_PATH": str(target / "target"), "AFRESH_STATE_URL": self.state_url}
        process = self.project.start(program, *args, env=env)
        self.runs.append(Run(self.project, process, target))
        return self.runs[-1]

    def _parsed(self) -> Path:
        folder = self.project.root / "parsed"
        if not folder.exists():
            if (self.project.root / "target").exists():
                shutil.copytree(self.project.root / "target", folder)
            self.project.dbt("parse", "--target-path", str(folder))
        return folder

    def run(self, program: str, *args: str) -> Outcome:
        """Start a command and wait for it."""
        return self.start(program, *args).end()

    def held(self) -> tuple[Held, ...]:
        """Every live lease."""
        with open_store(self.state_url, base=self.project.root, read_only=True) as store:
            return store.held_leases()

    def wait_for_lease(self, name: str) -> None:
        """Wait until a run holds the lease of a model, and a moment more until it has sent its SQL."""
        self.until(lambda: any(held.holder.node.endswith(name) for held in self.held()))

    @staticmethod
    def until(happened) -> None:
        """Wait for something, at most a minute."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline
            time.sleep(TICK)


@pytest.fixture
def jobs():
    """Makes the jobs of a project; whatever is still running when the test ends, it ends too."""
    made = []

    def create(project: Project) -> Jobs:
        made.append(Jobs(project))
        return made[-1]

    yield create
    for process in (run.process for one in made for run in one.runs):
        if process.poll() is None:
            process.kill()
        with process:  # closes its pipes
            pass
