"""What a command that could not run must look like, whatever the mistake was."""

from __future__ import annotations

from support.outcome import RUN_RESULTS, Outcome
from support.project import Project


def assert_refused(outcome: Outcome, *texts: str) -> None:
    """One clear error that holds these texts, once; dbt's exit code; no results and no traceback."""
    said = outcome.stdout + outcome.stderr
    assert outcome.exit_code == 2
    assert outcome.nodes == {}
    assert "Traceback" not in said
    assert "Internal" not in said
    for text in texts:
        assert " ".join(said.split()).count(text) == 1, f"{text!r} is not in the output exactly once"


def assert_untouched(project: Project) -> None:
    """Neither state nor results nor relations were written."""
    assert not (project.root / ".afresh").exists()
    assert not (project.root / RUN_RESULTS).exists()
    assert not project.warehouse.path.exists() or project.query("select table_name from duckdb_tables()") == []
