"""Keeping the leases of a run alive, and waiting for those of others."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from afresh.core.lease import Held, Holder, Lease
from afresh.errors import AfreshError, QueueTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from afresh.core.relation import TraceKey
    from afresh.store import Intent, StateStore, Taken

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.25
_RENEWALS_PER_TTL = 3


@dataclass(frozen=True)
class Grant:
    """A lease, and whether the run had to wait for it."""

    lease: Lease
    waited: bool


@dataclass(frozen=True)
class _Moment:
    """When something was asked, by the clocks of this process: one may stand still while the machine sleeps, the other may be set."""

    monotonic: float
    wall: float

    @classmethod
    def now(cls) -> _Moment:
        return cls(time.monotonic(), time.time())

    def age(self) -> float:
        """Seconds since then, by the clock that counted more."""
        now = _Moment.now()
        return max(now.monotonic - self.monotonic, now.wall - self.wall)


class LeaseKeeper:
    """Holds the leases of one run: takes, renews in the background, releases.

    One statement renews all of them. A lease that could not be renewed in time is lost; every later write under it is
    refused by the store, so nothing here has to be trusted.
    """

    def __init__(self, store: StateStore, holder: Holder, ttl: timedelta) -> None:
        self._store = store
        self._holder = holder
        self._ttl = ttl
        self._lock = threading.Lock()
        self._held: dict[TraceKey, Lease] = {}
        self._proved: dict[TraceKey, _Moment] = {}
        self._building: set[TraceKey] = set()
        self._stop = threading.Event()
        self._interrupted = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self, key: TraceKey, node: str, *, timeout: timedelta, on_wait: Callable[[Held], None]) -> Grant:
        """Take the lease of ``key``, waiting while another run holds it.

        ``on_wait`` is called once per holder. Raises :class:`QueueTimeoutError` after ``timeout``, and when the run is
        told to :meth:`stop_waiting`.
        """
        started, pause, told = time.monotonic(), _FIRST_PAUSE, ""
        while True:
            answer = self.ask_for(key, node)
            if isinstance(answer, Lease):
                return Grant(answer, waited=bool(told))
            if answer.holder.run_id != told:
                told = answer.holder.run_id
                on_wait(answer)
            waited = time.monotonic() - started
            self.check_wait(answer, waited, timeout)
            self._interrupted.wait(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def check_wait(self, held: Held, waited: float, timeout: timedelta) -> None:
        """Raise :class:`QueueTimeoutError` if a wait of so many seconds was too long, or the run ends."""
        if waited >= timeout.total_seconds():
            text = _timeout_text(held, waited)
        elif self._interrupted.is_set():
            text = f"the run ended while this waited for run {held.holder.run_id}"
        else:
            return
        raise QueueTimeoutError(text, where=held.holder.node, holder=held.holder.run_id, waited=waited)

    def ask_for(self, key: TraceKey, node: str) -> Lease | Held:
        """Take the lease of ``key`` if nobody holds it; never waits."""
        asked = _Moment.now()
        answer = self._store.acquire(key, replace(self._holder, node=node), self._ttl)
        if isinstance(answer, Lease):
            self._keep(answer, asked)
        return answer

    def take(self, key: TraceKey, intent: Intent) -> Taken | Held:
        """As :meth:`ask_for`, and announce the build if all is as it was seen."""
        asked = _Moment.now()
        answer = self._store.take(key, replace(self._holder, node=intent.node), self._ttl, intent)
        if not isinstance(answer, Held):
            self._keep(answer.lease, asked)
        return answer

    def stop_waiting(self) -> None:
        """The run ends: whoever waits for a lease gives up now."""
        self._interrupted.set()

    def pause(self, seconds: float) -> bool:
        """Wait a moment for something else; says whether the run is being ended."""
        return self._interrupted.wait(seconds)

    def still_holds(self, lease: Lease) -> bool:
        """Whether the state says at this moment that a lease is ours."""
        return not self._store.renew((lease,), self._ttl)

    @contextmanager
    def building(self, lease: Lease) -> Iterator[None]:
        """Meanwhile, what is built under the lease asks :meth:`may_go_on`."""
        with self._lock:
            self._building.add(lease.key)
        try:
            yield
        finally:
            with self._lock:
                self._building.discard(lease.key)

    def may_go_on(self, key: TraceKey) -> bool:
        """Whether what is being built may send its next statement: not if the lease was lost, as by a process that was stopped for a while.

        Who takes over ends the sessions that it finds. A process that was stopped while it connected had none, and comes with one
        later. So it looks at its clocks around each statement, and asks the state where the lease may have run out. A state that does
        not answer cannot tell; then the build goes on.
        """
        with self._lock:
            if key not in self._building:
                return True
            lease, proved = self._held.get(key), self._proved.get(key)
        if lease is None:
            return False
        if proved is not None and proved.age() < self._ttl.total_seconds():
            return True
        return key not in self._renew((lease,))

    def _renew(self, leases: tuple[Lease, ...]) -> frozenset[TraceKey]:
        """Renew these leases; returns the keys of those that are lost, none if the state does not answer."""
        asked = _Moment.now()
        try:
            lost = self._store.renew(leases, self._ttl)
        except AfreshError:  # the next one tries again; the store's clock decides what is lost meanwhile
            lost = frozenset()
        with self._lock:
            for lease in leases:
                if lease.key in lost:
                    self._held.pop(lease.key, None)
                else:
                    self._proved[lease.key] = asked
        return lost

    def _keep(self, lease: Lease, asked: _Moment) -> None:
        with self._lock:
            self._held[lease.key] = lease
            self._proved[lease.key] = asked
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew_until_stopped, name="afresh-leases", daemon=True)
                self._thread.start()

    def release(self, lease: Lease) -> None:
        """Give a lease back, unless that is done already; giving back a lost one is no error."""
        with self._lock:
            is_ours = self._held.pop(lease.key, None) is not None
        if is_ours:
            self._store.release(lease)

    def given_back(self, lease: Lease) -> None:
        """The lease was given back with what was written under it."""
        with self._lock:
            self._held.pop(lease.key, None)

    def close(self) -> None:
        """Stop renewing and give everything back."""
        self._stop.set()
        with self._lock:
            left, self._held = tuple(self._held.values()), {}
        for lease in left:
            self._store.release(lease)

    def _renew_until_stopped(self) -> None:
        while not self._stop.wait(self._ttl.total_seconds() / _RENEWALS_PER_TTL):
            with self._lock:
                leases = tuple(self._held.values())
            if not leases:
                continue
            self._renew(leases)


def _timeout_text(held: Held, waited: float) -> str:
    return (
        f"waited {waited:.0f}s for run {held.holder.run_id} on {held.holder.host} (pid {held.holder.pid}), "
        "which is at work on it; raise `queue_timeout` to wait longer"
    )
