"""``manifest.json`` is written once: dbt writes it after parsing and, with the SQL that was compiled, again at the end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbt.flags import get_flags
from dbt.parser import manifest as parsing
from dbt.task import runnable

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_IN_BETWEEN = ("STATE", "DEFER_STATE", "DEFER")
"""Options under which dbt may read a manifest between the two writes, possibly from the folder that it writes to."""


@contextmanager
def manifest_written_once() -> Iterator[None]:
    """Leave out the first write where the second one follows; a command that ends without it writes when it ends."""
    write = parsing.write_manifest
    late: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def after_parsing(*args: Any, **kwargs: Any) -> None:
        if any(getattr(get_flags(), name, None) for name in _READ_IN_BETWEEN):
            write(*args, **kwargs)
        else:
            late.append((args, kwargs))

    def at_the_end(*args: Any, **kwargs: Any) -> None:
        late.clear()
        write(*args, **kwargs)

    parsing.write_manifest, runnable.write_manifest = after_parsing, at_the_end
    try:
        yield
    finally:
        parsing.write_manifest, runnable.write_manifest = write, write
        for args, kwargs in late:
            write(*args, **kwargs)
