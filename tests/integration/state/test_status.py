"""`afresh status` after real runs: how each node stands, as far as the state holds it."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from afresh.core.lease import Holder
from afresh.core.trace import AttemptState
from afresh.store import open_store
from integration.bad_input.refusal import assert_refused

FILES = {
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/b.sql": "{{ config(materialized='table') }} select 1 / id as n from {{ ref('a') }}",
    "models/c.sql": "{{ config(materialized='table') }} select n from {{ ref('b') }}",
    "models/schema.yml": "{version: 2, models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]}",
}
STATE = ".afresh/state.db"


@pytest.fixture
def built(shop):
    project = shop(FILES)
    assert project.afresh("build").exit_code == 0
    return project


def states(project, *flags: str) -> dict[str, str]:
    outcome = project.afresh("status", "--output", "json", *flags)
    assert outcome.exit_code == 0
    return {node["unique_id"].split(".")[2]: node["state"] for node in outcome.json()["nodes"]}


def key_of(project, store, name: str):
    return next(key for key, node in store.recorded().items() if node.endswith(f".{name}"))


@pytest.mark.smoke
def test_a_node_is_current_until_it_fails_or_something_stands_against_it(built):
    assert states(built) == dict.fromkeys(("a", "b", "c", "unique_a_id"), "current")
    built.replace("models/b.sql", "1 / id", "error('no')")
    assert built.afresh("build").exit_code == 1
    assert states(built) == {"a": "current", "b": "failed", "c": "skipped", "unique_a_id": "current"}
    text = built.afresh("status").stdout
    assert "4 nodes: 1 failed, 1 skipped, 2 current" in text
    assert "1 failed, 1 skipped" in text.split("Last runs (2)")[1]
    built.replace("models/b.sql", "error('no')", "1 / id")
    built.afresh("build")
    assert set(states(built).values()) == {"current"}

    with open_store(f"sqlite:///{built.root / STATE}") as store:
        store.taint(key_of(built, store, "a"), detail="somebody was here", run_id="r")
        store.taint(key_of(built, store, "b"), detail="it broke", run_id="r", state=AttemptState.FAILED)
        store.invalidate([key_of(built, store, "c")], "ada", "backfill")
    assert states(built) == {"a": "due", "b": "failed", "c": "due", "unique_a_id": "current"}
    text = built.afresh("status").stdout
    assert re.search(r"due +a +built [\d:]+ +nobody knows what it holds since [\d:]+: somebody was here", text)
    assert re.search(r"due +c +built [\d:]+ +invalidated by ada at [\d:]+: backfill", text)


def test_a_change_that_may_wait_is_tolerated_until_it_is_due(built):
    lag = "meta={'afresh': {'lag_tolerance': '1d'}}"
    built.replace("models/b.sql", "materialized='table'", f"materialized='table', {lag}")
    built.afresh("build")
    built.replace("models/a.sql", "1 as id", "2 as id")
    built.afresh("build")
    assert states(built)["b"] == "tolerated"
    assert re.search(r"tolerated +b +built [\d:]+ +due at ", built.afresh("status").stdout)


def test_it_needs_neither_a_project_nor_a_warehouse_nor_dbt(built, tmp_path):
    (tmp_path / "empty").mkdir()
    built.warehouse.path.unlink()
    code = (
        "import sys; from afresh.cli.main import main; code = main(['status', *sys.argv[1:]])\n"
        "assert not {'dbt', 'duckdb', 'sqlglot', 'alembic'} & {name.partition('.')[0] for name in sys.modules}; sys.exit(code)"
    )
    url = f"sqlite:///{built.root / STATE}"
    done = subprocess.run(
        [sys.executable, "-c", code, "--state-url", url], cwd=tmp_path / "empty", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 nodes: 4 current" in done.stdout


def test_where_there_is_no_state_that_is_said_and_none_is_made(shop):
    project = shop(FILES)
    outcome = project.afresh("status")
    assert outcome.exit_code == 0
    assert "No run is at work." in outcome.stdout
    assert "Nothing was decided yet." in outcome.stdout
    assert states(project) == {}
    assert not (project.root / ".afresh").exists()


def test_a_state_that_cannot_be_read_is_one_error(built):
    for flags in ((), ("--watch",)):
        assert_refused(built.afresh("status", *flags, "--state-url", "postgresql://someone:hidden@127.0.0.1:1/state"), "Connection refused")
    assert_refused(built.afresh("status", "--watch", "--output", "json"), "`--watch` prints text")
    assert built.afresh("status", "--output", "xml").exit_code == 2
    (built.root / STATE).write_bytes(b"this is no database at all, whatever it is called" * 100)
    assert_refused(built.afresh("status"), "the file is damaged or is not a state database")


def test_on_a_terminal_one_picture_is_drawn_in_place_and_the_screen_is_given_back(built):
    ours, theirs = pty.openpty()
    program = str(Path(sys.executable).with_name("afresh"))
    with subprocess.Popen([program, "status", "--watch"], cwd=built.root, stdout=theirs, stderr=theirs, stdin=theirs) as watching:
        os.close(theirs)
        seen = b""
        while seen.count(b"\x1b[H") < 3:
            seen += os.read(ours, 10_000)
        watching.send_signal(signal.SIGINT)
        with suppress(OSError):  # how a terminal tells that nobody is on the other side any more
            while more := os.read(ours, 10_000):
                seen += more
    os.close(ours)
    assert watching.returncode == 0
    assert (seen.count(b"\x1b[?1049h"), seen.count(b"\x1b[?1049l")) == (1, 1)
    assert seen.rstrip().endswith(b"\x1b[?1049l")
    assert b"4 nodes: 4 current" in seen
    assert b"Traceback" not in seen


def test_a_node_that_is_being_built_again_is_not_told_of_with_the_reason_of_the_build_before(built):
    with open_store("sqlite:///.afresh/state.db", base=built.root) as store:
        lease = store.acquire(key_of(built, store, "a"), Holder("01OTHER", "etl-2", 7, "model.shop.a"), timedelta(minutes=5))
        store.open_build(lease, "model.shop.a", (), "01OTHER")
    (line,) = (line for line in built.afresh("status").stdout.splitlines() if line.startswith("  building  a "))
    assert "never built" not in line
