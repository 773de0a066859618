"""`afresh state show` tells what is recorded, without a project, a warehouse or dbt."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from afresh.store import open_store
from integration.bad_input.refusal import assert_refused
from integration.state.two_targets import FILES, STATE, add_target


@pytest.fixture(scope="module")
def built(module_shop):
    project = module_shop(FILES)
    add_target(project, "prod")
    assert project.afresh("build").exit_code == 0
    assert project.afresh("build", "--target", "prod", "--select", "a").exit_code == 0
    return project


def shown(project, *arguments: str) -> dict[str, dict]:
    outcome = project.afresh("state", "show", *arguments, "--output", "json")
    assert outcome.exit_code == 0
    return {f"{one['unique_id'].split('.')[2]} {one['target']}": one for one in outcome.json()["relations"]}


def test_what_a_build_recorded_is_shown(built):
    found = shown(built)
    assert set(found) == {"a dev", "a prod", "b dev", "stg_c dev", "unique_a_id dev", "unique_a_id prod"}
    a, b, test = found["a dev"], found["b dev"], found["unique_a_id dev"]
    assert (a["relation"], a["relation_type"], a["built_because_of"]) == ("shop.main.a", "table", ["never_built"])
    assert a["columns"] == [{"name": "id", "type": "INTEGER"}]
    assert [(entry["node"], entry["recorded"]) for entry in b["inputs"]] == [("model.shop.a", a["version"])]
    assert (test["relation"], test["test_status"]) == (None, "pass")
    assert found["a prod"]["version"] != a["version"]

    text = built.afresh("state", "show", "b").stdout
    assert "table shop.main.b in dev" in text
    assert f"  a  {a['version']}" in text
    assert "6 relations and tests\n" in built.afresh("state", "show").stdout
    assert list(shown(built, "a", "--target", "prod")) == ["a prod"]


def test_what_stands_against_a_build_and_who_holds_it_is_shown(shop):
    project = shop({"models/a.sql": FILES["models/a.sql"], "models/bad.sql": "{{ config(materialized='table') }} select error('no')"})
    project.afresh("build")
    key = next(iter(open_and_read(project)))
    with open_store(f"sqlite:///{project.root / STATE}") as store:
        store.taint(key, detail="somebody was here", run_id="r")
    found = shown(project)
    assert [reason["code"] for reason in found["a dev"]["standing"]] == ["tainted"]
    assert (found["bad dev"]["last_built_at"], found["bad dev"]["version"]) == (None, None)
    assert [reason["code"] for reason in found["bad dev"]["standing"]] == ["last_build_failed"]
    assert "2 relations and tests, 2 of them due" in project.afresh("state", "show").stdout


def open_and_read(project):
    with open_store(f"sqlite:///{project.root / STATE}", read_only=True) as store:
        return store.recorded()


def test_a_relation_of_which_no_decision_is_kept_is_shown_in_the_target_of_its_run(shop):
    project = shop(FILES)
    project.afresh("build")
    with closing(sqlite3.connect(project.root / STATE)) as file, file:
        file.execute("delete from afresh_decisions")
    assert set(shown(project)) == {"a dev", "b dev", "stg_c dev", "unique_a_id dev"}


def test_it_needs_neither_a_project_nor_a_warehouse_nor_dbt(built, tmp_path):
    code = (
        "import sys; from afresh.cli.main import main; code = main(['state', 'show', 'b', *sys.argv[1:]])\n"
        "assert not {'dbt', 'duckdb', 'sqlglot', 'alembic'} & {name.partition('.')[0] for name in sys.modules}; sys.exit(code)"
    )
    url = f"sqlite:///{built.root / STATE}"
    done = subprocess.run([sys.executable, "-c", code, "--state-url", url], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "shop.main.b" in done.stdout


def test_a_wrong_name_and_no_state_are_one_error(built, shop):
    assert_refused(built.afresh("state", "show", "stgc"), "Did you mean `stg_c`?")
    project = shop(FILES)
    assert_refused(project.afresh("state", "show"), "there is no state yet")
    assert not (project.root / ".afresh").exists()
