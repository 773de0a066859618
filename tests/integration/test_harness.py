"""The fixtures themselves: what every other test of this folder takes for granted."""

import inspect
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dbt_common import behavior_flags

from support.outcome import NodeResult

PROJECT = {
    "models/numbers.sql": "select * from range(3) as numbers (n)",
    "models/doubled.sql": "select n * 2 as n from {{ ref('numbers') }}",
    "models/schema.yml": """
        version: 2
        models:
          - name: doubled
            columns:
              - name: n
                data_tests: [unique, not_null]
    """,
}


def can_be_opened_by_another_process(file: Path) -> bool:
    code = "import duckdb, sys; duckdb.connect(sys.argv[1]).close()"
    return subprocess.run([sys.executable, "-c", code, str(file)], check=False).returncode == 0


def test_dbt_in_this_process_builds_reports_and_leaves_the_warehouse_free(dbt_project, tmp_path):
    project = dbt_project(PROJECT)

    outcome = project.dbt("build")

    assert outcome.exit_code == 0
    assert outcome.executed_models == {"numbers", "doubled"}
    assert outcome.statuses["unique_doubled_n"] == "pass"
    assert "Completed successfully" in outcome.stdout
    assert project.rows("doubled") == [(0,), (2,), (4,)]
    assert can_be_opened_by_another_process(tmp_path / "shop.duckdb")


def test_dbt_in_a_process_of_its_own_reports_the_same(dbt_project):
    project = dbt_project(PROJECT)

    outcome = project.process("dbt", "build")

    assert outcome.exit_code == 0
    assert outcome.statuses == project.dbt("build").statuses


def test_a_process_has_its_own_session_and_ends_by_the_signal_that_it_gets(dbt_project):
    project = dbt_project(PROJECT)

    with project.start("dbt", "build") as process:
        session = os.getsid(process.pid)
        process.send_signal(signal.SIGKILL)
        outcome = project.finish(process)

    assert session == process.pid != os.getsid(0)
    assert outcome.exit_code == process.poll() == -signal.SIGKILL


def test_a_process_that_takes_too_long_is_killed(dbt_project):
    project = dbt_project(PROJECT)

    with project.start("dbt", "build") as process, pytest.raises(subprocess.TimeoutExpired):
        project.finish(process, timeout=0)

    assert process.returncode == -signal.SIGKILL


def test_what_is_asked_of_the_interpreter_is_asked_of_a_new_one(dbt_project):
    project = dbt_project(PROJECT)

    with project.start("dbt", "--version", env={"PYTHONVERBOSE": "1"}) as process:
        outcome = project.finish(process)

    assert isinstance(process, subprocess.Popen)
    assert "import 'dbt" in outcome.stderr


@pytest.mark.parametrize("database", ["duckdb", "postgresql"])
def test_a_new_project_has_the_macros_of_dbt_parsed(dbt_project, database, request):
    warehouse = request.getfixturevalue("postgres") if database == "postgresql" else None
    for name in ("shop", "other"):
        project = dbt_project({"models/a.sql": "select 1 as id"}, warehouse=warehouse, name=name)
        assert "partial pars" not in project.dbt("parse").stdout


def test_the_shorter_ways_of_dbt_in_this_process_lead_to_the_same(dbt_project, tmp_path):
    project = dbt_project(PROJECT)
    project.dbt("build")
    with (tmp_path / "long.json").open("w", encoding="utf-8") as file:
        json.dump(json.loads(project.read("target/manifest.json")), file)
    assert project.read("target/manifest.json") == (tmp_path / "long.json").read_text(encoding="utf-8")

    shorter = behavior_flags.inspect
    short, long = list(shorter.stack()), inspect.stack()
    found = [(inspect.getmodule(there[0]), shorter.getmodule(here[0])) for here, there in zip(short, long, strict=True)]
    assert found[0][0] is sys.modules[__name__]
    assert [here for there, here in found if there is not None] == [there for there, _ in found if there is not None]


def test_two_projects_run_one_after_the_other_without_seeing_each_other(dbt_project):
    one = dbt_project({"models/a.sql": "select 1 as id"}, name="one")
    two = dbt_project({"models/b.sql": "select {{ var('id') }} as id"}, name="two", settings={"vars": {"id": 2}})

    assert one.dbt("run").executed == {"a"}
    assert two.dbt("run").executed == {"b"}
    assert one.dbt("run", "--select", "nothing").executed == set()
    assert (one.rows("a"), two.rows("b")) == ([(1,)], [(2,)])


def test_a_failing_node_and_a_command_that_cannot_run_have_dbt_s_exit_codes(dbt_project):
    project = dbt_project({"models/broken.sql": "select no_such_column"})

    failed = project.dbt("run")
    refused = project.dbt("run", "--no-such-flag")

    assert (failed.exit_code, failed.statuses) == (1, {"broken": "error"})
    assert (refused.exit_code, refused.statuses) == (2, {})


def test_environment_variables_are_set_for_one_run_only(dbt_project):
    project = dbt_project({"models/a.sql": "select '{{ env_var('COLOUR') }}' as colour"})

    project.dbt("run", env={"COLOUR": "green"})

    assert project.rows("a") == [("green",)]
    assert project.dbt("run").exit_code == 2


def test_files_are_edited_and_removed_as_a_user_would(dbt_project):
    project = dbt_project(PROJECT)
    project.replace("models/doubled.sql", "n * 2", "n * 3")
    project.delete("models/schema.yml")

    assert project.dbt("build").executed == {"numbers", "doubled"}
    assert project.rows("doubled") == [(0,), (3,), (6,)]
    with pytest.raises(AssertionError):
        project.replace("models/doubled.sql", "n * 2", "n * 4")


def test_a_project_builds_in_a_postgres_database_of_its_own(dbt_project, postgres):
    project = dbt_project({"models/a.sql": "select 1 as id"}, warehouse=postgres)

    assert project.dbt("run").executed == {"a"}
    assert project.query("select id from analytics.a") == [(1,)]


def test_every_postgres_database_is_empty_and_separate(make_postgres):
    one, two = make_postgres(), make_postgres()
    one.execute("create table t as select 1 as id")

    assert one.query("select count(*) from pg_tables where schemaname = 'public'") == [(1,)]
    assert two.query("select count(*) from pg_tables where schemaname = 'public'") == [(0,)]


@pytest.mark.parametrize(
    ("unique_id", "name"),
    [
        ("model.shop.orders", "orders"),
        ("model.shop.orders.v2", "orders.v2"),
        ("test.shop.unique_orders_id.fed79b3a6e", "unique_orders_id"),
        ("test.shop.orders_are_paid", "orders_are_paid"),
        ("unit_test.shop.orders.fees_are_taken", "fees_are_taken"),
    ],
)
def test_a_result_goes_by_the_name_that_a_reader_would_use(unique_id, name):
    result = NodeResult(unique_id, "success", message=None, execution_time=0.0, compiled_code=None, afresh=None)

    assert result.name == name
