"""Holds the conversations of :mod:`afresh.warehouse` over plain drivers, as the host holds them over dbt's connections."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import psycopg

from afresh.core.relation import Relation
from afresh.warehouse.asks import Answer, Ask, AskFiles, AskSql, Failed, FileStat, FileStats, Probing, Rows
from afresh.warehouse.names import Name
from afresh.warehouse.probe import NO_LIMITS, NO_MEMOS, ProbeAnswer, Target, token_of
from afresh.warehouse.registry import engine

T = TypeVar("T")


@dataclass
class Conversation:
    """Answers asks and keeps them, so that a test can say what was asked."""

    sql: Callable[[str], Rows]
    clock: Callable[[], int] = time.time_ns
    asked: list[Ask] = field(default_factory=list)

    def hold(self, talk: Probing[T]) -> T:
        try:
            asks = next(talk)
            while True:
                self.asked.extend(asks)
                asks = talk.send(tuple(self.answer(ask) for ask in asks))
        except StopIteration as end:
            return end.value

    def answer(self, ask: Ask) -> Answer:
        if isinstance(ask, AskFiles):
            return look_at(ask, self.clock)
        try:
            return self.sql(ask.sql)
        except (duckdb.Error, psycopg.Error) as error:
            return Failed(str(error))

    @property
    def read_tables(self) -> list[str]:
        return [ask.label for ask in self.asked if isinstance(ask, AskSql) and ask.label.startswith("content of")]


def look_at(ask: AskFiles, clock: Callable[[], int]) -> FileStats:
    """What a host does: look, and look again as long as a file is too young; a clock that stands still is not waited for."""
    seen = stats_of(ask.patterns, clock())
    started = seen.observed_at_ns
    while clock() != started and any(0 <= seen.observed_at_ns - stat.mtime_ns < ask.quiet_ns for stat in seen.files):
        seen = stats_of(ask.patterns, clock())
    return seen


def stats_of(patterns: Sequence[str], now: int) -> FileStats:
    paths = [Path(os.path.realpath(path)) for pattern in patterns for path in glob.glob(pattern, recursive=True)]  # noqa: PTH207 - patterns are absolute paths
    stats = [(path, path.stat()) for path in paths if path.is_file()]
    return FileStats(tuple(FileStat(str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino) for path, stat in stats), now)


def over_duckdb(connection: duckdb.DuckDBPyConnection) -> Conversation:
    def run(sql: str) -> Rows:
        cursor = connection.cursor()
        try:
            found = cursor.execute(sql)
            return Rows(tuple(column[0] for column in found.description or ()), tuple(found.fetchall()))
        finally:
            cursor.close()

    return Conversation(run)


def over_postgres(connection: psycopg.Connection[Any]) -> Conversation:
    def run(sql: str) -> Rows:
        found = connection.execute(sql)
        return Rows(tuple(column.name for column in found.description or ()), tuple(found.fetchall()))

    return Conversation(run)


def target(database: str, schema: str, identifier: str, **more: Any) -> Target:
    return Target(Relation("test", database, schema, identifier), Name(database, schema, identifier), **more)


def look(conversation: Conversation, adapter: str, wanted: Target, memos: Any = NO_MEMOS, limits: Any = NO_LIMITS) -> ProbeAnswer:
    return conversation.hold(engine(adapter).probe([wanted], memos, limits))[wanted.key]


def token(conversation: Conversation, adapter: str, wanted: Target) -> str:
    """The Known token of a target; a test that meets Unknown here fails with the reason."""
    answer = look(conversation, adapter, wanted)
    found = token_of(answer)
    assert found is not None, answer
    return found
