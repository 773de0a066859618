"""A state that was exported and imported is the same state, whichever databases it came from and went to."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, MetaData, Table, create_engine, delete, insert, select, text
from tests.conformance.store.examples import (
    ALICE,
    BOB,
    CUSTOMERS,
    ORDERS,
    TTL,
    FakeClock,
    announced,
    built,
    granted,
    recorded_test,
    run_of,
    trace_of,
    verdict_on,
)

from afresh.core.trace import AttemptState
from afresh.errors import UsageError
from afresh.store import ProbeMemo, RunOutcome, RunStatus, StateStore, check, open_store
from afresh.store.dump import DumpHead, DumpWriter
from afresh.store.exporting import MOVED
from afresh.store.migrating import upgrade
from afresh.store.schema import HEAD


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the state goes to."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/other.db"
    make: Callable[[], Any] = request.getfixturevalue("make_postgres")
    return str(make().url)


@pytest.fixture
def other(other_url: str, clock: FakeClock) -> Iterator[StateStore]:
    with open_store(other_url, clock=clock) as opened:
        yield opened


def fill(store: StateStore, clock: FakeClock) -> None:
    """Something in every table, and numbers that were given to rows that are gone."""
    for run_id in ("r0", "r1", "r2"):
        store.begin_run(run_of(run_id, command=f"afresh build --vars 'ü: {run_id}'"))
        clock.advance(seconds=1)
    built(store)
    recorded_test(store, trace_of(CUSTOMERS, "b2"), compiled="select 1", depfile=b"\x00\xff")
    store.record_decisions("r1", [verdict_on(), verdict_on("Model.B", key=None)])
    store.record_decisions("r2", [verdict_on(decision="build")])
    store.invalidate([CUSTOMERS], "ada", "why not")
    store.remember_probes({"file:ä": ProbeMemo("g", "t", clock.time), "file:Z": ProbeMemo("g", "t", clock.time)})
    store.record_event("r1", "node_waits", '{"node": "a"}')
    store.end_run("r1", RunOutcome(RunStatus.SUCCESS, built=2, saved_seconds=0.1))
    announced(store, granted(store, CUSTOMERS, BOB))
    clock.advance(days=2)
    store.begin_run(run_of("r3"))
    store.record_decisions("r3", [verdict_on(), verdict_on("model.shop.customers", key=CUSTOMERS)])
    store.prune(timedelta(days=1))
    store.begin_run(run_of("r4"))


def exported(store: StateStore, **options: bool) -> bytes:
    out = io.BytesIO()
    store.export(out, shown="a file", afresh="0.1.0", **options)
    return out.getvalue()


def written(content: bytes, tmp_path: Path) -> Path:
    file = tmp_path / "state.jsonl"
    file.write_bytes(content)
    return file


def imported(store: StateStore, content: bytes, tmp_path: Path, **options: bool) -> None:
    store.import_(written(content, tmp_path), shown="state.jsonl", **options)


# --- the same state ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_the_export_of_a_copy_equals_the_export_of_the_original(
    store: StateStore, other: StateStore, clock: FakeClock, tmp_path: Path, packed: bool
) -> None:
    fill(store, clock)
    original = exported(store, packed=packed)
    imported(other, original, tmp_path)

    assert exported(other, packed=packed) == original
    assert (gzip.decompress(original) if packed else original).count(b"\n") > len(MOVED) + 10
    assert other.secrets_key() == store.secrets_key()
    assert other.runs() == store.runs()
    assert other.last_decisions() == store.last_decisions()
    assert other.snapshot([ORDERS, CUSTOMERS]) == store.snapshot([ORDERS, CUSTOMERS])
    assert other.snapshot([CUSTOMERS]).cut_off == {CUSTOMERS: {"run-bob"}}


def test_numbers_and_terms_go_on_where_they_were(store: StateStore, other: StateStore, clock: FakeClock, tmp_path: Path) -> None:
    fill(store, clock)
    imported(other, exported(store), tmp_path)

    numbers = [opened.begin_run(run_of("r5")).number for opened in (store, other)]
    assert numbers == [6, 6]
    assert granted(other, CUSTOMERS).term == granted(store, CUSTOMERS).term == 2
    other.taint(ORDERS, detail="", run_id="r5")
    store.taint(ORDERS, detail="", run_id="r5")
    assert other.snapshot([ORDERS]).marks == store.snapshot([ORDERS]).marks


# What databases sort and quote in their own ways.
hard_text = st.text("aAzZ0 _~-.'\"\\\n\täßé\u0301\ufeff\u4e2d\U0001f600", max_size=6)


def _values_of(column: Any) -> st.SearchStrategy[Any]:
    kind = column.type
    if isinstance(kind, LargeBinary):
        plain: st.SearchStrategy[Any] = st.binary(max_size=20)
    elif isinstance(kind, Boolean):
        plain = st.booleans()
    elif isinstance(kind, Float):
        plain = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)  # SQLite knows no negative zero
    elif isinstance(kind, BigInteger):
        plain = st.integers(1, 2**40) if column.primary_key else st.integers(0, 2**40)
    elif isinstance(kind, Integer):
        plain = st.integers(0, 2**31 - 1)
    else:
        plain = hard_text
    return st.none() | plain if column.nullable and not column.primary_key else plain


def _rows_of(table: Table) -> st.SearchStrategy[list[dict[str, Any]]]:
    (key,) = table.primary_key.columns
    row = st.fixed_dictionaries({column.name: _values_of(column) for column in table.columns})
    return st.lists(row, max_size=3, unique_by=lambda one: one[key.name])


contents = st.fixed_dictionaries({name: _rows_of(table) for name, table in MOVED.items()})


def _put(store: StateStore, rows: dict[str, list[dict[str, Any]]]) -> None:
    def work(tx: Any) -> None:
        for name, table in MOVED.items():
            tx.conn.execute(delete(table))
            for row in rows.get(name, ()):
                once = {"run_id": f"{row['run_id']}-{row['number']}"} if name == "afresh_runs" else {}
                tx.conn.execute(insert(table), {**row, **once})

    store._db.write(work)


@given(rows=contents)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_a_state_holds_comes_out_of_a_copy_byte_for_byte(
    store: StateStore, other: StateStore, tmp_path: Path, rows: dict[str, list[dict[str, Any]]]
) -> None:
    _put(store, rows)
    _put(other, {})
    original = exported(store)
    imported(other, original, tmp_path)

    assert exported(other) == original


# --- runs at work -----------------------------------------------------------------------------------------------------


def test_nothing_is_exported_while_a_run_is_at_work_unless_that_is_allowed(store: StateStore, clock: FakeClock) -> None:
    built(store)
    store.begin_run(run_of("r1"), alive_for=TTL)
    with pytest.raises(UsageError, match="run r1 is at work"):
        exported(store)
    lease = granted(store, ORDERS, ALICE)
    with pytest.raises(UsageError, match=r"2 runs are at work \(r1, run-alice\)"):
        exported(store)
    store.release(lease)
    store.end_run("r1", RunOutcome(RunStatus.SUCCESS))
    assert exported(store)


def test_a_run_that_went_silent_is_not_at_work(store: StateStore, clock: FakeClock) -> None:
    store.begin_run(run_of("r1"), alive_for=TTL)
    store.begin_run(run_of("r2"), alive_for=TTL)
    clock.advance(seconds=20)
    store.say_alive("r2", TTL)
    assert store.runs_at_work() == ("r1", "r2")
    clock.advance(seconds=20)
    assert store.runs_at_work() == ("r2",)
    store.end_run("r2", RunOutcome(RunStatus.SUCCESS))
    store.say_alive("r2", TTL)  # a message that was on its way
    assert store.runs_at_work() == ()


def test_what_was_being_built_at_the_export_is_an_interruption_in_the_copy(
    store: StateStore, other: StateStore, clock: FakeClock, tmp_path: Path
) -> None:
    built(store)
    announced(store, granted(store, ORDERS, BOB))
    imported(other, exported(store, allow_running=True), tmp_path)

    seen = other.snapshot([ORDERS])
    assert (seen.held, seen.building) == ({}, frozenset())
    assert seen.attempts[ORDERS].state is AttemptState.INTERRUPTED
    assert granted(other, ORDERS).term == 3


@pytest.mark.parametrize("replace", [False, True])
def test_nothing_is_imported_while_a_run_is_at_work(
    store: StateStore, other: StateStore, clock: FakeClock, tmp_path: Path, replace: bool
) -> None:
    fill(store, clock)
    other.begin_run(run_of("r9"), alive_for=TTL)
    before = exported(other, allow_running=True)
    with pytest.raises(UsageError, match="run r9 is at work"):
        imported(other, exported(store), tmp_path, replace=replace)
    assert exported(other, allow_running=True) == before


# --- a state that is there already ------------------------------------------------------------------------------------


def test_a_state_that_is_there_is_replaced_only_when_told_to(
    store: StateStore, other: StateStore, clock: FakeClock, tmp_path: Path
) -> None:
    fill(store, clock)
    other.begin_run(run_of("x"))
    before = exported(other)
    with pytest.raises(UsageError, match=r"there is a state already \(1 runs, 0 traces\)"):
        imported(other, exported(store), tmp_path)
    assert exported(other) == before
    imported(other, exported(store), tmp_path, replace=True)
    assert exported(other) == exported(store)


def test_an_old_copy_does_not_speak_for_what_was_built_since(store: StateStore, clock: FakeClock, tmp_path: Path) -> None:
    fill(store, clock)
    before = store.snapshot([ORDERS, CUSTOMERS])
    copy = exported(store)
    clock.advance(hours=1)
    one_run(store, clock, "r9")
    imported(store, copy, tmp_path, replace=True)

    seen = store.snapshot([ORDERS, CUSTOMERS])
    assert seen.traces == before.traces
    assert seen.attempts[ORDERS].state is AttemptState.TAINTED
    assert "did not know what had happened" in seen.attempts[ORDERS].detail
    assert seen.attempts[CUSTOMERS] == before.attempts[CUSTOMERS]
    assert granted(store).term == 3


@pytest.mark.parametrize("state", [AttemptState.FAILED, AttemptState.TAINTED])
def test_an_old_copy_does_not_forget_what_stands_against_a_relation(
    store: StateStore, clock: FakeClock, tmp_path: Path, state: AttemptState
) -> None:
    built(store)
    built(store, CUSTOMERS)
    copy = exported(store)
    store.begin_run(run_of("r"))
    store.taint(ORDERS, detail="half a table", run_id="r", state=state)
    store.release(granted(store, CUSTOMERS))
    imported(store, copy, tmp_path, replace=True)

    assert set(store.snapshot([ORDERS, CUSTOMERS]).attempts) == {ORDERS}
    assert granted(store, CUSTOMERS).term == 3


def test_an_old_copy_does_not_bring_back_what_was_forgotten_since(store: StateStore, clock: FakeClock, tmp_path: Path) -> None:
    built(store)
    built(store, CUSTOMERS)
    copy = exported(store)
    store.begin_run(run_of("r1"))
    store.forget([ORDERS])
    imported(store, copy, tmp_path, replace=True)

    assert set(store.snapshot([ORDERS, CUSTOMERS]).attempts) == {ORDERS}


def test_what_a_hook_wrote_after_the_copy_is_not_forgotten(store: StateStore, clock: FakeClock, tmp_path: Path) -> None:
    trace = built(store)
    copy = exported(store)
    store.begin_run(run_of("r1"))
    assert store.settle(ORDERS, trace.build_id, outside_token=None, output_version="written by a hook")
    imported(store, copy, tmp_path, replace=True)

    assert set(store.snapshot([ORDERS]).attempts) == {ORDERS}


def test_another_state_that_never_saw_a_relation_says_nothing_of_it(
    store: StateStore, other: StateStore, clock: FakeClock, tmp_path: Path
) -> None:
    built(store)
    built(store, CUSTOMERS)
    other.begin_run(run_of("r9"))
    built(other)
    imported(other, exported(store), tmp_path, replace=True)

    assert set(other.snapshot([ORDERS, CUSTOMERS]).attempts) == {ORDERS}


def one_run(store: StateStore, clock: FakeClock, run_id: str) -> None:
    """A run from its beginning to its end that builds one relation."""
    store.begin_run(run_of(run_id))
    built(store)
    clock.advance(hours=1)
    store.end_run(run_id, RunOutcome(RunStatus.SUCCESS))


def test_a_state_that_comes_back_newer_than_it_went_is_believed(
    store: StateStore, other: StateStore, clock: FakeClock, tmp_path: Path
) -> None:
    one_run(store, clock, "r1")
    store.invalidate([CUSTOMERS], "ada")
    imported(other, exported(store), tmp_path)
    one_run(other, clock, "r2")
    built(other, CUSTOMERS)
    newer = exported(other)
    imported(store, newer, tmp_path, replace=True)
    assert store.snapshot([ORDERS]) == other.snapshot([ORDERS])
    assert set(store.snapshot([CUSTOMERS]).attempts) == {CUSTOMERS}  # whoever asked for a build gets one


@pytest.mark.parametrize("is_ended", [False, True])
def test_a_state_that_has_gone_on_by_itself_meanwhile_is_heard(
    store: StateStore, other: StateStore, clock: FakeClock, tmp_path: Path, is_ended: bool
) -> None:
    one_run(store, clock, "r1")
    store.begin_run(run_of("r2"))
    imported(other, exported(store), tmp_path)
    built(store)
    if is_ended:
        store.end_run("r2", RunOutcome(RunStatus.SUCCESS))
    one_run(other, clock, "r3")
    imported(store, exported(other), tmp_path, replace=True)

    assert store.snapshot([ORDERS]).attempts[ORDERS].state is AttemptState.TAINTED


def test_a_copy_that_nobody_can_vouch_for_makes_everything_due(
    store: StateStore, other: StateStore, clock: FakeClock, tmp_path: Path
) -> None:
    fill(store, clock)
    imported(other, exported(store), tmp_path, invalidate=True)

    assert other.snapshot([ORDERS]).invalidations[ORDERS].by == "afresh state import"
    built(other)
    assert other.snapshot([ORDERS]).invalidations == {}


# --- files of other releases ------------------------------------------------------------------------------------------


def _first_schema(folder: Path) -> bytes:
    """What the first schema would have exported."""
    engine, tables, out = create_engine(f"sqlite:///{folder}/first.db"), MetaData(), io.BytesIO()
    with engine.begin() as conn:
        upgrade(conn, "0001")
        conn.execute(text("INSERT INTO afresh_runs (number, run_id, scheduled_at, started_at, status) VALUES (4, 'r4', 1, 1, 'success')"))
        conn.execute(text("INSERT INTO afresh_leases (key, term, since) VALUES (:key, 7, 1)"), {"key": ORDERS})
        conn.execute(text("INSERT INTO afresh_blobs (digest, content, touched_at) VALUES ('d', :content, 1)"), {"content": b"\x00"})
        tables.reflect(conn)
        rows = {name: [list(row) for row in conn.execute(select(table))] for name, table in tables.tables.items() if "schema" not in name}
        writer = DumpWriter(out, DumpHead("0001", "0.0.9", "", {name: len(rows[name]) for name in rows}, {"afresh_runs": 9}))
        for name, found in rows.items():
            writer.table(name, [column.name for column in tables.tables[name].columns])
            for row in found:
                writer.row([base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in row])
        writer.close()
    engine.dispose()
    return out.getvalue()


def test_a_file_of_an_earlier_release_is_migrated_on_its_way(store: StateStore, tmp_path: Path) -> None:
    imported(store, _first_schema(tmp_path), tmp_path)

    assert [run.record.run_id for run in store.runs()] == ["r4"]
    assert granted(store).term == 8
    assert store.begin_run(run_of("r10")).number == 10
    assert len(store.secrets_key()) == 64


def _changed(content: bytes, **head: object) -> bytes:
    first, _, rest = content.partition(b"\n")
    return json.dumps({**json.loads(first), **head}).encode() + b"\n" + rest


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda _: b"", "this is no exported state"),
        (lambda _: b"name: shop\n", "this is no exported state"),
        (lambda _: b'{"nodes": []}\n', "this is no exported state"),
        (lambda whole: _changed(whole, version=2), "has format 2, and this version of Afresh reads format 1.*Upgrade Afresh"),
        (lambda whole: _changed(whole, schema="0999"), f"has schema 0999, and this version of Afresh knows schemas up to {HEAD}"),
        (lambda whole: _changed(whole, rows=3), "line 1 cannot be right"),
        (lambda whole: _changed(whole, afresh="0.2"), "does not fit its checksum"),
        (lambda whole: whole[:-100], "line [0-9]+ is cut short"),
        (lambda whole: b"".join(whole.splitlines(keepends=True)[:-1]), "it was cut short"),
        (lambda whole: b"".join(whole.splitlines(keepends=True)[:-4]), "it was cut short"),
        (lambda whole: whole.replace(b'"ada"', b'"bob"'), "does not fit its checksum"),
        (lambda whole: whole.replace(b"\n[", b"\n{", 1), "line 3 cannot be right"),
        (lambda whole: whole + whole, "cannot be right"),
        (lambda whole: gzip.compress(whole)[:-20], "cannot be read further"),
        (lambda whole: gzip.compress(whole)[:-8] + bytes(8), "cannot be read further"),
    ],
)
def test_a_file_that_is_not_whole_or_not_ours_changes_nothing(
    store: StateStore, clock: FakeClock, tmp_path: Path, spoil: Callable[[bytes], bytes], told: str
) -> None:
    fill(store, clock)
    before = exported(store)
    spoiled = spoil(before)
    for use in (
        lambda: check(written(spoiled, tmp_path), "state.jsonl"),
        lambda: imported(store, spoiled, tmp_path, replace=True),
    ):
        with pytest.raises(UsageError, match=f"(?s)state.jsonl.*{told}"):
            use()
    assert exported(store) == before


def _with_row(change: Callable[[list[Any]], list[Any]]) -> bytes:
    """A file whose checksum is right and whose only row is not."""
    out = io.BytesIO()
    writer = DumpWriter(out, DumpHead(HEAD, "0.1.0", "k", {"afresh_blobs": 1}, {}))
    writer.table("afresh_blobs", ["digest", "content", "touched_at"])
    writer.row(change(["d", "AA==", 1]))
    writer.close()
    return out.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row[:2],
        lambda _: ["d", "no base64!", 1],
        lambda _: [None, "AA==", 1],
        lambda _: ["d", "AA==", "1"],
        lambda _: ["d", "AA==", True],
        lambda _: [7, "AA==", 1],
    ],
)
def test_a_row_that_does_not_fit_its_table_is_refused(store: StateStore, tmp_path: Path, change: Callable[[list[Any]], list[Any]]) -> None:
    with pytest.raises(UsageError, match="does not fit its table"):
        imported(store, _with_row(change), tmp_path)
    imported(store, _with_row(lambda row: row), tmp_path)
