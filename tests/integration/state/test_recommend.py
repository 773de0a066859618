"""`afresh recommend` reads what real runs recorded, without a project, a warehouse or dbt."""

from __future__ import annotations

import subprocess
import sys

from integration.bad_input.refusal import assert_refused
from integration.state.two_targets import STATE

TABLE = "{{ config(materialized='table') }} "
FILES = {
    "models/sources.yml": "sources: [{name: raw, schema: raw, tables: [{name: one}]}]",
    "models/stage.sql": TABLE + "select id from {{ source('raw', 'one') }}",
    "models/seen.sql": "select id from {{ ref('stage') }}",
    "models/mart.sql": TABLE + "select id from {{ ref('seen') }}",
}


def test_real_runs_are_a_history_and_every_build_that_was_read_is_kept(shop, tmp_path):
    project = shop(FILES)
    project.execute("create schema raw", "create table raw.one as select 1 as id")
    project.afresh("build")
    for number in range(8):
        project.execute(f"insert into raw.one values ({number})")
        project.afresh("run", "--select", "stage" if number % 3 else "+mart")

    found = project.afresh("recommend", "--output", "json").json()
    assert found["history"]["runs"] == 9
    assert (found["recommendations"], found["too_short"]) == ([], ["mart"])  # whatever was put off, `mart` would have missed
    assert "looked at 1 table." in project.afresh("recommend").stdout

    code = (
        "import sys; from afresh.cli.main import main; code = main(['recommend', *sys.argv[1:]])\n"
        "assert not {'dbt', 'duckdb', 'sqlglot', 'alembic'} & {name.partition('.')[0] for name in sys.modules}; sys.exit(code)"
    )
    url = f"sqlite:///{project.root / STATE}"
    done = subprocess.run([sys.executable, "-c", code, "--state-url", url], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_runs_there_is_nothing_to_recommend(shop):
    assert_refused(shop(FILES).afresh("recommend"), "no run is recorded")
