"""Leases mean the same on every database (semantics §5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from tests.conformance.store.examples import ALICE, BOB, CUSTOMERS, ORDERS, START, TTL, FakeClock, granted, key_of

from afresh.core.lease import Held, Holder, Lease
from afresh.core.relation import TraceKey
from afresh.store import StateStore


def test_a_free_lease_is_granted_until_its_time_is_over(store: StateStore) -> None:
    assert store.acquire(ORDERS, ALICE, TTL) == Lease(ORDERS, 1, ALICE, START + TTL)


def test_a_live_lease_is_not_granted_again_and_names_its_holder(store: StateStore, clock: FakeClock) -> None:
    granted(store)
    clock.advance(seconds=5)
    assert store.acquire(ORDERS, BOB, TTL) == Held(ORDERS, ALICE, START, START + TTL)


def test_a_lease_is_not_granted_twice_to_the_same_holder(store: StateStore) -> None:
    granted(store)
    assert isinstance(store.acquire(ORDERS, ALICE, TTL), Held)


def test_leases_of_different_keys_are_independent(store: StateStore) -> None:
    assert granted(store, ORDERS).term == granted(store, CUSTOMERS, BOB).term == 1


def test_keys_that_differ_in_case_are_different_keys(store: StateStore) -> None:
    granted(store, key_of("orders"))
    assert isinstance(store.acquire(key_of("Orders"), BOB, TTL), Lease)


def test_any_text_can_be_leased(store: StateStore) -> None:
    file = TraceKey("file:/data/ware house'; drop table x; -- %s :now.duckdb")
    assert granted(store, file).key == file
    assert isinstance(store.acquire(file, BOB, TTL), Held)


def test_the_term_grows_with_every_grant_for_ever(store: StateStore, clock: FakeClock) -> None:
    terms = []
    for holder in (ALICE, BOB, ALICE):
        lease = granted(store, holder=holder)
        terms.append(lease.term)
        store.release(lease)
    terms.append(granted(store).term)
    clock.advance(seconds=31)
    terms.append(granted(store, holder=BOB).term)
    clock.advance(seconds=31)
    assert store.forget([ORDERS]) == {}
    terms.append(granted(store, holder=ALICE).term)
    assert terms == [1, 2, 3, 4, 5, 6]


def test_an_expired_lease_is_taken_over_at_the_moment_it_expires(store: StateStore, clock: FakeClock) -> None:
    granted(store)
    clock.time = START + TTL - timedelta(microseconds=1)
    assert isinstance(store.acquire(ORDERS, BOB, TTL), Held)
    clock.time = START + TTL
    assert store.acquire(ORDERS, BOB, TTL) == Lease(ORDERS, 2, BOB, START + 2 * TTL)


def test_renewing_extends_every_lease_from_now(store: StateStore, clock: FakeClock) -> None:
    leases = [granted(store, ORDERS), granted(store, CUSTOMERS)]
    clock.advance(seconds=20)
    assert store.renew(leases, TTL) == frozenset()
    assert {held.expires_at for held in store.held_leases()} == {START + timedelta(seconds=50)}


def test_renewing_nothing_loses_nothing(store: StateStore) -> None:
    assert store.renew([], TTL) == frozenset()


def test_renewing_tells_which_leases_were_lost_and_keeps_the_others(store: StateStore, clock: FakeClock) -> None:
    short = timedelta(seconds=10)
    taken_over, expired = granted(store, key_of("a"), ttl=short), granted(store, key_of("b"), ttl=short)
    released, kept = granted(store, key_of("c")), granted(store, key_of("d"))
    store.release(released)
    clock.advance(seconds=11)
    successor = granted(store, key_of("a"), BOB)
    assert store.renew([taken_over, expired, released, kept], TTL) == {key_of("a"), key_of("b"), key_of("c")}
    by_key = {held.key: held for held in store.held_leases()}
    assert by_key[key_of("a")].expires_at == successor.expires_at
    assert by_key[key_of("d")].expires_at == START + timedelta(seconds=41)
    assert set(by_key) == {key_of("a"), key_of("d")}


def test_thousands_of_leases_are_renewed_at_once(store: StateStore) -> None:
    leases = [granted(store, key_of(f"t{number}")) for number in range(2000)]
    lost = leases[1234]
    store.release(lost)
    assert store.renew(leases, TTL) == {lost.key}


def test_releasing_a_lease_that_was_lost_does_not_touch_the_successor(store: StateStore, clock: FakeClock) -> None:
    lost = granted(store)
    clock.advance(seconds=31)
    granted(store, holder=BOB)
    store.release(lost)
    assert [held.holder for held in store.held_leases()] == [BOB]


def test_releasing_twice_is_no_error(store: StateStore) -> None:
    lease = granted(store)
    store.release(lease)
    store.release(lease)
    assert store.held_leases() == ()


def test_a_run_gives_back_all_its_leases_and_nobody_elses(store: StateStore) -> None:
    granted(store, ORDERS)
    granted(store, CUSTOMERS)
    granted(store, key_of("payments"), BOB)
    store.release_all(ALICE.run_id)
    assert [held.holder for held in store.held_leases()] == [BOB]


def test_only_live_leases_are_listed_and_the_oldest_comes_first(store: StateStore, clock: FakeClock) -> None:
    granted(store, key_of("a"), ttl=timedelta(seconds=1))
    clock.advance(seconds=2)
    granted(store, ORDERS)
    clock.advance(seconds=2)
    granted(store, CUSTOMERS)
    assert [held.key for held in store.held_leases()] == [ORDERS, CUSTOMERS]


def test_of_many_threads_that_ask_at_once_exactly_one_gets_the_lease(store: StateStore) -> None:
    askers = [Holder(f"run-{number}", "etl-1", number) for number in range(16)]
    together = Barrier(len(askers))

    def ask(holder: Holder) -> Lease | Held:
        together.wait()
        return store.acquire(ORDERS, holder, TTL)

    with ThreadPoolExecutor(len(askers)) as pool:
        answers = list(pool.map(ask, askers))
    winners = [answer for answer in answers if isinstance(answer, Lease)]
    assert len(winners) == 1
    assert {answer.holder for answer in answers} == {winners[0].holder}


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_the_holders_of_some_keys_are_those_of_their_live_leases(store: StateStore, clock: FakeClock) -> None:
    granted(store, ORDERS, ALICE)
    clock.advance(seconds=20)
    granted(store, CUSTOMERS, BOB)
    assert {key: held.holder for key, held in store.holders([ORDERS, CUSTOMERS, key_of("other")]).items()} == {
        ORDERS: ALICE,
        CUSTOMERS: BOB,
    }
    clock.advance(seconds=11)
    assert set(store.holders([ORDERS, CUSTOMERS])) == {CUSTOMERS}
    assert store.holders([]) == {}


def test_whoever_waits_goes_on_after_a_release_or_a_pause(store: StateStore) -> None:
    lease = granted(store)
    with store.released_leases() as released, ThreadPoolExecutor(1) as pool:
        released.wait(0.01)
        waiting = pool.submit(released.wait, 0.5 if "sqlite" in store._db.engine.dialect.name else 60)
        store.release(lease)
        waiting.result(timeout=20)
