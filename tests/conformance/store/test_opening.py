"""Opening, migrating and reading a state means the same on every database."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Connection
from tests.conformance.store.examples import ALICE, BOB, ORDERS, TTL, built, granted, recorded_test, run_of, trace_of

from afresh.core.trace import AttemptState
from afresh.errors import StateUnavailableError
from afresh.store import StateStore, awaits_migration, open_store
from afresh.store.codec import pack
from afresh.store.migrating import revisions, upgrade
from afresh.store.schema import HEAD, METADATA


def run_sql(url: str, statement: str, **parameters: Any) -> None:
    engine = create_engine(url)
    with engine.begin() as conn:
        conn.execute(text(statement), parameters)
    engine.dispose()


def schema_of(conn: Connection) -> dict[str, Any]:
    """Everything the database knows of the tables, in the words of its own catalogue."""
    if conn.dialect.name == "sqlite":
        made = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return {
            name: re.sub(r"\s*([,()])\s*", r"\1", " ".join(sql.split())) for name, sql in made
        }  # a column that was added has other spaces
    seen = inspect(conn)
    tables: dict[str, Any] = {
        name: ([{**column, "type": str(column["type"])} for column in seen.get_columns(name)], seen.get_unique_constraints(name))
        for name in seen.get_table_names()
    }
    indexes = conn.execute(text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"))
    return tables | {row.indexname: row.indexdef for row in indexes}


def test_a_fresh_schema_equals_a_migrated_one(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as conn:
        METADATA.create_all(conn)
        fresh = schema_of(conn)
        METADATA.drop_all(conn)
        upgrade(conn)
        migrated = schema_of(conn)
    engine.dispose()
    assert fresh == migrated
    assert set(fresh) > set(METADATA.tables)


def test_the_declared_head_is_the_last_migration() -> None:
    assert revisions()[-1] == HEAD


def test_a_schema_that_migrations_made_is_opened_as_it_is(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as conn:
        upgrade(conn)
    engine.dispose()
    with open_store(url) as store:
        built(store)
        assert ORDERS in store.snapshot([ORDERS]).traces


def make_first_schema(url: str) -> None:
    """A state as the first schema had it, with one run in it."""
    engine = create_engine(url)
    with engine.begin() as conn:
        upgrade(conn, "0001")
        conn.execute(text("INSERT INTO afresh_runs (run_id, scheduled_at, started_at, status) VALUES ('r1', 1, 1, 'success')"))
    engine.dispose()


def test_an_older_schema_is_migrated_when_it_is_opened(url: str) -> None:
    make_first_schema(url)
    with open_store(url) as store:
        assert store.run("r1") is not None
        assert len(store.secrets_key()) == 64
        built(store)
    with open_store(url, read_only=True) as store:
        assert ORDERS in store.snapshot([ORDERS]).traces


def test_a_decision_of_an_older_schema_is_read_without_what_nobody_recorded_then(url: str) -> None:
    make_first_schema(url)
    run_sql(
        url,
        "INSERT INTO afresh_decisions (node, decision, reasons, verdict, runs, first_run, last_run, first_at, last_at, count, newest)"
        " VALUES ('model.shop.a', 'build', :reasons, 'v', '1', 1, 1, 1, 1, 1, :newest)",
        reasons=pack("[]"),
        newest=True,
    )
    with open_store(url) as store:
        (record,) = store.last_decisions()
    assert (record.row.policy, record.row.waited_seconds, record.last_run) == (None, 0.0, "r1")


def test_what_was_written_is_there_when_it_is_opened_again(url: str) -> None:
    with open_store(url) as store:
        trace = built(store)
    with open_store(url) as store:
        assert store.snapshot([ORDERS]).traces == {ORDERS: trace}


def test_many_that_open_at_once_find_one_schema(url: str) -> None:
    def open_and_write(number: int) -> int:
        with open_store(url) as store:
            return store.begin_run(run_of(f"r{number}")).number

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(open_and_write, range(16)))
    assert sorted(numbers) == list(range(1, 17))


def test_a_schema_of_a_later_release_is_refused_with_both_versions(url: str) -> None:
    open_store(url).close()
    run_sql(url, "UPDATE afresh_schema_version SET version_num = '0999'")
    for read_only in (False, True):
        with pytest.raises(StateUnavailableError) as refused:
            open_store(url, read_only=read_only)
        assert f"has schema 0999, and this version of Afresh knows schemas up to {HEAD}" in str(refused.value)
        assert "Upgrade Afresh" in str(refused.value)
        assert "unused@" not in str(refused.value)


def test_an_older_schema_is_not_read_without_a_migration(url: str) -> None:
    make_first_schema(url)
    with pytest.raises(
        StateUnavailableError, match=rf"must be migrated to {HEAD} first\n  `afresh state migrate` does that, and so does any build"
    ):
        open_store(url, read_only=True)


def test_whether_a_migration_is_due_is_told_without_a_change(url: str) -> None:
    assert awaits_migration(url) is None
    make_first_schema(url)
    assert [awaits_migration(url), awaits_migration(url)] == ["0001", "0001"]
    open_store(url).close()
    assert awaits_migration(url) is None
    run_sql(url, "UPDATE afresh_schema_version SET version_num = '0999'")
    with pytest.raises(StateUnavailableError, match="Upgrade Afresh"):
        awaits_migration(url)


def test_every_state_has_a_key_of_its_own_and_keeps_it(url: str, tmp_path: Path) -> None:
    keys = []
    for place in (url, url, f"sqlite:///{tmp_path}/another.db"):
        with open_store(place) as store:
            keys.append(store.secrets_key())
    assert keys[0] == keys[1] != keys[2]
    assert {len(key) for key in keys} == {64}
    with open_store(f"sqlite:///{tmp_path}/none.db", read_only=True) as store:
        assert store.secrets_key() == ""


def test_reading_where_there_is_no_state_finds_nothing_and_makes_nothing(url: str) -> None:
    with open_store(url, read_only=True) as store:
        assert store.snapshot([ORDERS]).traces == {}
        assert (store.runs(), store.last_decisions(), store.held_leases(), store.recorded()) == ((), (), (), {})
        assert store.now().tzinfo is not None
    engine = create_engine(url)
    with engine.connect() as conn:
        assert inspect(conn).get_table_names() == []
    engine.dispose()


def test_a_store_for_reading_reads_what_is_there_and_writes_nothing(url: str) -> None:
    with open_store(url) as store:
        trace = built(store)
        with open_store(url, read_only=True) as reader:
            assert reader.snapshot([ORDERS]).traces == {ORDERS: trace}
            for write in (lambda: reader.acquire(ORDERS, ALICE, TTL), lambda: reader.taint(ORDERS, detail="", run_id="r")):
                with pytest.raises(StateUnavailableError, match="opened for reading only"):
                    write()
            granted(store, holder=BOB)
            assert reader.snapshot([ORDERS]).held[ORDERS].holder == BOB


def test_the_databases_clock_is_in_utc_and_goes_forward(url: str) -> None:
    with open_store(url) as store:
        first, second = store.now(), store.now()
    assert first.tzinfo is timezone.utc
    assert first <= second
    assert abs(first - datetime.now(timezone.utc)) < timedelta(minutes=5)


def test_leases_live_and_expire_by_the_databases_own_clock(url: str) -> None:
    with open_store(url) as store:
        lease = granted(store, ttl=timedelta(hours=1))
        assert store.held_leases()[0].expires_at == lease.expires_at > store.now()
        assert store.renew([lease], timedelta(0)) == frozenset()
        assert granted(store, holder=BOB).term == 2


def test_a_trace_whose_bytes_are_damaged_is_a_taint_that_says_so(url: str) -> None:
    with open_store(url) as store:
        built(store)
        run_sql(url, "UPDATE afresh_traces SET body = :body", body=b"rubbish")
        seen = store.snapshot([ORDERS])
        assert seen.traces == {}
        assert seen.attempts[ORDERS].state is AttemptState.TAINTED
        assert "cannot be read" in seen.attempts[ORDERS].detail
        assert not store.settle(ORDERS, "build", outside_token="t")
        built(store)
        assert ORDERS in store.snapshot([ORDERS]).traces


def test_content_that_is_damaged_is_not_there(url: str) -> None:
    with open_store(url) as store:
        digest = store.put_blob("select 1")
        run_sql(url, "UPDATE afresh_blobs SET content = :content", content=b"rubbish")
        assert store.get_blobs([digest]) == {}


def test_a_table_that_somebody_dropped_is_one_clear_error(url: str) -> None:
    with open_store(url) as store:
        run_sql(url, "DROP TABLE afresh_traces")
        with pytest.raises(StateUnavailableError, match=r"cannot be used: .*afresh_traces") as refused:
            store.snapshot([ORDERS])
    assert "\n" not in refused.value.what


def test_a_value_that_the_database_refuses_is_our_bug(store: StateStore) -> None:
    store.begin_run(run_of("r1"))
    with pytest.raises(Exception, match="refused a value") as refused:
        store.begin_run(run_of("r1"))
    assert type(refused.value).__name__ == "InternalError"


def test_a_write_that_fails_half_way_leaves_nothing(store: StateStore) -> None:
    def work(tx: Any) -> None:
        tx.conn.execute(text("UPDATE afresh_schema_version SET version_num = 'x'"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store._db.write(work)
    assert store._db.read(lambda tx: tx.conn.execute(text("SELECT version_num FROM afresh_schema_version")).scalar()) == HEAD
    recorded_test(store, trace_of())


def test_a_folder_that_is_made_for_a_state_keeps_itself_out_of_git_and_others_are_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for folder in (tmp_path / "new" / "deep", theirs):
        open_store(f"sqlite:///{folder}/state.db").close()
    assert (tmp_path / "new" / "deep" / ".gitignore").read_text().splitlines()[-1] == "*"
    assert not (tmp_path / "new" / ".gitignore").exists()
    assert not (theirs / ".gitignore").exists()
