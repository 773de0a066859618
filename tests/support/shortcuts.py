"""Shorter ways for dbt, in the tests' own process, to what it does at length: the answers are the same, only sooner.

A process of its own runs dbt as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from types import FrameType, ModuleType, SimpleNamespace
from typing import Any, TextIO


@cache
def take_shortcuts() -> None:
    """Have dbt take them from now on."""
    from dbt_common.clients import system

    system.json = SimpleNamespace(**{**vars(json), "dump": _dump})
    try:
        from dbt_common import behavior_flags
    except ImportError:  # an older dbt has none
        return
    behavior_flags.inspect = SimpleNamespace(stack=_stack, getmodule=_module_of)


def _dump(document: Any, file: TextIO, **options: Any) -> None:
    """Like :func:`json.dump`, which encodes in Python what :func:`json.dumps` encodes in C."""
    file.write(json.dumps(document, **options))


def _stack() -> Iterator[tuple[FrameType]]:
    """Like :func:`inspect.stack`, which reads the source of every frame; dbt wants to know the module alone."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield (frame,)
        frame = frame.f_back


def _module_of(frame: FrameType) -> ModuleType | None:
    return sys.modules.get(frame.f_globals["__name__"])
