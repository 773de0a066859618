"""`afresh runs` tells what runs did, without a project, a warehouse or dbt."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from integration.bad_input.refusal import assert_refused
from integration.state.two_targets import FILES, STATE


@pytest.fixture(scope="module")
def history(module_shop):
    project = module_shop(FILES)
    assert project.afresh("build").exit_code == 0
    project.replace("models/a.sql", "1 as id", "2 as id")
    project.replace("models/b.sql", "select id from", "select error('no') as id from")
    assert project.afresh("build", "--exclude", "unique_a_id").exit_code == 1
    return project


def runs(project, *arguments: str) -> list[dict]:
    outcome = project.afresh("runs", *arguments, "--output", "json")
    assert outcome.exit_code == 0
    return outcome.json()["runs"]


def test_the_last_runs_are_listed_with_what_they_did(history):
    last, first = runs(history, "list")
    assert (first["status"], first["built"], first["reused"], first["failed"]) == ("success", 4, 0, 0)
    assert (last["status"], last["built"], last["reused"], last["verified"], last["failed"]) == ("error", 1, 1, 1, 1)
    assert last["saved_seconds"] > 0
    assert runs(history, "list", "--limit", "1") == [last]
    text = history.afresh("runs", "list").stdout
    assert "1 built, 1 reused, 1 failed, saved about" in text
    assert len(text.splitlines()) == 2


def test_one_run_is_told_node_by_node_the_failed_ones_first(history):
    last, _ = runs(history, "list")
    outcome = history.afresh("runs", "show", last["run_id"], "--output", "json")
    document = outcome.json()
    assert (document["run_id"], document["runs"]) == (last["run_id"], [last])
    assert {node["unique_id"]: node["status"] for node in document["nodes"]} == {
        "model.shop.a": "success",
        "model.shop.b": "error",
        "model.shop.stg_c": "reused",
    }
    lines = history.afresh("runs", "show", last["run_id"].lower()).stdout.splitlines()
    heads = [line for line in lines if line.endswith(" (1)")]
    assert heads == ["Failed (1)", "Built (1)", "Reused, nothing changed (1)"]
    assert lines[lines.index("Failed (1)") + 1].split()[0] == "b"


def test_it_needs_neither_a_project_nor_a_warehouse_nor_dbt(history, tmp_path):
    code = (
        "import sys; from afresh.cli.main import main; code = main(['runs', *sys.argv[1:]])\n"
        "assert not {'dbt', 'duckdb', 'sqlglot', 'alembic'} & {name.partition('.')[0] for name in sys.modules}; sys.exit(code)"
    )
    url = f"sqlite:///{history.root / STATE}"
    for command in (["list"], ["show", runs(history, "list")[0]["run_id"]]):
        given = [sys.executable, "-c", code, *command, "--state-url", url]
        done = subprocess.run(given, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_what_is_not_known_is_one_error(history, shop):
    last, _ = runs(history, "list")
    wrong = ("0" if last["run_id"][-1] != "0" else "1").join([last["run_id"][:-1], ""])
    assert_refused(history.afresh("runs", "show", wrong), f"no run is called `{wrong}`", f"Did you mean `{last['run_id']}`?")
    assert_refused(history.afresh("runs", "show", "01"), "`01` stands for 2 runs")
    assert_refused(history.afresh("runs", "show", "zz"), "`afresh runs list` and `run_results.json` name the ids of runs")
    empty = shop(FILES)
    for command in (("list",), ("show", "01")):
        assert_refused(empty.afresh("runs", *command), "no run is recorded")
    assert not (empty.root / ".afresh").exists()


def test_what_was_saved_is_the_sum_of_what_each_reused_node_took_in_an_ordinary_build(shop):
    project = shop({name: text for name, text in FILES.items() if not name.endswith(".yml")})
    took = [project.afresh("build", "--force") for _ in range(3)]
    assert took[-1].exit_code == 0
    project.replace("models/b.sql", "select id from", "select id + 0 as id from")
    built = project.afresh("build")
    reused = sorted(built.reused)

    ordinary = [sorted(run.node(name).execution_time for run in took)[1] for name in reused]
    assert reused
    assert "b" not in reused
    assert runs(project, "list", "--limit", "1")[0]["saved_seconds"] == pytest.approx(sum(ordinary), abs=0.002 * len(reused))


def test_what_failed_says_what_went_wrong_and_why_it_was_due(shop):
    wrong = {
        "models/stg_c.sql": "{{ config(materialized='view') }} select no_such_column",
        "models/a.sql": "{{ config(materialized='table') }} select 1 as id union all select 1",
    }
    project = shop({**FILES, **wrong})
    assert project.afresh("build").exit_code == 1
    (run,) = runs(project, "list")
    told = " ".join(project.afresh("runs", "show", run["run_id"]).stdout.split())
    assert "Failed (2)" in told
    assert re.search(r"stg_c view [\d.s ]*Binder Error: .*no_such_column.*? \(it was due: never built with this state\)", told)
    assert re.search(r"unique_a_id test [\d.s ]*1 failing row \(it was due: ", told)
