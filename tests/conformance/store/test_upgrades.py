"""Two versions of Afresh on one state: the schema grows under a running older program, and never shrinks under one that needs it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.conformance.store.examples import ORDERS, TTL, built, granted, key_of, recorded_test, run_of, trace_of, verdict_on
from tests.conformance.store.test_processes import start

from afresh.core.trace import AttemptState
from afresh.errors import StateUnavailableError
from afresh.store import RunOutcome, RunStatus, StateStore, migrating, open_store
from afresh.store.engine import _ADVISORY_SPACE
from afresh.store.migrating import revisions
from afresh.store.opening import _MIGRATING
from afresh.store.revisions import revision_of
from afresh.store.schema import HEAD

EXPANDED, CONTRACTED = "0004_from_0003", "0005_from_0004"
PATIENCE = 60

EXPAND = f'''
"""A column and a table that programs of the revision before need not know."""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{EXPANDED}", "{HEAD}", None, None


def upgrade():
    op.create_table("afresh_additions", sa.Column("name", sa.Text, primary_key=True))
    for table in ("runs", "traces", "leases", "marks", "decisions", "durations", "events", "blobs"):
        op.add_column(f"afresh_{{table}}", sa.Column("added", sa.Text, nullable=False, server_default="by default"))
'''
CONTRACT = f'''
"""Takes away what only programs of the revision before that used."""
from alembic import op

revision, down_revision, branch_labels, depends_on = "{CONTRACTED}", "{EXPANDED}", None, None


def upgrade():
    op.drop_table("afresh_probe_memos")
'''


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of later releases."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrating._FOLDER, folder)
    (folder / "versions" / "m0004_expand.py").write_text(EXPAND)
    return folder


def add_contract(later: Path) -> None:
    (later / "versions" / "m0005_contract.py").write_text(CONTRACT)


@contextmanager
def release(monkeypatch: pytest.MonkeyPatch, head: str, later: Path) -> Iterator[None]:
    """As the release whose newest revision this is."""
    with monkeypatch.context() as patched:
        patched.setattr("afresh.store.opening.HEAD", head)
        patched.setattr("afresh.store.migrating._FOLDER", later)
        yield


def schema_version(url: str) -> str:
    engine = create_engine(url)
    with engine.connect() as conn:
        found = str(conn.execute(text("SELECT version_num FROM afresh_schema_version")).scalar_one())
    engine.dispose()
    return found


def use_everything(store: StateStore, name: str) -> None:
    """What a run does with its state, from its beginning to its end."""
    key = key_of(name)
    store.begin_run(run_of(name))
    trace = built(store, key)
    assert store.snapshot([key]).traces == {key: trace}
    assert store.settle(key, trace.build_id, outside_token="t")
    lease = granted(store, key)
    build = store.open_build(lease, "n", (), name)
    store.close_build(build.build_id, AttemptState.FAILED, "no such column")
    assert store.renew([lease], TTL) == frozenset()
    store.release(lease)
    recorded_test(store, trace_of(key_of(f"test of {name}")), "select 1", b"read")
    store.record_decisions(name, [verdict_on(f"model.shop.{name}")])
    store.record_event(name, "node_waits", "{}")
    store.end_run(name, RunOutcome(RunStatus.SUCCESS))
    assert store.last_decisions([f"model.shop.{name}"])[0].last_run == name
    assert store.snapshot([key]).attempts[key].state is AttemptState.FAILED


def test_every_revision_says_from_which_one_on_programs_work_with_it() -> None:
    found = [revision_of(name) for name in revisions()]
    assert [revision.number for revision in found if revision is not None] == list(range(1, len(revisions()) + 1))
    assert all(revision.oldest < revision.number or revision.number == 1 for revision in found if revision is not None)


def test_an_older_program_goes_on_beside_a_newer_one_that_expanded_the_schema(
    url: str, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(url) as older:
        use_everything(older, "before")
        with release(monkeypatch, EXPANDED, later), open_store(url) as newer:
            use_everything(newer, "newer")
            use_everything(older, "meanwhile")
            assert newer.snapshot([key_of("meanwhile")]).traces.keys() == {key_of("meanwhile")}
            assert older.snapshot([key_of("newer")]).traces.keys() == {key_of("newer")}
    with open_store(url) as older_later:
        use_everything(older_later, "after")
    with open_store(url, read_only=True) as reader:
        assert [run.record.run_id for run in reader.runs()] == ["after", "meanwhile", "newer", "before"]
    assert schema_version(url) == EXPANDED


def test_a_program_that_the_schema_has_left_behind_is_refused_and_the_one_after_it_is_not(
    url: str, later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(url).close()
    add_contract(later)
    with release(monkeypatch, CONTRACTED, later), open_store(url) as newest:
        use_everything(newest, "newest")
    with release(monkeypatch, EXPANDED, later):
        (later / "versions" / "m0005_contract.py").unlink()  # that release does not have it
        with open_store(url) as middle:
            use_everything(middle, "middle")
    for read_only in (False, True):
        with pytest.raises(StateUnavailableError, match=f"has schema {CONTRACTED}, and this version of Afresh knows schemas up to {HEAD}"):
            open_store(url, read_only=read_only)
    assert schema_version(url) == CONTRACTED


def test_a_migration_that_fails_leaves_the_schema_as_it_was(url: str, later: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(url) as store:
        trace = built(store)
    file = later / "versions" / "m0004_expand.py"
    file.write_text(f"{EXPAND}    op.execute('select no_such_thing from nowhere')\n")
    with release(monkeypatch, EXPANDED, later), pytest.raises(StateUnavailableError, match="nowhere"):
        open_store(url)
    assert schema_version(url) == HEAD
    file.write_text(EXPAND)
    with release(monkeypatch, EXPANDED, later), open_store(url) as store:
        assert store.snapshot([ORDERS]).traces == {ORDERS: trace}


def test_of_processes_that_migrate_at_once_one_does_and_all_go_on(url: str, later: Path) -> None:
    open_store(url).close()
    engine = create_engine(url, isolation_level="AUTOCOMMIT" if url.startswith("sqlite") else "READ COMMITTED")
    with engine.connect() as conn:
        hold, let_go = _a_lock_on_migrations(conn.dialect.name)
        conn.exec_driver_sql(hold)
        workers = [start("migrate", url, f"run-{number}", env={"AFRESH_MIGRATIONS": str(later)}) for number in range(3)]
        _wait_until_all_are_at_it(workers, conn)
        assert schema_version_as_seen(conn) == HEAD
        conn.exec_driver_sql(let_go)
    engine.dispose()
    ended = [(worker.communicate(timeout=PATIENCE)[1], worker.returncode) for worker in workers]
    assert ended == [("", 0)] * 3
    assert schema_version(url) == EXPANDED
    with open_store(url) as store:
        assert sorted(run.record.run_id for run in store.runs()) == ["run-0", "run-1", "run-2"]


def schema_version_as_seen(conn) -> str:
    return str(conn.exec_driver_sql("SELECT version_num FROM afresh_schema_version").scalar_one())


def _a_lock_on_migrations(dialect: str) -> tuple[str, str]:
    if dialect == "sqlite":
        return "BEGIN IMMEDIATE", "ROLLBACK"
    lock = f"({_ADVISORY_SPACE}, {_MIGRATING})"
    return f"SELECT pg_advisory_lock{lock}", f"SELECT pg_advisory_unlock{lock}"


def _wait_until_all_are_at_it(workers: list[subprocess.Popen[str]], conn) -> None:
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "opening\n"
    if conn.dialect.name == "sqlite":
        return  # who waits there cannot be seen
    deadline = time.monotonic() + PATIENCE
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while conn.exec_driver_sql(waiting).scalar_one() < len(workers):
        assert time.monotonic() < deadline
        time.sleep(0.02)
