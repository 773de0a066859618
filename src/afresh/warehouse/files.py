"""Files that are read in place: their size, time of change and inode stand for their content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from afresh.core.version import Known, Unknown
from afresh.warehouse.asks import AskFiles, AskSql, Failed, FileStats, Rows
from afresh.warehouse.cells import literal, marked_columns, unmarked_rows
from afresh.warehouse.tokens import digest, write_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.core.version import DataVersion
    from afresh.warehouse.asks import Answer, Ask, FileStat

RACY_NS = 20_000_000
"""A file that changed less than this before it was looked at may change again within one tick of the file system's clock."""

_REMOTE = re.compile(r"^(?!file:)[a-z][a-z0-9+.-]+://|^(?:md|hf):", re.IGNORECASE)


def is_remote(pattern: str) -> bool:
    """Whether a path leads off this machine."""
    return _REMOTE.match(pattern) is not None


def ask_files(patterns: Sequence[str], database: str | None = None) -> tuple[Ask, ...]:
    """The questions about these paths: local ones to this machine, remote ones to the engine, which holds their credentials."""
    local = tuple(sorted({pattern.removeprefix("file://") for pattern in patterns if not is_remote(pattern)}))
    remote = sorted({pattern for pattern in patterns if is_remote(pattern)})
    asks: list[Ask] = [AskFiles((path,), RACY_NS) for path in local]
    asks += [AskSql(_remote_sql(path), database, f"size and time of {path}") for path in remote]
    return tuple(asks)


def _remote_sql(pattern: str) -> str:
    """Only names, sizes and times: DuckDB does not fetch the content that is not asked for."""
    return f"select {marked_columns('filename', 'size', 'last_modified')} from read_blob({literal(pattern)}) order by 1"


@dataclass(frozen=True, slots=True)
class FilesToken:
    """The version of a set of files, and whether all of them are local (remote times count in whole seconds)."""

    version: DataVersion
    local: bool


def files_token(asks: Sequence[Ask], answers: Sequence[Answer]) -> FilesToken:
    """The version of everything that was asked about; Unknown as soon as one question found nothing."""
    seen: list[object] = []
    local = True
    for ask, answer in zip(asks, answers, strict=True):
        found = _seen(answer)
        if isinstance(found, Unknown):
            return FilesToken(Unknown(f"{_what(ask)}: {found.why}"), local)
        local = local and isinstance(ask, AskFiles)
        seen.append(found)
    return FilesToken(Known(write_token("files1", {"files": digest(*seen)})), local)


def _what(ask: Ask) -> str:
    return ", ".join(ask.patterns) if isinstance(ask, AskFiles) else ask.label


def _seen(answer: Answer) -> list[object] | Unknown:
    if isinstance(answer, Failed):
        return Unknown(answer.error)
    if isinstance(answer, Rows):
        return _seen_remote(answer)
    if not answer.files:
        return Unknown("no such file")
    return [_stat_text(stat, answer.observed_at_ns) for stat in sorted(answer.files, key=lambda stat: stat.path)]


def _seen_remote(answer: Rows) -> list[object] | Unknown:
    rows = unmarked_rows(answer)
    if not rows:
        return Unknown("no such file")
    if any(size is None or modified is None or modified.startswith("1970-01-01") for _, size, modified in rows):
        return Unknown("its time of change is not told")
    return [list(row) for row in rows]


def _stat_text(stat: FileStat, observed_at_ns: int | None) -> str:
    return f"{stat.path}|{stat_sign(stat)}" + (f"|racy {observed_at_ns}" if is_racy(stat, observed_at_ns) else "")


def stat_sign(stat: FileStat) -> str:
    """What of one file is compared."""
    return f"{stat.size}:{stat.mtime_ns}:{stat.inode}"


def is_racy(stat: FileStat, observed_at_ns: int | None) -> bool:
    """Whether the file changed so shortly before it was looked at that a further change might leave the same sign."""
    return observed_at_ns is not None and abs(observed_at_ns - stat.mtime_ns) < RACY_NS


def file_guard(answer: Answer) -> str | None:
    """One sign for all files of an answer, or ``None`` where it cannot vouch for them."""
    if not isinstance(answer, FileStats) or not answer.files:
        return None
    if any(is_racy(stat, answer.observed_at_ns) for stat in answer.files):
        return None
    return "|".join(f"{stat.path}={stat_sign(stat)}" for stat in sorted(answer.files, key=lambda stat: stat.path))
