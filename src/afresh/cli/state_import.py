"""``afresh state import``: a file of ``afresh state export`` becomes the state."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, state_options
from afresh.cli.state_words import moved_text, settings_of
from afresh.errors import EXIT_OK
from afresh.store import check, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDIN = "-"


@click.command(
    "import",
    short_help="Take in the state in a file that `export` wrote.",
    context_settings=HELP,
    epilog="Example: afresh state import state.jsonl.gz --state-url postgresql://user@host/db",
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--replace", is_flag=True, help="Put it in the place of a state that is there already.")
@click.option("--invalidate", is_flag=True, help="Make everything in it due once: for a copy that is older than the last run.")
@state_options("whose state it becomes", url="Where the state is to be.")
def import_(*, file: Path, replace: bool, invalidate: bool, project_dir: Path | None, state_url: str | None) -> int:
    """Take in the state in FILE (`-`: the standard input), which `afresh state export` wrote: all of it, or nothing."""
    settings = settings_of(project_dir, state_url)
    with _whole(file) as (whole, shown):
        check(whole, shown)
        with open_store(settings.state_url, base=settings.project_dir) as store:
            moved = store.import_(whole, shown=shown, replace=replace, invalidate=invalidate)
            sys.stdout.write(f"Imported {moved_text(moved)} from {shown} into {store.place}.\n")
    return EXIT_OK


@contextmanager
def _whole(file: Path) -> Iterator[tuple[Path, str]]:
    """A file that can be read twice, and what to call it."""
    if str(file) != _STDIN:
        yield file, str(file)
        return
    with tempfile.TemporaryDirectory(prefix="afresh-import-") as folder:
        copy = Path(folder) / "standard-input"
        with copy.open("wb") as out:
            shutil.copyfileobj(sys.stdin.buffer, out)
        yield copy, "the standard input"
