from __future__ import annotations

import pytest

from afresh.core.version import Known, Unknown
from afresh.warehouse.asks import AskFiles, AskSql, Failed, FileStat, FileStats, Rows
from afresh.warehouse.files import RACY_NS, ask_files, file_guard, files_token, is_remote

A = FileStat("/a", 10, 10**12, 5)
LATER = 10**12 + 10**9


def version(*stats, now=LATER):
    asks = ask_files(["/x"])
    return files_token(asks, [FileStats(stats, now)]).version


@pytest.mark.parametrize(
    "other",
    [FileStat("/a", 11, 10**12, 5), FileStat("/a", 10, 10**12 + 1, 5), FileStat("/a", 10, 10**12, 6), FileStat("/b", 10, 10**12, 5)],
)
def test_size_time_inode_and_path_all_count(other):
    assert isinstance(version(A), Known)
    assert version(A) != version(other)
    assert version(A) != version(A, other)


def test_the_order_of_files_does_not_count():
    b = FileStat("/b", 1, 1)
    assert version(A, b) == version(b, A)


def test_no_file_is_no_version():
    assert isinstance(version(), Unknown)
    assert isinstance(files_token(ask_files(["/x"]), [Failed("no rights")]).version, Unknown)


def test_a_file_written_this_moment_has_a_version_of_that_moment():
    assert version(A, now=10**12 + 1) not in {version(A, now=10**12 + 2), version(A)}
    assert version(A, now=10**12 + RACY_NS) == version(A)
    assert file_guard(FileStats((A,), 10**12 + 1)) is None


def test_a_guard_needs_its_files():
    assert file_guard(FileStats(())) is None
    assert file_guard(Failed("gone")) is None
    assert file_guard(FileStats((A,))) != file_guard(FileStats((A, FileStat("/a.wal", 1, 1))))


@pytest.mark.parametrize(
    ("path", "remote"),
    [
        ("s3://b/x", True),
        ("https://h/x", True),
        ("md:db", True),
        ("/x/y.csv", False),
        ("C:\\x.csv", False),
        ("file:///x", False),
        ("x*.csv", False),
    ],
)
def test_paths_that_lead_off_this_machine_are_told_apart(path, remote):
    assert is_remote(path) is remote


def test_local_files_are_asked_of_the_machine_and_remote_ones_of_the_engine():
    local, remote = ask_files(["s3://b/it's.csv", "file:///x.csv"])
    assert local == AskFiles(("/x.csv",), RACY_NS)
    assert isinstance(remote, AskSql)
    assert "'s3://b/it''s.csv'" in remote.sql


@pytest.mark.parametrize(
    ("rows", "known"),
    [
        ((("t:s3://b/x", "t:10", "t:2026-01-01 10:00:00"),), True),
        ((("t:s3://b/x", "t:10", "n:"),), False),
        ((("t:h", "t:1", "t:1970-01-01 00:00:00+00"),), False),
        ((), False),
    ],
)
def test_remote_files_count_only_if_their_time_is_told(rows, known):
    asks = ask_files(["s3://b/x"])
    found = files_token(asks, [Rows(("c1", "c2", "c3"), rows)])
    assert isinstance(found.version, Known) is known


def test_remote_times_count_in_coarse_ticks():
    asks = ask_files(["s3://b/x"])
    rows = (("t:s3://b/x", "t:10", "t:2026-01-01 10:00:00"),)
    assert not files_token(asks, [Rows((), rows)]).local
