"""Two runs at once, in an order that is drawn and can be repeated: two threads, of which one runs at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from property.engine.toy_history import Step
from property.engine.toy_host import Invocation, ToyHost
from property.engine.toy_project import Project
from property.engine.toy_run import TTL, Fault, Outcome, ToyRun
from property.engine.toy_world import World

A_MINUTE = 60


class Baton:
    """Whoever holds it runs. At each ``offer`` the schedule says whether it goes to the other."""

    def __init__(self, schedule: Sequence[bool]) -> None:
        self._schedule = list(schedule)
        self._condition = threading.Condition()
        self._turn = 0
        self._stuck: set[int] = set()
        self._done: set[int] = set()
        self._errors: list[BaseException] = []

    def run(self, works: Sequence[Callable[[], object]]) -> None:
        """Run both to their ends; raises what one of them raised."""
        threads = [threading.Thread(target=self._work, args=(me, work)) for me, work in enumerate(works)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _work(self, me: int, work: Callable[[], object]) -> None:
        try:
            self._wait_for_turn(me)
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised where both have ended
            self._errors.append(error)
        finally:
            with self._condition:
                self._done.add(me)
                self._turn = 1 - me
                self._condition.notify_all()

    def _wait_for_turn(self, me: int) -> None:
        with self._condition:
            assert self._condition.wait_for(lambda: self._turn == me or 1 - me in self._done, timeout=A_MINUTE)

    def _hand_over(self, me: int) -> None:
        with self._condition:
            if 1 - me in self._done:
                return
            self._turn = 1 - me
            self._condition.notify_all()
        self._wait_for_turn(me)

    def offer(self, me: int, *, holds_lease: bool) -> None:
        """A moment at which the other may go on. One that waits for a lease goes on when no lease is held here."""
        if 1 - me in self._stuck:
            if not holds_lease:
                self._hand_over(me)
        elif self._schedule and self._schedule.pop(0):
            self._hand_over(me)

    def wait(self, me: int) -> None:
        """Let the other go on until it has given its lease back."""
        self._stuck.add(me)
        self._hand_over(me)
        self._stuck.discard(me)


@dataclass(frozen=True)
class Jump:
    """The processes were asleep (a laptop, a paused machine): every lease has run out meanwhile."""

    seconds: int = int(TTL.total_seconds()) + 1

    def happen(self, world: World) -> None:
        world.wait(self.seconds)


@dataclass(frozen=True)
class Job:
    """One of the two runs."""

    project: Project
    invocation: Invocation
    fault: Fault | None = None


@dataclass
class SideBySide:
    """Two jobs on one world. ``meanwhile`` happens at moments by their number."""

    world: World
    jobs: tuple[Job, Job]
    schedule: Sequence[bool]
    meanwhile: Sequence[tuple[int, Step]] = ()
    outcomes: list[Outcome] = field(default_factory=list)
    _moments: int = 0

    def run(self) -> list[Outcome]:
        """Both outcomes, in the order of the jobs."""
        self.outcomes = [Outcome(), Outcome()]
        baton = Baton(self.schedule)
        baton.run([lambda: self._one(0, baton), lambda: self._one(1, baton)])
        return self.outcomes

    def _one(self, me: int, baton: Baton) -> None:
        job = self.jobs[me]
        host = _WaitingHost(job.project, self.world.real, job.invocation, signal=self.world.signal)
        host.on_waiting = lambda: baton.wait(me)
        around = lambda point, _name: self._moment(me, baton, point)  # noqa: E731 - it is one word of the next line
        run = ToyRun(host, self.world.store, around=around, fault=job.fault, patience=timedelta(seconds=A_MINUTE))
        self.outcomes[me] = run.go()
        if run.connection.is_dead:
            Jump().happen(self.world)

    def _moment(self, me: int, baton: Baton, point: str) -> None:
        self._moments += 1
        for number, step in self.meanwhile:
            if number == self._moments:
                step.happen(self.world)
        baton.offer(me, holds_lease=point in ("sent", "written"))


class _WaitingHost(ToyHost):
    """A host whose run lets the other go on while it waits for a lease."""

    on_waiting: Any = None

    def say_waiting(self, node_id: Any, text: str) -> None:
        super().say_waiting(node_id, text)
        self.on_waiting()
