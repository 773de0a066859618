"""`afresh state export` and `import`: what was remembered is remembered elsewhere, or nothing happened."""

from __future__ import annotations

import gzip
import io
import random
import re
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta

import pytest

from afresh.core.lease import Holder, Lease
from afresh.store import open_store
from integration.bad_input.refusal import assert_refused
from support.outcome import Outcome

FILES = {
    "seeds/countries.csv": "id,name\n1,Kenya\n",
    "models/a.sql": "{{ config(materialized='table') }} select id, '{{ env_var('SHOP_REGION', 'east') }}' as region from {{ ref('countries') }}",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/schema.yml": "{version: 2, models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]}",
}
STATE = ".afresh/state.db"
EVERYTHING = {"countries", "a", "b", "unique_a_id"}


@pytest.fixture
def built(shop):
    project = shop(FILES)
    project.afresh("build")
    project.replace("models/b.sql", "select *", "select id")
    assert project.afresh("build").exit_code == 0
    return project


@pytest.fixture
def elsewhere(postgres):
    """Where the state goes to."""
    return ("--state-url", postgres.url)


def explained(project, *flags: str) -> str:
    """What is told of a run that both states know, apart from the moment at which it is told."""
    outcome = project.afresh("explain", *flags, "--run", first_run(project), "--output", "json")
    assert outcome.exit_code == 0
    return re.sub(r'"now": "[^"]*"', "", outcome.stdout)


def first_run(project) -> str:
    with open_store(f"sqlite:///{project.root / STATE}", read_only=True) as store:
        return store.runs()[-1].record.run_id


def exported(project, name: str, *flags: str) -> bytes:
    outcome = project.afresh("state", "export", name, *flags)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    return (project.root / name).read_bytes()


# --- moving -----------------------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_after_the_state_was_moved_to_a_server_and_back_everything_is_reused(built, elsewhere):
    moved = exported(built, "state.jsonl.gz")
    outcome = built.afresh("state", "import", "state.jsonl.gz", *elsewhere)
    assert outcome.exit_code == 0
    assert "Imported 2 runs, 4 traces and" in outcome.stdout
    assert "unused" not in outcome.stdout
    assert exported(built, "copy.jsonl.gz", *elsewhere) == moved
    assert explained(built, *elsewhere) == explained(built)

    again = built.afresh("build", *elsewhere)
    assert (again.reused, again.executed) == (EVERYTHING, set())
    back = exported(built, "back.jsonl", *elsewhere)
    (built.root / STATE).unlink()
    assert built.afresh("state", "import", "back.jsonl").exit_code == 0
    assert exported(built, "copy.jsonl") == back
    assert built.afresh("build").reused == EVERYTHING


def test_a_run_leaves_nothing_of_its_state_open(built):
    assert [path.name for path in (built.root / ".afresh").glob("state.db-*")] == []  # SQLite removes them with the last connection


def test_a_state_goes_through_a_pipe(built, elsewhere):
    pipe = built.process("afresh", "state", "export", "-")
    assert pipe.exit_code == 0
    assert "Exported 2 runs, 4 traces" in pipe.stderr
    with built.start("afresh", "state", "export", "-") as export:
        done = _import_of(built, export.stdout.read().encode(), *elsewhere)
        export.stderr.read()
    assert done.exit_code == 0
    assert "from the standard input into" in done.stdout
    assert built.afresh("build", *elsewhere).reused == EVERYTHING


def _import_of(project, content: bytes, *flags: str) -> Outcome:
    given = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(content))
    try:
        return project.afresh("state", "import", "-", *flags)
    finally:
        sys.stdin = given


def test_neither_needs_a_project_a_profile_or_a_warehouse(built, tmp_path):
    url = ("--state-url", f"sqlite:///{built.root / STATE}")
    (tmp_path / "empty").mkdir()
    outcome = built.process("afresh", "state", "export", str(tmp_path / "out"), "--project-dir", str(tmp_path / "empty"), *url)
    assert outcome.exit_code == 0
    elsewhere = f"sqlite:///{tmp_path}/new/state.db"
    assert built.afresh("state", "import", str(tmp_path / "out"), "--state-url", elsewhere).exit_code == 0
    assert built.afresh("build", "--state-url", elsewhere).reused == EVERYTHING


# --- what must not be lost --------------------------------------------------------------------------------------------


def test_what_was_built_without_state_is_told_before_the_state_is_exported(built, elsewhere):
    with closing(sqlite3.connect(built.root / STATE)) as file:
        file.execute("pragma journal_mode = delete")
    kept = (built.root / STATE).rename(built.root / "kept.db")
    built.write({STATE: "no database"})
    built.afresh("run", "-s", "a")
    kept.replace(built.root / STATE)

    exported(built, "state.jsonl")
    built.afresh("state", "import", "state.jsonl", *elsewhere)
    assert "tainted" in built.afresh("build", *elsewhere).reasons("a")


def test_a_copy_that_is_older_than_the_last_run_is_not_trusted_with_what_it_built(built):
    exported(built, "old.jsonl")
    built.replace("models/a.sql", "select id", "select 7 as id")
    built.afresh("run", "-s", "a")
    built.replace("models/a.sql", "select 7 as id", "select id")
    assert_refused(built.afresh("state", "import", "old.jsonl"), "there is a state already (3 runs, 4 traces)", "`--replace`")

    assert built.afresh("state", "import", "old.jsonl", "--replace").exit_code == 0
    outcome = built.afresh("build")
    assert (outcome.reasons("a")[0], "countries" in outcome.reused) == ("tainted", True)
    assert built.rows("a") == [(1, "east")]


def test_a_copy_that_nothing_vouches_for_makes_everything_due_once(built, tmp_path):
    exported(built, "old.jsonl")
    url = ("--state-url", f"sqlite:///{tmp_path}/new/state.db")
    built.afresh("state", "import", "old.jsonl", "--invalidate", *url)

    assert {built.afresh("plan", *url, "--output", "json").json()["nodes"][0]["reasons"][0]["code"]} == {"invalidated"}
    assert built.afresh("build", *url).executed == EVERYTHING
    assert built.afresh("build", *url).executed == set()


def test_while_a_run_is_at_work_its_state_is_neither_exported_nor_replaced(built):
    exported(built, "state.jsonl")
    with open_store(f"sqlite:///{built.root / STATE}") as store:
        (key, *_) = store.recorded()
        lease = store.acquire(key, Holder("01RUN", "etl-1", 7), timedelta(minutes=5))
        assert isinstance(lease, Lease)
        assert_refused(built.afresh("state", "export", "other.jsonl"), "run 01RUN is at work", "`--allow-running`")
        assert_refused(built.afresh("state", "import", "state.jsonl", "--replace"), "run 01RUN is at work")
        assert not (built.root / "other.jsonl").exists()
        assert exported(built, "other.jsonl", "--allow-running")


# --- mistakes ---------------------------------------------------------------------------------------------------------


def test_a_file_that_is_cut_short_or_none_of_ours_makes_no_state(built, tmp_path):
    whole = exported(built, "state.jsonl")
    url = ("--state-url", f"sqlite:///{tmp_path}/new/state.db")
    for content, told in (
        (whole[:2000], "cut short"),
        (gzip.compress(whole)[:2000], "cannot be read further than line"),
        (whole.replace(b"east", b"west").replace(b"dev", b"deV"), "its content does not fit its checksum"),
        (b"", "this is no exported state"),
        (built.read("dbt_project.yml").encode(), "this is no exported state"),
    ):
        (built.root / "given").write_bytes(content)
        assert_refused(built.afresh("state", "import", "given", *url), told)
    assert_refused(built.afresh("state", "import", "nowhere", *url), "nowhere: the file cannot be read: No such file or directory")
    assert_refused(built.afresh("state", "import", "models", *url), "models: the file cannot be read: Is a directory")
    assert not (tmp_path / "new").exists()


def test_a_place_that_cannot_be_written_or_is_taken_is_told_and_left_as_it_is(built):
    built.write({"taken": "something else"})
    for place, told in (
        ("taken", "taken: the file exists already"),
        ("models", "models: this is a folder"),
        ("nowhere/state.jsonl", "the file cannot be written: No such file or directory"),
        ("taken/state.jsonl", "the file cannot be written: Not a directory"),
        ("/proc/nowhere", "the file cannot be written"),
    ):
        assert_refused(built.afresh("state", "export", place), told)
    assert built.read("taken") == "something else"


def test_a_disk_that_is_full_leaves_no_half_a_file(built):
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (10**5, 10**5))"
    )
    built.write({"sitecustomize.py": code})
    with open_store(f"sqlite:///{built.root / STATE}") as store:
        store.put_blob(random.Random(1).randbytes(10**6))
    outcome = built.process("afresh", "state", "export", "state.jsonl", env={"PYTHONPATH": str(built.root)})
    assert_refused(outcome, "state.jsonl: the file cannot be written: File too large")
    assert [path.name for path in built.root.iterdir() if "state.jsonl" in path.name] == []


def test_where_there_is_no_state_there_is_nothing_to_export(shop):
    project = shop(FILES)
    assert_refused(project.afresh("state", "export", "state.jsonl"), "there is no state to export")
    assert not (project.root / ".afresh").exists()
    assert not (project.root / "state.jsonl").exists()


def test_a_state_that_cannot_be_reached_or_read_is_one_error(built):
    exported(built, "state.jsonl")
    down = ("--state-url", "postgresql://someone:hidden@127.0.0.1:1/state")
    for command in (("import", "state.jsonl", *down), ("export", "new.jsonl", *down)):
        outcome = built.afresh("state", *command)
        assert_refused(outcome, "Connection refused")
        assert "hidden" not in outcome.stdout + outcome.stderr
    (built.root / STATE).write_bytes(b"this is no database at all, whatever it is called" * 100)
    assert_refused(built.afresh("state", "export", "new.jsonl"), "the file is damaged or is not a state database")
    assert not (built.root / "new.jsonl").exists()


def test_a_state_command_that_is_none_is_a_usage_error(shop):
    project = shop(FILES)
    for words in ((), ("exprot",), ("export",), ("import", "x", "--no-such-option")):
        assert project.afresh("state", *words).exit_code == 2
    assert project.afresh("state", "--help").exit_code == project.afresh("state", "export", "--help").exit_code == 0
