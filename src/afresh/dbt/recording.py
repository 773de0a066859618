"""What a node reads while dbt compiles and executes it: macros, vars, env vars, config keys, adapter methods, queries.

Only names are taken down (a set insertion each); the values they have are looked up when a build is recorded. A recording
belongs to one node and to the threads that work on it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from afresh.dbt.adapter_methods import READS_WAREHOUSE, is_pure
from afresh.dbt.answers import KEPT, asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from afresh.dbt.answers import Answer

IS_INCREMENTAL = "macro.dbt.is_incremental"
"""dbt's own macro. What it asks of the node's own relation is no dependency: the node is rendered both ways."""

_TRANSACTION_CONTROL = frozenset({"begin", "commit", "rollback"})


@dataclass
class Reached:
    """The names that one rendering, or one execution, read. Vars carry the package whose settings apply."""

    macros: set[str] = field(default_factory=set)
    vars: set[tuple[str, str]] = field(default_factory=set)
    env: set[str] = field(default_factory=set)
    config: set[str] = field(default_factory=set)
    adapter: set[str] = field(default_factory=set)

    def add(self, other: Reached) -> None:
        """Take over everything that another rendering reached."""
        self.macros |= other.macros
        self.vars |= other.vars
        self.env |= other.env
        self.config |= other.config
        self.adapter |= other.adapter


@dataclass
class Rendered:
    """What the rendering of one node's text reached, and the answers it got from the warehouse.

    ``incremental`` is what ``is_incremental()`` answered, ``None`` if nobody asked. ``asking`` counts questions to the adapter that
    are being answered: what the adapter itself asks for an answer is no question of the text.
    """

    reached: Reached = field(default_factory=Reached)
    answers: dict[str, Answer] = field(default_factory=dict)
    incremental: bool | None = None
    asking: int = 0

    def add(self, other: Rendered) -> None:
        """Take over everything that another rendering of the same text reached."""
        self.reached.add(other.reached)
        self.answers.update(other.answers)
        self.incremental = other.incremental if self.incremental is None else self.incremental


@dataclass
class Recording:
    """Everything that dbt read for one node while this process compiled and executed it.

    ``execution_sent``: SQL (or a Python job) was sent while the node was executed, hooks included; a failed build of a node for
    which this is false cannot have written anything. ``compiled_sql`` is what dbt compiled last.
    """

    unique_id: str
    compile: Rendered = field(default_factory=Rendered)
    execute: Reached = field(default_factory=Reached)
    execution_sent: bool = False
    compiled_sql: str | None = None
    may_send: Callable[[], None] | None = None
    """Called before and after each statement of the execution; raises if no other one may be sent."""


def asking(rendered: Rendered, name: str, value: Any) -> Any:
    """``value``, a member of ``adapter``, so that its answers are noted in ``rendered``, if they are of a kind that is kept."""
    if name not in KEPT:
        return value

    def noting(*args: Any, **kwargs: Any) -> Any:
        rendered.asking += 1
        try:
            given = value(*args, **kwargs)
        finally:
            rendered.asking -= 1
        answer = asked(name, args, kwargs, given)
        rendered.answers[answer.key] = answer
        return given

    return noting


class RenderGuard(Protocol):
    """Stands between a rendering that may only read and the warehouse. Both methods raise to stop the rendering."""

    def member(self, name: str, value: Any) -> Any:
        """What Jinja gets for a member of ``adapter``."""

    def statement(self, sql: str) -> None:
        """Let a statement through to the warehouse."""

    def env(self, name: str, read: Callable[[], str]) -> str:
        """What Jinja gets for an environment variable."""


class Frame:
    """What one thread is doing for one recording right now: the compat layer reports to it.

    ``rendered`` is where a rendering takes its notes; ``found`` is set while everything that is rendered may only read.
    """

    __slots__ = ("asleep", "found", "guard", "rendered", "target")

    def __init__(
        self,
        target: Recording | None,
        *,
        rendered: Rendered | None = None,
        guard: RenderGuard | None = None,
        found: dict[str, Rendered] | None = None,
    ) -> None:
        self.target = target
        self.rendered = rendered
        self.guard = guard
        self.found = found
        self.asleep = 0

    @property
    def reached(self) -> Reached:
        """Where names go: into the rendering if one is going on, else into the execution."""
        if self.rendered is not None:
            return self.rendered.reached
        return self.target.execute if self.target is not None else Reached()

    def macro(self, unique_id: str) -> None:
        """A macro was called."""
        self.reached.macros.add(unique_id)

    def var(self, package: str, name: str) -> None:
        """A var was read, or asked for."""
        self.reached.vars.add((package, name))

    def env(self, name: str, read: Callable[[], str]) -> str:
        """An environment variable is read."""
        self.reached.env.add(name)
        return read() if self.guard is None else self.guard.env(name, read)

    def config(self, key: str) -> None:
        """A key of the node's config was read."""
        self.reached.config.add(key)

    def incremental(self, *, answer: bool) -> None:
        """``is_incremental()`` answered."""
        if self.rendered is not None:
            self.rendered.incremental = answer

    def adapter(self, name: str, value: Any) -> Any:
        """A member of ``adapter`` is read; returns what Jinja gets for it."""
        rendered = self.rendered
        if rendered is None:
            return self._in_execution(name, value)
        is_own_question = not self.asleep and not rendered.asking
        if is_own_question:
            rendered.reached.adapter.add(name)
        if self.guard is not None:
            value = self.guard.member(name, value)
        return asking(rendered, name, value) if is_own_question else value

    def _in_execution(self, name: str, value: Any) -> Any:
        if self.guard is not None:
            return self.guard.member(name, value)
        if self.target is not None:
            self.target.execute.adapter.add(name)
            if name not in READS_WAREHOUSE and not is_pure(name):
                self.target.execution_sent = True
        return value

    def statement(self, sql: str) -> None:
        """A statement is about to be sent to the warehouse."""
        if self.guard is not None:
            self.guard.statement(sql)
            return
        self.ask_to_go_on()
        if self.rendered is None and self.target is not None and not self.target.execution_sent:
            self.target.execution_sent = sql.strip().rstrip(";").lower() not in _TRANSACTION_CONTROL

    def ask_to_go_on(self) -> None:
        """Raises where the node that is being executed may send nothing more."""
        if self.rendered is None and self.target is not None and self.target.may_send is not None:
            self.target.may_send()


class _Local(threading.local):
    frames: tuple[Frame, ...] = ()


class Recorder:
    """The recordings of this process. There is one, because what reports to it (dbt's classes) exists once.

    It hears nothing before :func:`afresh.dbt.compat.jinja_recording.install`.
    """

    def __init__(self) -> None:
        self._local = _Local()
        self._open: dict[str, Recording] = {}
        self._inlined: dict[str, Rendered] = {}
        self._lock = threading.Lock()

    def current(self) -> Frame | None:
        """What this thread is recording; ``None`` for most of dbt's life."""
        frames = self._local.frames
        return frames[-1] if frames else None

    @contextmanager
    def recording(self, unique_id: str) -> Iterator[Recording]:
        """Record what dbt reads for a node on this thread, and on the threads that dbt gives parts of the node to."""
        found = Recording(unique_id)
        with self._lock:
            self._open[unique_id] = found
        try:
            with self._pushed(Frame(found)):
                yield found
        finally:
            with self._lock:
                self._open.pop(unique_id, None)

    @contextmanager
    def joined(self, unique_id: str) -> Iterator[None]:
        """Let this thread work on a node that another thread records (a batch of a microbatch model)."""
        found = self._open.get(unique_id)
        current = self.current()
        if found is None or (current is not None and current.target is found):
            yield
            return
        with self._pushed(Frame(found)):
            yield

    @contextmanager
    def rendering(self, unique_id: str, *, inlined: bool) -> Iterator[None]:
        """dbt renders the text of a node: of the recorded one, or of an ephemeral model that is ``inlined`` into it."""
        outer = self.current()
        rendered = Rendered()
        frame = Frame(outer.target if outer else None, rendered=rendered, guard=outer.guard if outer else None)
        with self._pushed(frame):
            yield
        if outer is not None and outer.found is not None:
            outer.found.setdefault(unique_id, Rendered()).add(rendered)
        else:
            self._keep(unique_id, rendered, inlined=inlined)

    def _keep(self, unique_id: str, rendered: Rendered, *, inlined: bool) -> None:
        with self._lock:
            if inlined:
                self._inlined[unique_id] = rendered
            found = self._open.get(unique_id)
            if found is not None:
                found.compile.add(rendered)

    def inlined(self, unique_id: str) -> Rendered | None:
        """What the last rendering of an ephemeral model reached, whoever caused it."""
        return self._inlined.get(unique_id)

    @contextmanager
    def guarded(self, guard: RenderGuard) -> Iterator[Mapping[str, Rendered]]:
        """Everything this thread renders now may only read; what it reaches is given, by node, and goes into no recording."""
        found: dict[str, Rendered] = {}
        with self._pushed(Frame(None, guard=guard, found=found)):
            yield found

    @contextmanager
    def _pushed(self, frame: Frame) -> Iterator[None]:
        before = self._local.frames
        self._local.frames = (*before, frame)
        try:
            yield
        finally:
            self._local.frames = before


RECORDER = Recorder()
"""The one recorder of this process."""
