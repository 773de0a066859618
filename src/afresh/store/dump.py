"""The file that holds a whole state: JSON Lines that can be written and read without holding more than a line.

First an object that says what the file is (:class:`DumpHead`); then, for each table, an object with its name and columns,
followed by its rows, one array each; last an object with the number of rows and the SHA-256 of every byte before it, so that
a file that was cut short or changed is refused. Bytes are base64. Equal states give equal files, on every database.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

from afresh.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FORMAT = "afresh-state"
VERSION = 1
"""The number of the format; a file with a larger one was written by a later Afresh."""

_NO_EXPORT = "Give a file that `afresh state export` wrote."
_AGAIN = "Export the state again, and copy the file whole."


@dataclass(frozen=True, slots=True)
class DumpHead:
    """What a file says of itself."""

    schema: str
    """The revision of the tables in it."""
    afresh: str
    """Who wrote it."""
    secrets_key: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    """How many rows each table has, in the order in which the tables follow."""
    numbers: Mapping[str, int] = field(default_factory=dict)
    """The last number that each table which counts its rows has given."""


class DumpWriter:
    """Writes a file from its head to its last line."""

    def __init__(self, out: IO[bytes], head: DumpHead) -> None:
        self._out = out
        self._sum = hashlib.sha256()
        self._rows = 0
        self._line({"format": FORMAT, "version": VERSION, **asdict(head)})

    def table(self, name: str, columns: Sequence[str]) -> None:
        """The rows of a table follow."""
        self._line({"table": name, "columns": list(columns)})

    def row(self, values: Sequence[Any]) -> None:
        """One row of the table that was named last."""
        self._rows += 1
        self._line(values)

    def close(self) -> None:
        """The last line; the file is of no use without it."""
        self._line({"rows": self._rows, "sha256": self._sum.hexdigest()})

    def _line(self, content: object) -> None:
        raw = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        self._sum.update(raw)
        self._out.write(raw)


@dataclass(frozen=True, slots=True)
class DumpTable:
    """The rows of this table follow, with their values in the order of these columns."""

    name: str
    columns: tuple[str, ...]


class DumpReader:
    """Reads a file once, from its head on; ``place`` is what errors call it.

    Raises:
        UsageError: the file is no export, is of a later format, was cut short or changed.
    """

    def __init__(self, source: IO[bytes], place: str) -> None:
        self._source = source
        self.place = place
        self._sum = hashlib.sha256()
        self._number = 0
        self.head = self._head()

    def contents(self) -> Iterator[DumpTable | list[Any]]:
        """Each table, and after it each of its rows; ends only if the file is whole."""
        left = dict(self.head.rows)
        table = ""
        while isinstance(line := self._next(), list) or "table" in line:
            if isinstance(line, dict):
                table = str(line["table"])
                if table not in left:
                    raise self._damaged()
                yield DumpTable(table, tuple(line["columns"]))
            else:
                left[table] = left.get(table, 0) - 1
                yield line
        if line.get("rows") != sum(self.head.rows.values()) or any(left.values()) or self._raw():
            raise self._damaged()

    def _head(self) -> DumpHead:
        try:
            first = json.loads(self._raw())
        except ValueError:
            first = None
        if not isinstance(first, dict) or first.get("format") != FORMAT:
            raise UsageError("this is no exported state", where=self.place, hint=_NO_EXPORT)
        if first.get("version") != VERSION:
            raise UsageError(
                f"the file has format {first.get('version')}, and this version of Afresh reads format {VERSION}",
                where=self.place,
                hint="Upgrade Afresh to the version that wrote the file"
                + (f", which is {first['afresh']}." if isinstance(first.get("afresh"), str) else "."),
            )
        try:
            return DumpHead(*(_of_type(first[name], kind) for name, kind in _HEAD.items()))
        except (KeyError, TypeError):
            raise self._damaged() from None

    def _next(self) -> dict[str, Any] | list[Any]:
        before = self._sum.hexdigest()
        raw = self._raw()
        if not raw:
            raise UsageError(f"the file ends after line {self._number - 1}: it was cut short", where=self.place, hint=_AGAIN)
        try:
            line = json.loads(raw)
        except ValueError:
            line = None
        if isinstance(line, dict) and "sha256" in line and line["sha256"] != before:
            raise self._damaged("its content does not fit its checksum")
        if not isinstance(line, dict | list) or (isinstance(line, dict) and not {"table", "columns"} <= set(line) and "sha256" not in line):
            raise self._damaged(cut_short=not raw.endswith(b"\n"))
        return line

    def _raw(self) -> bytes:
        self._number += 1
        try:
            raw = self._source.readline()
        except (OSError, EOFError, zlib.error) as error:  # what gzip says of a file that is not whole
            what = str(error) or type(error).__name__
            raise UsageError(
                f"the file cannot be read further than line {self._number - 1}: {what}", where=self.place, hint=_AGAIN
            ) from error
        self._sum.update(raw)
        return raw

    def _damaged(self, why: str = "", *, cut_short: bool = False) -> UsageError:
        what = "is cut short" if cut_short else "cannot be right"
        return UsageError(f"the file is damaged: {why or f'line {self._number} {what}'}", where=self.place, hint=_AGAIN)


_HEAD: Mapping[str, type] = {"schema": str, "afresh": str, "secrets_key": str, "rows": dict, "numbers": dict}


def _of_type(value: Any, kind: type) -> Any:  # noqa: ANN401 - whatever the file says
    if not isinstance(value, kind) or (isinstance(value, dict) and not all(type(count) is int for count in value.values())):
        raise TypeError
    return value
