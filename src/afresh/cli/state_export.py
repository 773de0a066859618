"""``afresh state export``: the whole state as one file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from afresh import __version__
from afresh.cli.command import HELP, state_options
from afresh.cli.state_words import moved_text, settings_of
from afresh.errors import EXIT_OK, UsageError
from afresh.store import not_written, open_store
from afresh.wiring import journal_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afresh.config.settings import Settings

_STDOUT = "-"


@click.command(
    "export",
    short_help="Write the whole state into a file.",
    context_settings=HELP,
    epilog="Example: afresh state export state.jsonl.gz",
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--allow-running", is_flag=True, help="Export although runs are at work: what they build later is not in the file.")
@state_options("whose state is exported")
def export(*, file: Path, allow_running: bool, project_dir: Path | None, state_url: str | None) -> int:
    """Write the whole state, as it is now, into FILE: compressed if its name ends in .gz, to the standard output if it is `-`."""
    settings = settings_of(project_dir, state_url)
    _tell_what_was_built_without(settings)
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        if not store.runs(1) and not store.recorded():
            raise UsageError("there is no state to export", where=store.place, hint="Any build makes one, for example `afresh build`.")
        with _new_file(file) as out:
            packed = file.suffix == ".gz"
            moved = store.export(out, shown=_shown(file), afresh=__version__, packed=packed, allow_running=allow_running)
        tell = sys.stderr if str(file) == _STDOUT else sys.stdout
        tell.write(f"Exported {moved_text(moved)} from {store.place} to {_shown(file)}.\n")
    return EXIT_OK


def _tell_what_was_built_without(settings: Settings) -> None:
    """What was built while the state could not be reached is in no export unless the state is told of it first."""
    journal = journal_of(settings)
    if journal.has_entries():
        with open_store(settings.state_url, base=settings.project_dir) as store:
            journal.hand_over(store)


@contextmanager
def _new_file(file: Path) -> Iterator[IO[bytes]]:
    """A file to write into, which is there under its name only when it is whole."""
    if str(file) == _STDOUT:
        with tempfile.TemporaryFile() as whole:
            yield whole
            whole.seek(0)
            shutil.copyfileobj(whole, sys.stdout.buffer)
        return
    if file.is_dir():
        raise UsageError("this is a folder", where=str(file), hint="Name a file in it, for example state.jsonl.gz.")
    if file.exists():
        raise UsageError("the file exists already", where=str(file), hint="Give another name, or move the file away.")
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with unfinished.open("w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(file)
    except OSError as error:
        raise not_written(error, str(file)) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _shown(file: Path) -> str:
    return "the standard output" if str(file) == _STDOUT else str(file)
