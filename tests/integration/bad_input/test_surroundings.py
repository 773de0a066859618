"""A project, a profile or a warehouse that is not what it should be."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import pytest

from integration.bad_input.refusal import assert_refused, assert_untouched

FILES = {"models/a.sql": "{{ config(materialized='table') }} select 1 as id"}


def test_no_project_file(shop, tmp_path):
    project = shop(FILES)
    project.delete("dbt_project.yml")

    for command in ("build", "plan"):
        assert_refused(project.afresh(command), "No dbt_project.yml found")
    assert not (project.root / ".afresh").exists()


def test_a_project_folder_that_does_not_exist(shop):
    project = shop(FILES)

    for command in ("build", "plan"):
        assert_refused(project.afresh(command, "--project-dir", "nowhere"), "nowhere")


def test_no_profile(shop):
    project = shop(FILES)
    project.delete("profiles.yml")

    for command in ("build", "plan"):
        assert_refused(project.afresh(command, "--profiles-dir", "."), "Could not find profile named 'test'")
    assert not (project.root / ".afresh").exists()


def test_a_target_that_the_profile_does_not_have(shop):
    project = shop(FILES)

    assert_refused(project.afresh("build", "--target", "nowhere"), "nowhere")
    assert_untouched(project)


@pytest.mark.parametrize("command", ["build", "plan"])
def test_a_model_that_cannot_be_parsed(shop, command):
    project = shop({**FILES, "models/b.sql": "select * from {{ ref('nosuch') }}"})

    assert_refused(project.afresh(command), "'nosuch' which was not found")
    assert_untouched(project)


def test_a_model_that_does_not_compile_fails_alone_and_leaves_what_was_built(shop):
    project = shop({**FILES, "models/b.sql": "{% if execute %}{{ exceptions.raise_compiler_error('not today') }}{% endif %}select 1 as id"})

    first, second = project.afresh("build"), project.afresh("build")

    assert (first.exit_code, first.statuses) == (1, {"a": "success", "b": "error"})
    assert (second.exit_code, second.reused, second.reasons("b")) == (1, {"a"}, ("never_built",))
    assert "Traceback" not in first.stdout + first.stderr


def test_a_warehouse_that_is_down_is_one_error_and_leaves_no_traces(shop):
    project = shop(FILES)
    project.write(
        {
            "profiles.yml": "test: {target: dev, outputs: {dev: {type: postgres, host: 127.0.0.1, port: 1, user: u, password: hidden, "
            "dbname: d, schema: s, threads: 1}}}"
        }
    )

    for command in ("build", "plan"):
        outcome = project.afresh(command)
        assert_refused(outcome, "Connection refused")
        assert "hidden" not in outcome.stdout + outcome.stderr


@contextmanager
def _held_by_another_process(path):
    code = "import duckdb, sys; file = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        other.stdout.readline()
        yield other.pid
        other.stdin.close()


def test_a_database_file_that_a_stranger_holds_is_one_error_that_names_the_process(shop):
    project = shop(FILES)
    project.afresh("build")

    with _held_by_another_process(project.warehouse.path) as pid:
        for command in ("build", "plan"):
            outcome = project.afresh(command, env={"AFRESH_QUEUE_TIMEOUT": "1s"})
            assert_refused(outcome, "Database Error IO Error: Could not set lock on file")
            assert f"(PID {pid})" in outcome.stdout

    assert project.afresh("build").reused == {"a"}
