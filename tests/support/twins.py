"""Afresh and its answer key: one project twice, where plain dbt builds in the twin all that Afresh may leave as it is.

Whatever is done to one is done to the other. After each run the two warehouses must hold the same (semantics §8, law 1).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import yaml

from support.in_process import Environment
from support.outcome import NodeResult, Outcome
from support.project import PROFILE, TARGET, Project
from support.twin_warehouse import contents, differences
from support.warehouse import DuckDBFile, Row

DATABASE = "warehouse.duckdb"
PROJECT_FILE = "dbt_project.yml"
PARSED = Path("target", "partial_parse.msgpack")
OURS_ONLY = ("--force",)
_GOOD = ("success", "pass", "reused", "no-op")


@dataclass
class Twins:
    """Two copies of a project, each with a warehouse of its own, and the surroundings that both run in."""

    ours: Project
    twin: Project
    env: dict[str, str | None] = field(default_factory=dict)

    # --- changing both ------------------------------------------------------------------------------------------------

    def write(self, files: Mapping[str, str]) -> None:
        """Write files in both; see :meth:`support.project.Project.write`."""
        for project in (self.ours, self.twin):
            project.write(files)

    def replace(self, path: str, old: str, new: str) -> None:
        """Edit a file in both; ``old`` must occur in it."""
        for project in (self.ours, self.twin):
            project.replace(path, old, new)

    def delete(self, *paths: str) -> None:
        """Remove files from both."""
        for project in (self.ours, self.twin):
            project.delete(*paths)

    def execute(self, *statements: str) -> None:
        """Run statements in both warehouses, as somebody other than dbt."""
        for project in (self.ours, self.twin):
            project.execute(*statements)

    def plain_dbt(self, *args: str) -> None:
        """Run plain dbt in both: a change from outside, as far as Afresh is concerned."""
        for project in (self.ours, self.twin):
            project.dbt(*args, env=self.env)

    # --- running ------------------------------------------------------------------------------------------------------

    def afresh(self, *args: str) -> Outcome:
        """Run Afresh here and plain dbt in the twin with the same words, and compare what both leave behind."""
        twin = self.twin.dbt(*(word for word in args if word not in OURS_ONLY), env=self.env)
        ours = self.only_afresh(*args)
        self.compare(ours, twin)
        return ours

    def only_afresh(self, *args: str) -> Outcome:
        """Run Afresh here; the twin stays as it is."""
        return self.ours.afresh(*args, env=self.env)

    def plan(self, *args: str) -> dict[str, str]:
        """What Afresh would decide, by unique id."""
        outcome = self.ours.afresh("plan", *args, "--output", "json", env=self.env)
        assert outcome.exit_code == 0, "no plan could be made"
        return {node["unique_id"]: node["decision"] for node in outcome.json()["nodes"]}

    def rows(self, relation: str) -> list[Row]:
        """All rows of a relation here."""
        return self.ours.rows(relation)

    # --- the first law ------------------------------------------------------------------------------------------------

    def compare(self, ours: Outcome, twin: Outcome) -> None:
        """Check that a run of Afresh ended as plain dbt did and left the same behind."""
        assert ours.nodes.keys() == twin.nodes.keys(), f"other nodes are reported: {ours.nodes.keys() ^ twin.nodes.keys()}"
        endings = {uid: (_ending(node), _ending(twin.nodes[uid])) for uid, node in ours.nodes.items()}
        wrong = {uid: pair for uid, pair in endings.items() if pair[0] != pair[1]}
        assert not wrong, f"these ended otherwise (here, in the twin): {wrong}"
        found = list(differences(contents(_file(self.ours)), contents(_file(self.twin))))
        assert not found, "stale: " + "; ".join(found)

    def set_env(self, changes: Environment) -> None:
        """Change environment variables of all later runs."""
        self.env.update(changes)


def _file(project: Project) -> Path:
    assert isinstance(project.warehouse, DuckDBFile)
    return project.warehouse.path


def _ending(node: NodeResult) -> str:
    return "ok" if node.status in _GOOD else node.status


def create_twins(
    root: Path, files: Mapping[str, str], *, settings: Mapping[str, object] | None = None, threads: int = 2, parsed: Path | None = None
) -> Twins:
    """Write a project twice, each beside an empty warehouse.

    The paths in both profiles are relative and the same, so that dbt sees no difference between the two. ``parsed`` is
    what :func:`parse_once` gave: dbt then need not parse its own macros again.
    """
    twins = Twins(*_two_projects(root))
    profile = {"type": "duckdb", "path": DATABASE, "schema": "main", "threads": threads}
    profiles = {PROFILE: {"target": TARGET, "outputs": {TARGET: profile}}}
    twins.write({PROJECT_FILE: project_file(settings), "profiles.yml": yaml.safe_dump(profiles)})
    twins.write({path: dedent(text) for path, text in files.items()})
    for project in (twins.ours, twins.twin) if parsed is not None else ():
        (project.root / PARSED).parent.mkdir(exist_ok=True)
        shutil.copyfile(str(parsed), project.root / PARSED)
    return twins


def _two_projects(root: Path) -> tuple[Project, Project]:
    ours, twin = root / "ours", root / "twin"
    return Project(ours, DuckDBFile(ours / DATABASE)), Project(twin, DuckDBFile(twin / DATABASE))


def project_file(settings: Mapping[str, object] | None = None) -> str:
    """The text of ``dbt_project.yml``, with more top-level entries."""
    return yaml.safe_dump({"name": "twin", "version": "1.0.0", "config-version": 2, "profile": PROFILE, **(settings or {})})


def parse_once(root: Path) -> Path:
    """Parse a project without models and return what dbt remembers of it, which serves every other project of twins."""
    empty = create_twins(root, {}).ours
    assert empty.dbt("parse").exit_code == 0, "dbt cannot parse a project without models"
    return empty.root / PARSED
