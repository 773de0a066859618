"""Plain ``dbt``: untouched where nobody opted in, and the same as ``afresh`` where somebody did."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

FILES = {
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/b.sql": "select * from {{ ref('a') }}",
}


def _state(project):
    return (project.root / ".afresh").exists()


@pytest.mark.smoke
def test_afresh_1_makes_plain_dbt_state_aware_and_shares_the_state_with_afresh(shop):
    project = shop(FILES)

    first = project.process("dbt", "build", env={"AFRESH": "1"})
    second = project.process("dbt", "build", env={"AFRESH": "1"})

    assert (first.exit_code, first.executed, first.stderr) == (0, {"a", "b"}, "")
    assert (second.exit_code, second.reused, second.stderr) == (0, {"a", "b"}, "")
    assert "Afresh: 0 built, 2 reused" in second.stdout
    assert project.afresh("build").reused == {"a", "b"}


def test_a_project_opts_in_with_plugin_and_afresh_0_switches_off(shop):
    project = shop({**FILES, "afresh.yml": "plugin: true\n"})
    project.afresh("build")

    aware, off = project.dbt("build"), project.dbt("build", env={"AFRESH": "0"})

    assert aware.reused == {"a", "b"}
    assert (off.reused, off.executed) == (set(), {"a", "b"})
    assert "Afresh" not in off.stdout


def test_the_job_of_plain_dbt_is_recorded_with_what_it_builds(shop):
    project = shop(FILES)
    project.dbt("build", env={"AFRESH": "1", "AFRESH_JOB": "hourly"})

    nodes = project.afresh("explain", "--output", "json").json()["nodes"]
    assert {node["last_built_by"]["job"] for node in nodes} == {"hourly"}


def test_what_plain_dbt_built_without_us_is_an_outside_change(shop):
    project = shop(FILES)
    project.write({"models/a.sql": "{{ config(materialized='table') }} select {{ var('n', 1) }} as id"})
    project.afresh("build")
    project.dbt("run", "-s", "a", "--vars", "{n: 2}")

    assert project.afresh("build").reasons("a") == ("changed_outside",)
    assert project.rows("b") == [(1,)]
    assert project.afresh("build").executed == set()


def test_without_opting_in_plain_dbt_is_untouched(shop):
    project = shop({**FILES, "afresh.yml": "queue_timeout: 1h\n"})

    assert project.dbt("build").executed == {"a", "b"}
    assert project.dbt("build").executed == {"a", "b"}
    assert not _state(project)


def test_without_opting_in_nothing_of_ours_is_imported_but_the_entry(shop):
    project = shop({"models/a.sql": "select 1 as id"})
    code = """
        import sys
        from dbt.cli.main import dbtRunner
        assert dbtRunner().invoke(["parse"]).success
        print("ours:", *sorted(name for name in sys.modules if name.startswith(("afresh", "dbt_afresh", "sqlalchemy", "alembic"))))
        """
    command = [sys.executable, "-c", dedent(code)]
    done = subprocess.run(command, cwd=project.root, check=True, capture_output=True, text=True)
    imported = next(line for line in done.stdout.splitlines() if line.startswith("ours:")).split()[1:]

    entry = {"afresh", "afresh.dbt", "afresh.dbt.compat", "afresh.dbt.compat.invocation", "afresh.dbt.options", "afresh.dbt.plugin"}
    assert set(imported) == {"dbt_afresh", *entry}


def test_several_invocations_in_one_process_each_take_part_once(shop):
    project = shop(FILES)
    code = """
        import os
        from dbt.cli.main import dbtRunner
        runner = dbtRunner()
        os.environ["AFRESH"] = "1"
        for _ in range(3):
            results = runner.invoke(["run"]).result.results
            print("aware:", *sorted(result.adapter_response["afresh"]["decision"] for result in results))
        os.environ["AFRESH"] = "0"
        results = runner.invoke(["run"]).result.results
        print("off:", *("afresh" in result.adapter_response for result in results))
        """
    done = subprocess.run([sys.executable, "-c", dedent(code)], cwd=project.root, check=True, capture_output=True, text=True)
    told = [line for line in done.stdout.splitlines() if line.startswith(("aware:", "off:"))]

    assert told == ["aware: build build", "aware: reuse reuse", "aware: reuse reuse", "off: False False"]
    assert done.stdout.count("Afresh: ") == 3


def test_a_broken_afresh_yml_stops_plain_dbt_only_where_it_would_take_part(shop):
    project = shop({**FILES, "afresh.yml": "plugin: true\nqueue_timeout: soon\n"})

    stopped = project.dbt("build")

    assert stopped.exit_code == 2
    assert "afresh.yml:2" in stopped.stdout + stopped.stderr
    assert project.dbt("build", env={"AFRESH": "0"}).exit_code == 0


@pytest.mark.smoke
@pytest.mark.parametrize("text", ["plugin: perhaps\n", "plugin: [\n", "- plugin\n", "plugin: \"{{ env_var('NOT_SET_ANYWHERE') }}\"\n"])
def test_a_file_that_does_not_tell_whether_it_opts_in_gives_plain_dbt_a_warning_and_stops_afresh(shop, text):
    project = shop({**FILES, "afresh.yml": text})

    went_on = project.dbt("build")

    assert (went_on.exit_code, went_on.executed, _state(project)) == (0, {"a", "b"}, False)
    assert went_on.stdout.count("[WARNING] Afresh: ") == 1
    assert "afresh.yml" in went_on.stdout
    assert project.afresh("ls").exit_code == 0
    assert project.afresh("build").exit_code == 2


def test_other_mistakes_in_the_file_of_a_project_that_did_not_opt_in_do_not_concern_plain_dbt(shop):
    project = shop({**FILES, "afresh.yml": "plugin: false\nqueue_timeout: soon\nplugins: true\n"})

    outcome = project.dbt("build")

    assert (outcome.exit_code, outcome.executed) == (0, {"a", "b"})
    assert "Afresh" not in outcome.stdout


def test_a_switch_that_is_neither_on_nor_off_is_ignored_with_a_warning(shop):
    outcome = shop(FILES).dbt("build", env={"AFRESH": "perhaps"})

    assert (outcome.exit_code, outcome.executed) == (0, {"a", "b"})
    assert outcome.stdout.count("[WARNING] Afresh: `AFRESH=perhaps` says neither 1 nor 0, so it is ignored") == 1


def test_the_project_folder_is_the_one_that_dbt_works_on(shop, tmp_path):
    project = shop({**FILES, "profiles.yml": PROFILE.format(path=tmp_path / "shop.duckdb"), "afresh.yml": "plugin: true\n"})
    elsewhere = shop({}, name="elsewhere")

    outcome = elsewhere.dbt("build", "--project-dir", str(project.root), "--profiles-dir", str(project.root))

    assert (outcome.exit_code, _state(project), _state(elsewhere)) == (0, True, False)
    assert Path(project.root / "target" / "run_results.json").exists()


PROFILE = "test: {{target: dev, outputs: {{dev: {{type: duckdb, path: '{path}', schema: main, threads: 4}}}}}}"
