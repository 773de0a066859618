"""A state file that cannot be used is one clear error: what, where, what to do."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from afresh.core.lease import Holder
from afresh.core.relation import TraceKey
from afresh.errors import AfreshError, StateUnavailableError, UsageError
from afresh.store import RunRecord, StateStore, open_store

NOBODY = 65534
RUN = RunRecord("r1", "afresh build", "shop", "prod")


def refusal(url: str, **options: bool) -> AfreshError:
    with pytest.raises(AfreshError) as refused:
        open_store(url, **options).close()
    error = refused.value
    assert "\n" not in error.what
    assert error.where
    assert error.hint
    return error


@contextmanager
def as_an_ordinary_user() -> Iterator[Path]:
    """A folder of somebody for whom permissions count; they do not for root."""
    with tempfile.TemporaryDirectory() as folder:
        user = os.geteuid()
        if user != 0:
            yield Path(folder)
            return
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            os.seteuid(user)


def test_the_file_and_its_folders_are_made_on_demand(tmp_path: Path) -> None:
    with open_store("sqlite:///deep/er/state.db", base=tmp_path) as store:
        assert store.place == str(tmp_path / "deep" / "er" / "state.db")
        store.begin_run(RUN)
    assert (tmp_path / "deep" / "er" / "state.db").stat().st_size > 0


def test_a_relative_file_is_taken_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store("sqlite:///state.db") as store:
        assert store.place == str(tmp_path / "state.db")


@pytest.mark.parametrize("name", ["a b#c%41.db", "ünïcode.db", "quo'te.db", "plus+and&amp.db"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path}/{name}"
    with open_store(url) as store:
        store.begin_run(RUN)
    assert (tmp_path / name).is_file()
    with open_store(url, read_only=True) as store:
        assert store.run("r1") is not None


def test_the_file_is_in_wal_mode_and_left_alone_when_closed(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/state.db") as store:
        store.begin_run(RUN)
    with closing(sqlite3.connect(tmp_path / "state.db")) as conn:
        assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert [path.name for path in tmp_path.iterdir()] == ["state.db"]


def test_an_empty_file_becomes_a_state(tmp_path: Path) -> None:
    (tmp_path / "state.db").touch()
    with open_store(f"sqlite:///{tmp_path}/state.db") as store:
        store.begin_run(RUN)


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    "content", [b"this is no database at all" * 100, b"SQLite format 3\x00" + bytes(range(256)) * 40], ids=["text", "header"]
)
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes, read_only: bool) -> None:
    file = tmp_path / "state.db"
    file.write_bytes(content)
    error = refusal(f"sqlite:///{file}", read_only=read_only)
    assert str(error).startswith(f"{file}: the file is damaged or is not a state database\n  If it was the state, move it away")
    assert "If it is another file, such as the warehouse's, let state_url name a file of its own." in str(error)
    assert file.read_bytes() == content


def test_a_state_whose_pages_are_damaged_is_refused_where_it_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with open_store(f"sqlite:///{file}") as store:
        store.begin_run(RUN)
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xee" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StateUnavailableError, match="damaged"), open_store(f"sqlite:///{file}") as store:
        store.runs()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path, read_only: bool) -> None:
    error = refusal(f"sqlite:///{tmp_path}", read_only=read_only)
    assert isinstance(error, StateUnavailableError)
    assert (error.what, error.where) == ("the state file is a folder", str(tmp_path))


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = refusal(f"sqlite:///{tmp_path}/file/state.db")
    assert error.what.startswith("the folder of the state file cannot be made")


def test_a_place_where_nothing_can_be_made_is_refused() -> None:
    error = refusal("sqlite:////proc/afresh/state.db")
    assert (error.what.split(":")[0], error.where) == ("the folder of the state file cannot be made", "/proc/afresh")


def test_a_folder_that_may_not_be_written_is_refused() -> None:
    with as_an_ordinary_user() as folder:
        folder.chmod(0o500)
        error = refusal(f"sqlite:///{folder}/state.db")
        folder.chmod(0o700)
    assert (error.what, error.where) == ("this user may not write into the folder of the state file", str(folder))


@pytest.mark.parametrize(
    ("mode", "read_only", "how"), [(0o400, False, "read and written"), (0o000, False, "read and written"), (0o000, True, "read")]
)
def test_a_file_without_permission_is_refused(mode: int, read_only: bool, how: str) -> None:
    with as_an_ordinary_user() as folder:
        open_store(f"sqlite:///{folder}/state.db").close()
        (folder / "state.db").chmod(mode)
        error = refusal(f"sqlite:///{folder}/state.db", read_only=read_only)
    assert error.what == f"the state file cannot be {how} by this user"


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o400, 0o700), (0o400, 0o500), (0o600, 0o500)])
def test_a_state_that_cannot_be_written_can_still_be_read(file_mode: int, folder_mode: int) -> None:
    with as_an_ordinary_user() as folder:
        with open_store(f"sqlite:///{folder}/state.db") as store:
            store.begin_run(RUN)
        (folder / "state.db").chmod(file_mode)
        folder.chmod(folder_mode)
        with open_store(f"sqlite:///{folder}/state.db", read_only=True) as store:
            assert store.run("r1") is not None
        folder.chmod(0o700)


def test_reading_a_state_that_is_not_there_makes_neither_file_nor_folder(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/none/state.db", read_only=True) as store:
        assert store.runs() == ()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_error_and_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/state.db") as store:
        store.begin_run(RUN)
        limit_pages(store)
        with pytest.raises(StateUnavailableError) as refused:
            store.put_blob(os.urandom(1_000_000))
        assert refused.value.what == "no space is left for the state database"
        assert [run.record.run_id for run in store.runs()] == ["r1"]


def limit_pages(store: StateStore) -> None:
    """Let SQLite meet the end of the disk: its own limit gives the same error, by the same way."""
    conn = store._db.engine.raw_connection()
    pages = conn.cursor().execute("PRAGMA page_count").fetchone()[0]
    conn.cursor().execute(f"PRAGMA max_page_count = {pages}").fetchone()
    conn.close()


def test_a_file_that_a_stranger_keeps_locked_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("afresh.store.engine.BUSY_TIMEOUT_SECONDS", 0.01)
    with open_store(f"sqlite:///{tmp_path}/state.db") as store, closing(sqlite3.connect(tmp_path / "state.db")) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateUnavailableError, match="another process keeps the state database locked"):
            store.begin_run(RUN)
        assert store.runs() == ()
        stranger.rollback()
        assert store.begin_run(RUN).number == 1


def test_a_key_that_cannot_be_text_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/state.db") as store:
        with pytest.raises(UnicodeEncodeError):
            store.taint(TraceKey("\udc80"), detail="", run_id="r")
        assert store.held_leases() == ()
        assert Holder("r", "h", 1).node == ""


# --- urls -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("", "the state url cannot be read"),
        (".afresh/state.db", "the state url cannot be read"),
        ("postgresql://user@host:port/db", "the state url cannot be read"),
        ("mysql://root:secret@host/db", "the state cannot be kept in `mysql`"),
        ("duckdb:///x.db", "the state cannot be kept in `duckdb`"),
        ("postgresql+psycopg2://u:secret@host/db", "the state cannot be kept in `postgresql+psycopg2`"),
        ("sqlite://", "the state url names no file, and state that ends with the process is of no use"),
        ("sqlite:", "the state url names no file, and state that ends with the process is of no use"),
        ("sqlite:///state.db?mode=ro", "the url of a state file takes no parameters"),
        ("sqlite:///:memory:", "the state url names no file, and state that ends with the process is of no use"),
        ("sqlite://state.db", "a file's url has three slashes before a relative path and four before an absolute one"),
    ],
)
def test_a_url_that_is_wrong_is_the_users_mistake(url: str, what: str) -> None:
    error = refusal(url)
    assert isinstance(error, UsageError)
    assert error.what == what
    assert "secret" not in str(error)


def test_a_server_that_refuses_the_connection_is_one_clear_error_without_the_password() -> None:
    error = refusal("postgres://afresh:secret@127.0.0.1:1/state?application_name=hidden&connect_timeout=5")
    assert isinstance(error, StateUnavailableError)
    assert error.where == "postgresql://afresh@127.0.0.1:1/state"
    assert "refused" in error.what.lower()
    assert "secret" not in str(error)
    assert "hidden" not in str(error)


def test_a_driver_that_is_not_installed_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    error = refusal("postgresql://afresh:secret@127.0.0.1:1/state")
    assert isinstance(error, UsageError)
    assert error.hint == "Install it: pip install 'afresh[postgres]'"
    assert "secret" not in str(error)
