"""A dbt project in a folder of its own, written by a test and run as a user would run it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import yaml

from support.in_process import Environment, invoke_afresh, invoke_dbt
from support.outcome import RUN_RESULTS, Outcome, read_results
from support.programs import Started, start
from support.warehouse import Row, Warehouse

PROFILE = "test"
TARGET = "dev"


@dataclass(frozen=True)
class Project:
    """A project folder and the warehouse it builds in."""

    root: Path
    warehouse: Warehouse

    def write(self, files: Mapping[str, str]) -> None:
        """Write files by their path in the project; common leading white space and a first empty line are taken off."""
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text).removeprefix("\n"), encoding="utf-8")

    def read(self, path: str) -> str:
        """The text of a file of the project."""
        return (self.root / path).read_text(encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit a file of the project; ``old`` must occur in it."""
        text = self.read(path)
        assert old in text, f"{old!r} is not in {path}"
        (self.root / path).write_text(text.replace(old, new), encoding="utf-8")

    def delete(self, *paths: str) -> None:
        """Remove files of the project."""
        for path in paths:
            (self.root / path).unlink()

    def dbt(self, *args: str, env: Environment | None = None) -> Outcome:
        """Run ``dbt ARGS`` in this process."""
        return invoke_dbt(self.root, *args, env=env)

    def afresh(self, *args: str, env: Environment | None = None) -> Outcome:
        """Run ``afresh ARGS`` in this process."""
        return invoke_afresh(self.root, *args, env=env)

    def process(self, program: str, *args: str, env: Environment | None = None, timeout: float = 180) -> Outcome:
        """Run ``dbt`` or ``afresh`` as a process of its own and wait for it, at most ``timeout`` seconds."""
        (self.root / RUN_RESULTS).unlink(missing_ok=True)
        with self.start(program, *args, env=env) as process:
            return self.finish(process, timeout=timeout)

    def start(self, program: str, *args: str, env: Environment | None = None) -> Started:
        """Start ``dbt`` or ``afresh`` as a process of its own, at the head of its own process group."""
        return start(program, *args, folder=self.root, environment=_environment(env or {}))

    def finish(self, process: Started, *, timeout: float = 180) -> Outcome:
        """Wait for a process from :meth:`start`, at most ``timeout`` seconds; it is killed when they have passed."""
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        command, exit_code = process.args, process.returncode
        assert isinstance(command, Sequence)
        assert exit_code is not None
        print(f"$ {' '.join(map(str, command))}\n{stdout}{stderr}[exit code {exit_code}]")
        return Outcome(tuple(map(str, command)), exit_code, stdout, stderr, read_results(self.root))

    def execute(self, *statements: str) -> None:
        """Run statements in the warehouse, as somebody other than dbt."""
        self.warehouse.execute(*statements)

    def query(self, sql: str) -> list[Row]:
        """The rows that a query in the warehouse answers."""
        return self.warehouse.query(sql)

    def rows(self, relation: str) -> list[Row]:
        """All rows of a relation, in an order that depends on nothing but the rows: fit to be compared."""
        return sorted(self.query(f"select * from {relation}"), key=repr)


def create_project(
    root: Path,
    warehouse: Warehouse,
    files: Mapping[str, str],
    *,
    name: str,
    threads: int,
    settings: Mapping[str, object],
) -> Project:
    """Write a project: ``files``, a ``dbt_project.yml`` with ``settings`` merged in, and a ``profiles.yml`` beside it."""
    project_file = {"name": name, "version": "1.0.0", "config-version": 2, "profile": PROFILE, **settings}
    profiles = {PROFILE: {"target": TARGET, "outputs": {TARGET: {**warehouse.profile(), "threads": threads}}}}
    project = Project(root, warehouse)
    project.write({"dbt_project.yml": yaml.safe_dump(project_file), "profiles.yml": yaml.safe_dump(profiles)})
    project.write(files)
    return project


def _environment(changes: Environment) -> dict[str, str]:
    merged = {**os.environ, **changes}
    return {name: value for name, value in merged.items() if value is not None}
