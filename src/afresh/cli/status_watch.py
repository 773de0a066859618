"""Looking again and again: one picture in place on a terminal, a line for each piece of news anywhere else."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from afresh.cli.overviewing import status_of
from afresh.errors import StateUnavailableError
from afresh.render.status import counts_text, news
from afresh.render.words import counted
from afresh.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from afresh.config.settings import Settings
    from afresh.render.status import Status

_PAUSE = 1.0
# The other screen of the terminal without a cursor, and back.
_OPEN, _CLOSE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _END_OF_LINE, _END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def watch_state(settings: Settings, text: Callable[[Status], str]) -> None:
    """Look every second until the user interrupts.

    Raises:
        StateUnavailableError: the state cannot be read at the first look; later that is told, and looked for again.
    """
    first = _look(settings)
    try:
        if sys.stdout.isatty():
            with _other_screen():
                _repaint(settings, first, text)
        else:
            _tell_news(settings, first)
    except KeyboardInterrupt:
        return


def _look(settings: Settings) -> Status:
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        return status_of(store)


def _looks(settings: Settings) -> Iterator[Status | StateUnavailableError]:
    """A state that is made, moved or away meanwhile is opened anew."""
    while True:
        try:
            with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
                had_none = not (last := status_of(store)).ended and not last.at_work
                yield last
                while not had_none:
                    time.sleep(_PAUSE)
                    yield status_of(store)
        except StateUnavailableError as error:
            yield error
        time.sleep(_PAUSE)


@contextmanager
def _other_screen() -> Iterator[None]:
    sys.stdout.write(_OPEN)
    try:
        yield
    finally:
        sys.stdout.write(_CLOSE)
        sys.stdout.flush()


def _repaint(settings: Settings, first: Status, text: Callable[[Status], str]) -> None:
    shown = text(first)
    for found in _looks(settings):
        problem = str(found).splitlines() if isinstance(found, StateUnavailableError) else []
        if not isinstance(found, StateUnavailableError):
            shown = text(found)
        height = shutil.get_terminal_size().lines - 1
        lines = [*problem, *shown.splitlines()]
        kept = lines if len(lines) <= height else [*lines[: height - 1], f"… {len(lines) - height + 1:,} more lines"]
        sys.stdout.write(_HOME + "".join(f"{line}{_END_OF_LINE}\n" for line in kept) + _END_OF_SCREEN)
        sys.stdout.flush()


def _tell_news(settings: Settings, first: Status) -> None:
    _say(first, f"{counted(len(first.at_work), 'run')} at work, {len(first.waits):,} waiting; {counts_text(first)}")
    last, problem = first, ""
    for found in _looks(settings):
        if isinstance(found, StateUnavailableError):
            if problem != str(found):
                problem = str(found)
                sys.stderr.write(f"afresh: {problem}\n")
            continue
        for line in news(last, found):
            _say(found, line)
        last, problem = found, ""


def _say(status: Status, line: str) -> None:
    sys.stdout.write(f"{status.now:%H:%M:%S}  {line}\n")
    sys.stdout.flush()
