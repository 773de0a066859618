"""Runs, verdicts, durations, content, memos and events mean the same on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from tests.conformance.store.examples import (
    ALICE,
    BOB,
    CUSTOMERS,
    ORDERS,
    START,
    FakeClock,
    announced,
    built,
    granted,
    key_of,
    recorded_test,
    run_of,
    trace_of,
    verdict_on,
)

from afresh.core.trace import AttemptState
from afresh.errors import InternalError
from afresh.store import EventRecord, ProbeMemo, Pruned, RunOutcome, RunStatus, StateStore, blobs
from afresh.store import events as event_table

DAY = timedelta(days=1)


def decide_in(store: StateStore, run_id: str, *rows: object) -> None:
    if store.run(run_id) is None:
        store.begin_run(run_of(run_id))
    store.record_decisions(run_id, rows)  # type: ignore[arg-type]


# --- runs -------------------------------------------------------------------------------------------------------------


def test_a_run_that_nobody_scheduled_counts_from_its_start(store: StateStore) -> None:
    run = store.begin_run(run_of("r1"))
    assert (run.number, run.scheduled_at, run.started_at, run.finished_at) == (1, START, START, None)
    assert run.outcome == RunOutcome(RunStatus.RUNNING)
    assert store.run("r1") == run


def test_a_run_is_read_back_as_it_was_written(store: StateStore, clock: FakeClock) -> None:
    record = run_of(
        "r1", command="afresh build --vars '{a: \udc80\0}'", host="etl-1", pid=7, job="hourly", scheduled_at=START - timedelta(minutes=1),
        afresh_version="0.1", dbt_version="1.11", adapter_version="1.10",
    )  # fmt: skip
    store.begin_run(record)
    clock.advance(seconds=9)
    outcome = RunOutcome(RunStatus.ERROR, 1, 2, 3, 4, 5, 6, 0.5, 192.25)
    store.end_run("r1", outcome)
    run = store.run("r1")
    assert run is not None
    assert run.record == replace(record, command="afresh build --vars '{a: ?\N{REPLACEMENT CHARACTER}}'")
    assert (run.scheduled_at, run.started_at, run.finished_at) == (record.scheduled_at, START, START + timedelta(seconds=9))
    assert run.outcome == outcome


def test_runs_are_listed_newest_first(store: StateStore) -> None:
    for run_id in ("r1", "r2", "r3"):
        store.begin_run(run_of(run_id))
    assert [run.record.run_id for run in store.runs(2)] == ["r3", "r2"]


def test_a_run_that_was_never_begun_is_not_there(store: StateStore) -> None:
    assert store.run("r1") is None
    assert store.runs() == ()


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_verdict_is_read_back_as_it_was_written(store: StateStore) -> None:
    row = verdict_on(
        due_at=START + DAY,
        waiting_on=("model.shop.a", "model.shop.b"),
        lag_bound_seconds=3600.0,
        execution_time=1.5,
        policy='[["max_age","1d","models/a.sql:3"]]',
        waited_seconds=16.25,
    )
    test = verdict_on("exposure.shop.e", key=None, confidence=None, status=None)
    decide_in(store, "r1", row, test)
    found = {record.row.node: record for record in store.last_decisions()}
    assert {record.row for record in found.values()} == {row, test}
    record = found["model.shop.orders"]
    assert (record.first_run, record.last_run, record.first_at, record.last_at, record.count) == ("r1", "r1", START, START, 1)


def test_an_unchanged_verdict_that_repeats_is_one_row(store: StateStore, clock: FakeClock) -> None:
    for run_id in ("r1", "r2", "r3"):
        decide_in(store, run_id, verdict_on())
        clock.advance(hours=1)
    (record,) = store.last_decisions(["model.shop.orders"], limit=10)
    assert (record.first_run, record.last_run, record.count) == ("r1", "r3", 3)
    assert (record.first_at, record.last_at) == (START, START + timedelta(hours=2))


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "build"},
        {"confidence": "tolerated"},
        {"reasons": "[]"},
        {"status": "error"},
        {"execution_time": 0.1},
        {"policy": "[]"},
        {"waited_seconds": 0.1},
        {"key": CUSTOMERS},
    ],
    ids=str,
)
def test_a_verdict_that_differs_is_a_row_of_its_own(store: StateStore, change: dict[str, object]) -> None:
    decide_in(store, "r1", verdict_on())
    decide_in(store, "r2", verdict_on(**change))
    counts = [record.count for record in store.last_decisions(["model.shop.orders"], limit=10)]
    assert counts == [1, 1]


def test_what_a_run_decided_is_found_in_the_row_that_other_runs_share(store: StateStore) -> None:
    decide_in(store, "r1", verdict_on())
    decide_in(store, "r2", verdict_on("model.shop.other", key=CUSTOMERS))
    decide_in(store, "r3", verdict_on())
    decide_in(store, "r4", verdict_on(decision="build"))
    decide_in(store, "r5", verdict_on())

    def decided(run_id: str) -> list[tuple[str, str]]:
        return [(record.row.node, record.row.decision) for record in store.last_decisions(run_id=run_id)]

    assert decided("r1") == decided("r3") == decided("r5") == [("model.shop.orders", "reuse")]
    assert decided("r2") == [("model.shop.other", "reuse")]
    assert decided("r4") == [("model.shop.orders", "build")]
    assert store.last_decisions(run_id="r9") == ()
    assert store.last_decisions(["model.shop.orders"], run_id="r2") == ()


def test_the_last_verdict_of_every_node_is_found_newest_first(store: StateStore) -> None:
    decide_in(store, "r1", verdict_on("a", key=None), verdict_on("b", key=None))
    decide_in(store, "r2", verdict_on("a", key=None, decision="build"))
    found = [(record.row.node, record.row.decision) for record in store.last_decisions()]
    assert found == [("a", "build"), ("b", "reuse")]
    assert [record.row.decision for record in store.last_decisions(["a"], limit=2)] == ["build", "reuse"]


def test_verdicts_on_one_node_in_two_targets_stand_side_by_side(store: StateStore) -> None:
    store.begin_run(run_of("r1", target="prod"))
    store.begin_run(run_of("r2", target="dev"))
    store.record_decisions("r1", [verdict_on()])
    store.record_decisions("r2", [verdict_on(key=CUSTOMERS)])
    assert len(store.last_decisions(["model.shop.orders"])) == 2
    (of_prod,) = store.last_decisions(["model.shop.orders"], target=("shop", "prod"))
    assert of_prod.row.key == ORDERS
    assert store.last_decisions(target=("another", "prod")) == ()


def test_a_node_that_is_decided_twice_in_a_run_keeps_both_verdicts_in_order(store: StateStore) -> None:
    decide_in(store, "r1", verdict_on(decision="build"), verdict_on())
    assert [record.row.decision for record in store.last_decisions(limit=5)] == ["reuse", "build"]
    decide_in(store, "r2", verdict_on())
    assert store.last_decisions()[0].count == 2


def test_recording_a_verdict_of_the_same_run_again_does_not_count_twice(store: StateStore) -> None:
    decide_in(store, "r1", verdict_on())
    decide_in(store, "r1", verdict_on())
    assert [record.count for record in store.last_decisions(limit=5)] == [1]


def test_a_run_that_ends_after_a_later_one_keeps_its_place(store: StateStore) -> None:
    for run_id in ("r1", "r2"):
        store.begin_run(run_of(run_id))
    decide_in(store, "r2", verdict_on())
    decide_in(store, "r1", verdict_on())
    (record,) = store.last_decisions(limit=5)
    assert (record.last_run, record.count) == ("r2", 2)
    assert len(store.last_decisions(run_id="r1")) == 1


def test_a_verdict_that_alternates_with_other_runs_does_not_grow_without_bound(store: StateStore) -> None:
    for number in range(300):
        decide_in(store, f"r{number}", verdict_on() if number % 2 else verdict_on("other", key=None))
    records = store.last_decisions(["model.shop.orders"], limit=10)
    assert sum(record.count for record in records) == 150
    assert 2 <= len(records) <= 3
    assert len(store.last_decisions(["model.shop.orders"], run_id="r1")) == 1
    assert store.last_decisions(["model.shop.orders"], run_id="r2") == ()


def test_repeating_many_verdicts_takes_no_more_statements_than_repeating_one(store: StateStore) -> None:
    few, many = [verdict_on("alone")], [verdict_on(f"n{number}") for number in range(300)]
    decide_in(store, "r1", *few, *many)
    sent: list[str] = []
    event.listen(store._db.engine, "before_cursor_execute", lambda *about: sent.extend([about[2]] * (len(about[3]) if about[5] else 1)))
    taken = []
    for run_id, rows in (("r2", few), ("r3", many)):
        sent.clear()
        decide_in(store, run_id, *rows)
        taken.append(len(sent))
    assert taken[1] == taken[0] > 0
    assert {record.count for record in store.last_decisions(run_id="r3")} == {2}


def test_verdicts_of_a_run_that_was_never_begun_are_a_bug(store: StateStore) -> None:
    with pytest.raises(InternalError, match="never begun"):
        store.record_decisions("r1", [verdict_on()])


def test_runs_that_record_at_once_leave_one_last_word(store: StateStore) -> None:
    run_ids = [f"r{number}" for number in range(8)]
    for run_id in run_ids:
        store.begin_run(run_of(run_id))
    rows = [verdict_on(f"model.shop.m{number}", key=None) for number in range(50)]
    with ThreadPoolExecutor(len(run_ids)) as pool:
        list(pool.map(lambda run_id: store.record_decisions(run_id, rows), run_ids))
    records = store.last_decisions()
    assert len(records) == 50
    assert {record.count for record in records} == {8}


# --- durations --------------------------------------------------------------------------------------------------------


def test_a_duration_is_the_median_of_the_last_twenty_builds(store: StateStore) -> None:
    for seconds in [1000.0] * 5 + [float(number) for number in range(1, 21)]:
        built(store, execution_seconds=seconds)
    assert store.durations([ORDERS, CUSTOMERS]) == {ORDERS: 10.5}


def test_a_build_that_ended_badly_has_no_duration(store: StateStore) -> None:
    store.close_build(announced(store, granted(store)).build_id, None)
    assert store.durations([ORDERS]) == {}


# --- content ----------------------------------------------------------------------------------------------------------


def test_equal_content_is_kept_once_under_one_digest(store: StateStore) -> None:
    assert store.put_blob("select 1") == store.put_blob(b"select 1") != store.put_blob("select 2")
    assert store.get_blobs([store.put_blob("select 1"), "absent", ""]) == {store.put_blob("select 1"): b"select 1"}


def test_content_that_no_trace_names_is_collected_once_it_is_old(store: StateStore, clock: FakeClock) -> None:
    trace = recorded_test(store, trace_of(), compiled="select 1", depfile=b"depfile")
    stray = store.put_blob("stray")
    recorded_test(store, trace_of(), compiled="select 2", depfile=b"depfile")
    digests = [trace.compiled_digest, trace.depfile_digest, stray]
    clock.advance(seconds=1 + blobs.YOUNG.total_seconds())
    young = store.put_blob("young")
    store.begin_run(run_of("r1"))
    store.end_run("r1", RunOutcome(RunStatus.SUCCESS))
    assert set(store.get_blobs([*digests, young])) == {trace.depfile_digest, young}


# --- memory and events ------------------------------------------------------------------------------------------------


def test_a_probe_remembers_its_last_answer(store: StateStore) -> None:
    first, second = ProbeMemo("size 1", "t1", START), ProbeMemo("size 2", "t2", START + DAY)
    store.remember_probes({"file:a": first, "file:b": first})
    store.remember_probes({"file:a": second})
    store.remember_probes({})
    assert store.probe_memos(["file:a", "file:b", "file:c"]) == {"file:a": second, "file:b": first}


def test_events_are_read_in_their_order_from_where_the_reader_was(store: StateStore) -> None:
    for number in range(3):
        store.record_event("r1" if number else "r0", "node_built", f'{{"n": {number}}}')
    first, *rest = store.events()
    assert first == EventRecord(first.number, "r0", START, "node_built", '{"n": 0}')
    assert store.events(first.number) == tuple(rest)
    assert store.events(run_id="r1", limit=1) == (rest[0],)


def test_only_the_last_events_are_kept(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_table, "KEPT", 50)
    for number in range(200):
        store.record_event("r1", "tick", str(number))
    assert [event.payload for event in store.events()] == [str(number) for number in range(150, 200)]


# --- pruning ----------------------------------------------------------------------------------------------------------


def test_pruning_drops_history_that_is_old_and_keeps_what_counts_now(store: StateStore, clock: FakeClock) -> None:
    trace = built(store)
    store.taint(CUSTOMERS, detail="", run_id="r1")
    decide_in(store, "r1", verdict_on(), verdict_on("gone", key=None))
    store.record_event("r1", "tick", "")
    store.remember_probes({"file:a": ProbeMemo("g", "t", START)})
    clock.advance(days=91)
    decide_in(store, "r2", verdict_on(), verdict_on("model.shop.customers", key=CUSTOMERS))
    store.prune(90 * DAY)
    assert [run.record.run_id for run in store.runs()] == ["r2"]
    (record,) = store.last_decisions(["model.shop.orders"])
    assert (record.first_run, record.last_run, record.count) == (None, "r2", 2)
    assert (store.events(), store.probe_memos(["file:a"])) == ((), {})
    seen = store.snapshot([ORDERS, CUSTOMERS])
    assert seen.traces == {ORDERS: trace}
    assert set(seen.attempts) == {CUSTOMERS}
    assert set(store.durations([ORDERS])) == {ORDERS}


def test_the_number_of_a_pruned_run_is_not_given_again(store: StateStore, clock: FakeClock) -> None:
    assert store.begin_run(run_of("r1")).number == 1
    clock.advance(days=2)
    store.prune(DAY)
    assert store.begin_run(run_of("r2")).number == 2


def test_a_run_at_work_is_not_pruned_however_long_ago_it_began(store: StateStore, clock: FakeClock) -> None:
    for run_id in ("r1", "r2"):
        store.begin_run(run_of(run_id), alive_for=DAY)
    clock.advance(days=2)
    store.say_alive("r2", DAY)
    assert store.prunable(DAY).runs == 1
    store.prune(DAY)
    store.record_decisions("r2", [verdict_on()])
    assert [run.record.run_id for run in store.runs()] == ["r2"]


@pytest.mark.parametrize(("days", "has_ended", "is_heard"), [(3, False, True), (3, True, False), (31, False, False)])
def test_a_build_that_was_taken_over_is_heard_unless_its_run_cannot_go_on(
    store: StateStore, clock: FakeClock, days: int, has_ended: bool, is_heard: bool
) -> None:
    store.begin_run(run_of(ALICE.run_id))
    lost = announced(store, granted(store))
    if has_ended:
        store.end_run(ALICE.run_id, RunOutcome(RunStatus.ERROR))
    clock.advance(minutes=1)
    built(store, holder=BOB)
    clock.advance(days=days)
    store.prune(DAY)
    store.close_build(lost.build_id, AttemptState.PARTIAL, "")
    assert (ORDERS in store.snapshot([ORDERS]).attempts) == is_heard


def test_relations_to_which_no_run_came_are_pruned_and_those_in_use_are_not(store: StateStore, clock: FakeClock) -> None:
    idle, marked, seen_again, cut_off, held = (key_of(name) for name in ("idle", "marked", "seen_again", "cut_off", "held"))
    for key in (idle, seen_again, cut_off, held):
        built(store, key)
    store.invalidate([marked], "ada")
    decide_in(store, "r1", *(verdict_on(f"model.shop.{number}", key=key) for number, key in enumerate((idle, seen_again, cut_off))))
    announced(store, granted(store, cut_off))
    clock.advance(days=91)
    decide_in(store, "r2", verdict_on("model.shop.1", key=seen_again))
    granted(store, held)
    recent = built(store, finished_at=clock.time)
    everything = (idle, marked, seen_again, cut_off, held, ORDERS)

    before = store.snapshot(everything)
    found = store.prunable(90 * DAY)
    assert found == Pruned(tuple(sorted((idle, marked))), runs=1, decisions=2)
    assert store.snapshot(everything) == before
    assert store.prune(90 * DAY) == found
    after = store.snapshot(everything)
    assert set(after.traces) == {seen_again, cut_off, held, ORDERS}
    assert (after.traces[ORDERS], after.invalidations, set(after.cut_off), set(after.held)) == (recent, {}, {cut_off}, {held})
    assert store.durations([idle]) == {}
    assert store.prune(90 * DAY) == Pruned((), 0, 0)
