"""Python's collector of cyclic garbage while dbt starts: its millions of objects live until the end, so looking at them only costs."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHILE_STARTING = (50_000, 10, 1000)
"""New objects before a look at the newest; a look at the rest only every 500,000. A full parse leaves much garbage behind: without
any look at it, a first build needs 15 MB more."""

_usual: list[tuple[int, int, int]] = []


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Look for garbage rarely, until :func:`project_is_read` or the end. Inside another one it changes nothing."""
    if _usual:
        yield
        return
    frozen_by_others = gc.get_freeze_count() > 0
    _usual.append(gc.get_threshold())
    gc.set_threshold(*_WHILE_STARTING)
    try:
        yield
    finally:
        project_is_read()
        if not frozen_by_others:
            gc.unfreeze()  # who goes on in this process gets the memory back


def project_is_read() -> None:
    """From here on objects come and go: leave those that are there alone, and collect as usual."""
    if _usual:
        gc.freeze()
        gc.set_threshold(*_usual.pop())
