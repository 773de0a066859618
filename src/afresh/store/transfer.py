"""Files of exported states: opening them, whichever way they are packed, and bringing those of earlier releases up to date."""

from __future__ import annotations

import gzip
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from sqlalchemy import MetaData

from afresh.errors import UnavailableError, UsageError
from afresh.store import exporting, identity
from afresh.store.dump import DumpReader
from afresh.store.engine import Database, Transaction, sqlite_engine
from afresh.store.importing import count_on, fill, import_, refuse_while_at_work
from afresh.store.schema import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afresh.store.exporting import Moved

_GZIP = b"\x1f\x8b"
_LATER = (
    "Wait until they have ended. With `--allow-running`, what they are building is due in the copy, and what they build later is not in it."
)


def export_to(database: Database, out: IO[bytes], *, shown: str, afresh: str, packed: bool, allow_running: bool) -> Moved:
    """Write the state into a file that can be written again from its beginning."""

    def work(tx: Transaction) -> Moved:
        if not allow_running:
            refuse_while_at_work(tx, database.place, _LATER)
        try:
            return _write(tx, out, afresh=afresh, packed=packed)
        except OSError as error:
            raise not_written(error, shown) from error

    return database.read(work)


def _write(tx: Transaction, out: IO[bytes], *, afresh: str, packed: bool) -> Moved:
    out.seek(0)
    out.truncate()
    if not packed:
        return exporting.export(tx, out, afresh=afresh)
    # Without a name and a time inside, equal states give equal files.
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as zipped:
        return exporting.export(tx, cast("IO[bytes]", zipped), afresh=afresh)


def not_written(error: OSError, shown: str) -> UnavailableError:
    """What to tell when a file cannot be written."""
    what = f"the file cannot be written: {error.strerror or error}"
    return UnavailableError(what, where=shown, hint="Give a place that this user may write, with enough space.")


def import_from(database: Database, file: Path, *, shown: str, replace: bool, invalidate: bool) -> Moved:
    """Read a file in one transaction; one that turns out not to be whole changes nothing."""
    with _of_this_release(file, shown) as current:

        def work(tx: Transaction) -> Moved:
            with opened(current, shown) as reader:
                return import_(tx, reader, place=database.place, replace=replace, invalidate=invalidate)

        return database.write_durably(work)


def check(file: Path, shown: str) -> None:
    """Read a file to its end.

    Raises:
        UsageError: it is no export that this release can read, or it is not whole.
    """
    with opened(file, shown) as reader:
        for _ in reader.contents():
            pass


@contextmanager
def opened(file: Path, shown: str) -> Iterator[DumpReader]:
    """Read a file, packed or not."""
    try:
        raw = file.open("rb")
    except OSError as error:
        raise UsageError(
            f"the file cannot be read: {error.strerror or error}", where=shown, hint="Give a file that `afresh state export` wrote."
        ) from error
    with raw:
        is_packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        if not is_packed:
            yield _known(DumpReader(raw, shown))
            return
        with gzip.GzipFile(fileobj=raw) as unzipped:
            yield _known(DumpReader(cast("IO[bytes]", unzipped), shown))


def _known(reader: DumpReader) -> DumpReader:
    from afresh.store.migrating import revisions

    if reader.head.schema != HEAD and reader.head.schema not in revisions():
        raise UsageError(
            f"the file has schema {reader.head.schema}, and this version of Afresh knows schemas up to {HEAD}",
            where=reader.place,
            hint=f"Upgrade Afresh to the version that wrote the file, which is {reader.head.afresh}.",
        )
    return reader


@contextmanager
def _of_this_release(file: Path, shown: str) -> Iterator[Path]:
    """The file itself, or what it would be if this release had written it."""
    with opened(file, shown) as reader:
        if reader.head.schema == HEAD:
            yield file
            return
        with tempfile.TemporaryDirectory(prefix="afresh-import-") as folder:
            yield _brought_up_to_date(reader, Path(folder))


def _brought_up_to_date(reader: DumpReader, folder: Path) -> Path:
    """Put the rows into a database with the tables of their time, and let that be migrated as any other would be."""
    from afresh.store.migrating import upgrade

    engine = sqlite_engine(folder / "state.db", mode="rwc")
    current = folder / "current"
    try:
        with engine.begin() as conn:
            upgrade(conn, reader.head.schema)
            of_its_time = MetaData()
            of_its_time.reflect(conn)
            fill(conn, reader, of_its_time.tables)
            upgrade(conn)
            tx = Transaction(conn, None)
            count_on(tx, reader.head.numbers)
            if reader.head.secrets_key:
                identity.take_over(tx, reader.head.secrets_key)
            with current.open("wb") as out:
                exporting.export(tx, out, afresh=reader.head.afresh)
    finally:
        engine.dispose()
    return current
