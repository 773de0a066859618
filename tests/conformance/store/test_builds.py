"""The life of a build means the same on every database (architecture, invariant 5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conformance.store.examples import (
    ALICE,
    BOB,
    CUSTOMERS,
    ORDERS,
    START,
    TTL,
    FakeClock,
    announced,
    built,
    granted,
    key_of,
    recorded_test,
    trace_of,
)

from afresh.core.lease import Held, Holder
from afresh.core.relation import TraceKey
from afresh.core.trace import AttemptProblem, AttemptState, Invalidation, Signature, TestOutcome, TestStatus
from afresh.errors import InternalError, LeaseLostError
from afresh.store import Head, Intent, StateStore, Taken


def problem(store: StateStore) -> AttemptState | None:
    found = store.snapshot([ORDERS]).attempts.get(ORDERS)
    return None if found is None else found.state


def test_a_recorded_trace_is_read_back_as_it_was(store: StateStore) -> None:
    recorded = built(store)
    seen = store.snapshot([ORDERS, CUSTOMERS])
    assert seen.traces == {ORDERS: recorded}
    assert (seen.attempts, seen.held, seen.invalidations, seen.now) == ({}, {}, {}, START)


def test_a_build_is_finished_when_it_is_recorded_and_not_before(store: StateStore, clock: FakeClock) -> None:
    """Its result may have been committed in the warehouse at any moment until then."""
    lease = granted(store)
    build = announced(store, lease)
    clock.advance(seconds=5)
    trace = store.record_trace(lease, trace_of(build_id=build.build_id, started_at=build.started_at, finished_at=build.started_at))
    assert (trace.started_at, trace.finished_at) == (build.started_at, build.started_at + timedelta(seconds=5))
    assert store.snapshot([ORDERS]).traces == {ORDERS: trace}


def test_the_next_trace_takes_the_place_of_the_last(store: StateStore) -> None:
    built(store)
    second = built(store, holder=BOB, output_version="other")
    assert store.snapshot([ORDERS]).traces == {ORDERS: second}


def test_compiled_sql_and_depfile_are_kept_with_the_trace(store: StateStore) -> None:
    lease = granted(store)
    build = announced(store, lease)
    trace = store.record_trace(lease, trace_of(build_id=build.build_id), compiled="select 'ö\udc80'", depfile=b"\x00\xff")
    assert store.snapshot([ORDERS]).traces == {ORDERS: trace}
    content = store.get_blobs([trace.compiled_digest, trace.depfile_digest])
    assert content[trace.compiled_digest].decode(errors="surrogatepass") == "select 'ö\udc80'"
    assert content[trace.depfile_digest] == b"\x00\xff"


def test_a_trace_keeps_the_digests_it_came_with_where_no_new_content_is_given(store: StateStore) -> None:
    digest = store.put_blob("select 1")
    assert built(store, compiled_digest=digest).compiled_digest == digest


# --- the lease and the announcement at once ---------------------------------------------------------------------------


def take(store: StateStore, seen: dict[TraceKey, Head], holder: Holder = ALICE) -> Taken | Held:
    return store.take(ORDERS, holder, TTL, Intent("model.shop.orders", ("code_changed",), seen))


def heads(store: StateStore, *keys: TraceKey) -> dict[TraceKey, Head]:
    snapshot = store.snapshot(keys)
    return {key: snapshot.head(key) for key in keys}


def test_a_build_is_announced_with_its_lease_if_nothing_happened_since_it_was_decided(store: StateStore) -> None:
    built(store)
    store.taint(CUSTOMERS, detail="", run_id="r")
    taken = take(store, heads(store, ORDERS, CUSTOMERS, key_of("never")))
    assert isinstance(taken, Taken)
    assert taken.build is not None
    assert store.snapshot([ORDERS]).building == {ORDERS}
    store.record_trace(taken.lease, trace_of(build_id=taken.build.build_id))
    assert store.snapshot([ORDERS]).held == {}


@pytest.mark.parametrize("happened", ["built", "invalidated", "tainted", "input built", "input is being built"])
def test_nothing_is_announced_if_anything_happened_since(store: StateStore, happened: str) -> None:
    seen = heads(store, ORDERS, CUSTOMERS)
    match happened:
        case "built":
            built(store)
        case "invalidated":
            store.invalidate([ORDERS], "ada")
        case "tainted":
            store.taint(ORDERS, detail="", run_id="r")
        case "input built":
            built(store, CUSTOMERS, BOB)
        case _:
            granted(store, CUSTOMERS, BOB)
    taken = take(store, seen)
    assert isinstance(taken, Taken)
    assert taken.build is None
    assert store.snapshot([ORDERS]).held[ORDERS].holder == ALICE
    assert take(store, heads(store, ORDERS, CUSTOMERS), BOB) == store.snapshot([ORDERS]).held[ORDERS]


# --- the term is checked ----------------------------------------------------------------------------------------------


def test_a_holder_that_was_taken_over_writes_nothing(store: StateStore, clock: FakeClock) -> None:
    before = built(store)
    lease = granted(store)
    build = announced(store, lease)
    clock.advance(seconds=31)
    granted(store, holder=BOB)
    with pytest.raises(LeaseLostError, match="taken over by run run-bob on etl-2"):
        store.record_trace(lease, trace_of(build_id=build.build_id), compiled="select 2")
    seen = store.snapshot([ORDERS])
    assert seen.traces == {ORDERS: before}
    assert seen.attempts[ORDERS].state is AttemptState.INTERRUPTED


@pytest.mark.parametrize("loss", ["expired", "released"])
def test_a_holder_without_a_live_lease_writes_nothing(store: StateStore, clock: FakeClock, loss: str) -> None:
    lease = granted(store)
    build = announced(store, lease)
    if loss == "expired":
        clock.advance(seconds=30)
    else:
        store.release(lease)
    with pytest.raises(LeaseLostError, match="not renewed in time"):
        store.record_trace(lease, trace_of(build_id=build.build_id))
    assert store.snapshot([ORDERS]).traces == {}


def test_a_renewed_lease_may_write_after_its_first_expiry(store: StateStore, clock: FakeClock) -> None:
    lease = granted(store)
    build = announced(store, lease)
    clock.advance(seconds=20)
    store.renew([lease], TTL)
    clock.advance(seconds=20)
    store.record_trace(lease, trace_of(build_id=build.build_id))
    assert ORDERS in store.snapshot([ORDERS]).traces


def test_a_build_is_not_announced_without_the_lease(store: StateStore, clock: FakeClock) -> None:
    lease = granted(store)
    clock.advance(seconds=30)
    with pytest.raises(LeaseLostError):
        announced(store, lease)
    assert problem(store) is None


def test_a_trace_of_a_build_that_was_never_announced_is_a_bug(store: StateStore) -> None:
    lease = granted(store)
    with pytest.raises(InternalError, match="was not announced"):
        store.record_trace(lease, trace_of())


def test_a_trace_under_the_lease_of_another_relation_is_a_bug(store: StateStore) -> None:
    lease = granted(store)
    build = announced(store, lease)
    with pytest.raises(InternalError, match="cannot be written under the lease"):
        store.record_trace(lease, trace_of(CUSTOMERS, build.build_id))


def test_a_lease_that_was_never_granted_is_a_bug(store: StateStore) -> None:
    lease = granted(store)
    with pytest.raises(InternalError, match="never such a lease"):
        announced(store, replace(lease, key=CUSTOMERS))


# --- attempts ---------------------------------------------------------------------------------------------------------


def test_a_build_at_work_is_held_and_no_problem(store: StateStore) -> None:
    lease = granted(store)
    build = announced(store, lease)
    seen = store.snapshot([ORDERS])
    assert seen.attempts == {}
    assert seen.held[ORDERS].holder == ALICE
    assert (build.started_at, build.key, build.run_id) == (START, ORDERS, ALICE.run_id)


def test_a_build_that_stopped_without_a_word_is_interrupted(store: StateStore, clock: FakeClock) -> None:
    announced(store, granted(store))
    clock.advance(seconds=30)
    seen = store.snapshot([ORDERS])
    assert seen.attempts == {
        ORDERS: AttemptProblem(AttemptState.INTERRUPTED, ALICE.run_id, START, "build of model.shop.orders (never_built)")
    }
    assert seen.held == {}


def test_every_build_that_was_never_heard_of_again_is_told_whatever_came_after_it(store: StateStore, clock: FakeClock) -> None:
    first = announced(store, granted(store))
    assert store.snapshot([ORDERS]).cut_off == {}
    clock.advance(seconds=30)
    assert store.snapshot([ORDERS]).cut_off == {ORDERS: {ALICE.run_id}}
    announced(store, granted(store, holder=BOB))
    assert store.snapshot([ORDERS]).cut_off == {ORDERS: {ALICE.run_id}}
    clock.advance(seconds=30)
    assert store.snapshot([ORDERS]).cut_off == {ORDERS: {ALICE.run_id, BOB.run_id}}
    store.close_build(first.build_id, AttemptState.FAILED)
    assert store.snapshot([ORDERS]).cut_off == {ORDERS: {BOB.run_id}}
    built(store)
    assert store.snapshot([ORDERS]).cut_off == {}


def test_a_build_whose_lease_was_given_back_is_interrupted(store: StateStore) -> None:
    announced(store, granted(store))
    store.release_all(ALICE.run_id)
    assert problem(store) is AttemptState.INTERRUPTED


def test_the_next_holder_sees_the_interruption_while_it_holds_the_lease(store: StateStore, clock: FakeClock) -> None:
    announced(store, granted(store))
    clock.advance(seconds=30)
    lease = granted(store, holder=BOB)
    assert problem(store) is AttemptState.INTERRUPTED
    build = announced(store, lease)
    assert problem(store) is AttemptState.INTERRUPTED
    store.record_trace(lease, trace_of(build_id=build.build_id))
    assert problem(store) is None


def test_a_build_that_sent_nothing_leaves_no_mark(store: StateStore) -> None:
    lease = granted(store)
    store.close_build(announced(store, lease).build_id, None)
    store.release(lease)
    assert problem(store) is None


@pytest.mark.parametrize("state", list(AttemptState))
def test_a_bad_end_stands_until_a_build_ends_well(store: StateStore, clock: FakeClock, state: AttemptState) -> None:
    built(store)
    lease = granted(store)
    build = announced(store, lease)
    clock.advance(seconds=1)
    store.close_build(build.build_id, state, "division\0 by zero \udc80")
    store.release(lease)
    seen = store.snapshot([ORDERS])
    assert ORDERS in seen.traces
    expected = "division\N{REPLACEMENT CHARACTER} by zero ?"
    assert seen.attempts == {ORDERS: AttemptProblem(state, ALICE.run_id, START + timedelta(seconds=1), expected)}
    built(store, holder=BOB)
    assert problem(store) is None


def test_a_failed_build_does_not_hide_an_older_problem_when_it_is_followed_by_one_that_sent_nothing(store: StateStore) -> None:
    store.taint(ORDERS, detail="built without state", run_id="run-zero")
    lease = granted(store)
    store.close_build(announced(store, lease).build_id, None)
    assert problem(store) is AttemptState.TAINTED


def test_the_newest_problem_is_the_one_that_is_told(store: StateStore, clock: FakeClock) -> None:
    announced(store, granted(store))
    clock.advance(seconds=31)
    store.taint(ORDERS, detail="the lease was lost", run_id=ALICE.run_id, state=AttemptState.LOST_LEASE)
    assert problem(store) is AttemptState.LOST_LEASE


def test_a_build_drops_a_taint_that_is_older_than_its_start(store: StateStore) -> None:
    store.taint(ORDERS, detail="built without state", run_id="run-zero")
    built(store)
    assert problem(store) is None


def test_a_taint_that_comes_while_a_build_is_at_work_outlives_its_trace(store: StateStore) -> None:
    """Also in the same instant of the clock, which cannot tell the two apart."""
    lease = granted(store)
    build = announced(store, lease)
    store.taint(ORDERS, detail="a stranger wrote", run_id="run-zero")
    store.record_trace(lease, trace_of(build_id=build.build_id))
    assert problem(store) is AttemptState.TAINTED
    store.release(lease)
    built(store)
    assert problem(store) is None


def test_a_clock_that_goes_back_does_not_hide_a_taint(store: StateStore, clock: FakeClock) -> None:
    lease = granted(store)
    build = announced(store, lease)
    clock.advance(seconds=-3600)
    store.taint(ORDERS, detail="a stranger wrote", run_id="run-zero")
    clock.advance(seconds=3600)
    store.record_trace(lease, trace_of(build_id=build.build_id))
    assert problem(store) is AttemptState.TAINTED


def test_a_build_that_fails_after_it_was_taken_over_stands_against_its_successors_trace(store: StateStore, clock: FakeClock) -> None:
    lost = announced(store, granted(store))
    clock.advance(seconds=31)
    built(store, holder=BOB)
    assert problem(store) is None
    store.close_build(lost.build_id, AttemptState.FAILED, "the connection broke")
    assert problem(store) is AttemptState.FAILED


def test_a_build_that_fails_while_its_successor_is_at_work_stands_against_that_trace(store: StateStore, clock: FakeClock) -> None:
    lost = announced(store, granted(store))
    clock.advance(seconds=31)
    lease = granted(store, holder=BOB)
    build = announced(store, lease)
    store.close_build(lost.build_id, AttemptState.FAILED, "the connection broke")
    store.record_trace(lease, trace_of(build_id=build.build_id))
    assert problem(store) is AttemptState.FAILED


def test_closing_a_build_twice_is_no_error_and_changes_nothing(store: StateStore) -> None:
    build = announced(store, granted(store))
    store.close_build(build.build_id, AttemptState.FAILED, "first")
    store.close_build(build.build_id, None)
    store.close_build(build.build_id, AttemptState.PARTIAL, "second")
    assert problem(store) is AttemptState.FAILED


def test_problems_of_one_relation_do_not_touch_another(store: StateStore) -> None:
    store.taint(CUSTOMERS, detail="", run_id="run-zero")
    built(store)
    seen = store.snapshot([ORDERS, CUSTOMERS])
    assert set(seen.attempts) == {CUSTOMERS}


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_an_invalidation_stands_until_a_build_that_started_after_it_ends_well(store: StateStore) -> None:
    store.invalidate([ORDERS, CUSTOMERS], "ada", "bad load")
    assert store.snapshot([ORDERS]).invalidations == {ORDERS: Invalidation("ada", START, "bad load")}
    built(store)
    seen = store.snapshot([ORDERS, CUSTOMERS])
    assert set(seen.invalidations) == {CUSTOMERS}
    assert seen.attempts == {}


def test_an_invalidation_that_comes_while_a_build_is_at_work_outlives_it(store: StateStore) -> None:
    lease = granted(store)
    build = announced(store, lease)
    store.invalidate([ORDERS], "ada")
    store.record_trace(lease, trace_of(build_id=build.build_id))
    assert set(store.snapshot([ORDERS]).invalidations) == {ORDERS}


def test_the_last_invalidation_is_the_one_that_is_told(store: StateStore) -> None:
    store.invalidate([ORDERS], "ada", "first")
    store.invalidate([ORDERS], "bob", "second")
    assert store.snapshot([ORDERS]).invalidations[ORDERS].by == "bob"


def test_what_was_forgotten_was_never_built(store: StateStore) -> None:
    built(store)
    built(store, CUSTOMERS)
    store.taint(ORDERS, detail="", run_id="run-zero")
    store.invalidate([ORDERS], "ada")
    store.forget([ORDERS])
    seen = store.snapshot([ORDERS, CUSTOMERS])
    assert set(seen.traces) == {CUSTOMERS}
    assert (seen.attempts, seen.invalidations) == ({}, {})
    assert set(store.durations([ORDERS, CUSTOMERS])) == {CUSTOMERS}


def test_nothing_is_forgotten_while_somebody_holds_a_part_of_it(store: StateStore, clock: FakeClock) -> None:
    first, other = built(store), built(store, CUSTOMERS)
    lease = granted(store)
    build = announced(store, lease)
    store.taint(ORDERS, detail="another run wrote it meanwhile", run_id="run-zero")
    assert {key: held.holder for key, held in store.forget([ORDERS, CUSTOMERS], "ada").items()} == {ORDERS: ALICE}
    seen = store.snapshot([ORDERS, CUSTOMERS])
    assert seen.traces == {ORDERS: first, CUSTOMERS: other}
    assert seen.invalidations == {}
    store.record_trace(lease, trace_of(build_id=build.build_id))
    assert problem(store) is AttemptState.TAINTED
    clock.advance(seconds=1)
    assert store.forget([ORDERS, CUSTOMERS]) == {}
    assert store.snapshot([ORDERS, CUSTOMERS]).attempts == {}


def test_a_build_that_was_cut_off_is_still_told_of_when_its_relation_was_forgotten(store: StateStore, clock: FakeClock) -> None:
    built(store)
    lost = announced(store, granted(store, holder=BOB))
    clock.advance(seconds=30)
    assert store.forget([ORDERS]) == {}
    seen = store.snapshot([ORDERS])
    assert (seen.traces, seen.cut_off) == ({}, {ORDERS: {BOB.run_id}})
    store.close_build(lost.build_id, AttemptState.PARTIAL, "")
    assert problem(store) is AttemptState.PARTIAL


def test_who_forgot_and_why_stands_until_the_next_build(store: StateStore) -> None:
    built(store)
    store.forget([ORDERS], "ada", "wrong schema")
    assert store.snapshot([ORDERS]).invalidations == {ORDERS: Invalidation("ada", START, "wrong schema")}
    built(store)
    assert store.snapshot([ORDERS]).invalidations == {}


def test_every_key_with_a_trace_is_listed_with_its_node(store: StateStore) -> None:
    built(store)
    built(store, CUSTOMERS, project="other")
    assert store.recorded() == {ORDERS: "model.shop.orders", CUSTOMERS: "model.shop.orders"}
    assert set(store.recorded("other")) == {CUSTOMERS}


# --- after the run ----------------------------------------------------------------------------------------------------


def test_a_trace_is_completed_after_the_run_if_it_is_still_of_that_build(store: StateStore) -> None:
    trace = built(store)
    columns = Signature((("id", "INTEGER"),))
    assert store.settle(ORDERS, trace.build_id, outside_token="t9", output_version="v9", signature=columns)
    expected = replace(trace, outside_token="t9", output_version="v9", signature=columns)
    assert store.snapshot([ORDERS]).traces == {ORDERS: expected}


def test_settling_without_new_values_keeps_the_old_ones(store: StateStore) -> None:
    trace = built(store, signature=Signature((("id", "INTEGER"),)), outside_token="t1")
    assert store.settle(ORDERS, trace.build_id, outside_token=None)
    assert store.snapshot([ORDERS]).traces == {ORDERS: replace(trace, outside_token=None)}


def test_a_trace_of_a_later_build_is_not_settled(store: StateStore) -> None:
    first = built(store)
    second = built(store, holder=BOB)
    assert not store.settle(ORDERS, first.build_id, outside_token="t9")
    assert not store.settle(CUSTOMERS, first.build_id, outside_token="t9")
    assert store.snapshot([ORDERS]).traces == {ORDERS: second}


# --- tests ------------------------------------------------------------------------------------------------------------


def test_a_newer_record_of_what_was_read_replaces_the_old_one(store: StateStore) -> None:
    trace = built(store)
    store.refresh_depfiles([(ORDERS, trace.build_id, b"newer")])
    kept = store.snapshot([ORDERS]).traces[ORDERS]
    assert store.get_blobs([kept.depfile_digest]) == {kept.depfile_digest: b"newer"}
    assert replace(kept, depfile_digest=trace.depfile_digest) == trace


def test_a_record_of_what_was_read_is_not_given_to_a_later_build(store: StateStore) -> None:
    first = built(store)
    second = built(store)
    store.refresh_depfiles([(ORDERS, first.build_id, b"newer")])
    assert store.snapshot([ORDERS]).traces == {ORDERS: second}


def test_a_test_is_recorded_without_a_lease_and_the_last_result_counts(store: StateStore) -> None:
    passed = trace_of(test=TestOutcome(TestStatus.PASS, 0))
    failed = replace(passed, test=TestOutcome(TestStatus.FAIL, 3), build_id="later")
    first = recorded_test(store, passed)
    assert first == replace(passed, compiled_digest=first.compiled_digest, depfile_digest=first.depfile_digest)
    last = recorded_test(store, failed, compiled="select 1")
    assert store.get_blobs([last.compiled_digest]) == {last.compiled_digest: b"select 1"}
    assert store.snapshot([ORDERS]).traces[ORDERS].test == TestOutcome(TestStatus.FAIL, 3)


def test_a_test_drops_an_invalidation_from_before_its_start_only(store: StateStore, clock: FakeClock) -> None:
    store.invalidate([ORDERS], "ada")
    clock.advance(seconds=1)
    store.invalidate([CUSTOMERS], "ada")
    for key in (ORDERS, CUSTOMERS):
        recorded_test(store, trace_of(key, started_at=START))
    assert set(store.snapshot([ORDERS, CUSTOMERS]).invalidations) == {CUSTOMERS}


# --- many -------------------------------------------------------------------------------------------------------------


def test_a_snapshot_answers_for_twenty_thousand_keys(store: StateStore) -> None:
    keys = [key_of(f"t{number}") for number in range(20_000)]
    for number in range(0, 20_000, 500):
        recorded_test(store, trace_of(keys[number]))
        store.taint(keys[number + 1], detail="", run_id="r")
        granted(store, keys[number + 2])
    seen = store.snapshot(keys)
    assert set(seen.traces) == set(keys[::500])
    assert set(seen.attempts) == set(keys[1::500])
    assert set(seen.held) == set(keys[2::500])


def test_a_snapshot_of_nothing_still_knows_the_time(store: StateStore) -> None:
    assert store.snapshot([]).now == START
