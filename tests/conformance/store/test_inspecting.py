"""What a state is like from outside is told the same on every database, and nothing is made by looking."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from tests.conformance.store.examples import built, run_of

from afresh.store import inspect_state, open_store
from afresh.store.schema import HEAD
from support.postgres import PostgresDatabase


def test_where_there_is_none_yet_that_is_told_and_none_is_made(url: str, tmp_path: Path) -> None:
    for _ in range(2):
        facts = inspect_state(url)
        assert (facts.revision, facts.newest, facts.runs, facts.size, facts.not_writable) == (None, HEAD, 0, 0, None)
    assert list(tmp_path.iterdir()) == []


def test_its_schema_its_size_and_what_it_holds_are_told(url: str) -> None:
    with open_store(url) as store:
        store.begin_run(run_of("run-alice"))
        built(store)
        facts = inspect_state(url)
        assert (facts.place, facts.revision, facts.runs, facts.traces) == (store.place, HEAD, 1, 1)
    assert facts.size > 10_000
    assert facts.not_writable is None


def test_who_may_not_write_into_the_tables_is_told_so(postgres: PostgresDatabase) -> None:
    open_store(postgres.url).close()
    reader = f"reader_{postgres.name}"
    postgres.execute(f"create role {reader} login", f"grant select on all tables in schema public to {reader}")
    try:
        facts = inspect_state(make_url(postgres.url).set(username=reader).render_as_string(hide_password=False))
        assert facts.revision == HEAD
        assert facts.not_writable == "this user may not insert into its tables"
    finally:
        postgres.execute(f"drop owned by {reader}", f"drop role {reader}")


@pytest.mark.parametrize("closed", ["state.db", "."])
def test_a_file_that_this_user_may_not_write_is_told_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    open_store(url).close()
    place, may = (tmp_path / closed).resolve(), os.access

    def access(path: os.PathLike[str], mode: int, **more: bool) -> bool:
        return False if mode == os.W_OK and Path(path) == place and not more else may(path, mode, **more)

    monkeypatch.setattr(os, "access", access)  # who runs the tests may be root, who may write everywhere
    assert inspect_state(url).not_writable == f"this user may not write {place}"
