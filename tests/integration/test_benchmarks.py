import pytest
from benchmarks.generate import DATABASE, Size, generate
from benchmarks.measure import CommandFailedError, run
from benchmarks.run import CASES, Bench

from support.project import Project
from support.warehouse import DuckDBFile


def test_a_generated_project_builds_and_all_its_tests_pass(tmp_path):
    generate(tmp_path / "project", Size(20), rows=10)
    project = Project(tmp_path / "project", DuckDBFile(tmp_path / "project" / DATABASE))

    outcome = project.dbt("build")

    assert outcome.exit_code == 0
    assert list(outcome.statuses.values()).count("pass") == 40
    assert project.query("select count(*) from mart_00007") == [(10,)]


def test_a_measured_command_costs_time_and_memory(dbt_project):
    project = dbt_project()

    cost = run(["dbt", "ls"], cwd=project.root)

    assert cost.cpu_seconds > 0
    assert cost.wall_seconds > 0
    assert 10 < cost.peak_mb < 10_000


def test_a_measured_command_that_fails_is_an_error_with_its_last_words(dbt_project):
    project = dbt_project({"models/broken.sql": "select no_such_column"})

    with pytest.raises(CommandFailedError, match="no_such_column"):
        run(["dbt", "build"], cwd=project.root)


@pytest.mark.parametrize("name", CASES)
def test_every_case_runs_on_a_small_project(name, tmp_path):
    size = Size(3)
    generate(tmp_path / "template", size, rows=5)

    report = CASES[name](Bench(tmp_path / "template", tmp_path, size, repeat=1))

    assert all(comparison.ratio > 0 for comparison in report.comparisons)
    assert report.comparisons or report.facts
    if name == "nothing_changed":
        assert {fact.label: fact.value for fact in report.facts} == {"nodes that were not reused": 0}
    if name == "sources":
        assert 0 < report.facts[0].value <= 3
