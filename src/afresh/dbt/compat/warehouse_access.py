"""Asking the warehouse through dbt's own adapter, without disturbing the connections of the nodes that run."""

from __future__ import annotations

import contextlib
import contextvars
import glob
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dbt.adapters.contracts.connection import ConnectionState
from dbt.adapters.sql.connections import SQLConnectionManager
from dbt_common.context import get_invocation_context, set_invocation_context
from dbt_common.exceptions import DbtBaseException

from afresh.core.observation import Existence, Missing, Present
from afresh.dbt.compat.relation_cache import RelationCache, cache_key
from afresh.errors import UnavailableError
from afresh.warehouse.asks import Answer, Ask, AskFiles, AskSql, Failed, FileStat, FileStats, Rows
from afresh.warehouse.cells import marked, quoted, unmarked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_FEWEST_THREADS, _MOST_THREADS = 2, 16
_ONE_QUESTION_FOR_ALL = frozenset({"duckdb", "postgres"})
"""Adapters that are asked about all tables at once, so that more connections would only cost."""
_WITHOUT_CURSORS = frozenset({"clickhouse"})
"""Adapters whose ``add_query`` gives no rows."""
_BETWEEN_CANCELS = 0.2
_IDLE = 0
"""psycopg's ``TRANSACTION_STATUS_IDLE``: no transaction is open on the server."""
_WRITABLE = f"select {marked('database_name')} from duckdb_databases() where not internal and not readonly and path is not null"  # noqa: S608 - fixed text


class WarehouseAccess:
    """Answers questions on threads and connections of its own."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self._cache = RelationCache(adapter)
        self._environment = dict(get_invocation_context().env)
        self._pool = ThreadPoolExecutor(max_workers=_threads(adapter), thread_name_prefix="afresh-asks", initializer=self._enter)

    def _enter(self) -> None:
        set_invocation_context(self._environment)

    def perform(self, asks: Sequence[Ask]) -> tuple[Answer, ...]:
        """Answer all of these; what fails is an answer."""
        return tuple(self._pool.map(self._answer, asks))

    def _answer(self, ask: Ask) -> Answer:
        if isinstance(ask, AskFiles):
            return stat_files(ask)
        if ask.same_session:
            return Failed("the session that built has ended")
        return contextvars.copy_context().run(self._sql, ask)

    def _sql(self, ask: AskSql) -> Answer:
        try:
            with self._adapter.connection_named("afresh"):
                return self._rows(ask.sql)
        except (DbtBaseException, RuntimeError, OSError) as error:
            return Failed(_without_heading(str(error)))

    def _rows(self, sql: str) -> Rows:
        manager = self._adapter.connections
        if isinstance(manager, SQLConnectionManager) and manager.TYPE not in _WITHOUT_CURSORS:
            # dbt's own tables guess types cell by cell, which takes longer than the query
            _, cursor = manager.add_query(sql, auto_begin=False)
            with manager.exception_handler(sql):  # some drivers tell of an error only when the rows are fetched
                names = tuple(str(column[0]) for column in cursor.description or ())
                return Rows(names, tuple(map(tuple, cursor.fetchall())) if names else ())
        _, table = self._adapter.execute(sql, auto_begin=False, fetch=True)
        return Rows(tuple(table.column_names), tuple(tuple(row) for row in table.rows))

    def end_session(self, sql: str) -> None:
        """Run a statement on the connection of the calling thread, between its transactions; nothing happens within one."""
        connection = self._adapter.connections.get_if_exists()
        if connection is None or connection.state != ConnectionState.OPEN or connection.transaction_open:
            return
        handle = connection.handle
        if handle.info.transaction_status != _IDLE:
            return
        with contextlib.suppress(Exception), contextlib.closing(handle.cursor()) as cursor:
            cursor.execute(sql)
        handle.rollback()

    @contextlib.contextmanager
    def overhearing(self) -> Iterator[list[str]]:
        """The statements that dbt sends meanwhile, on any thread."""
        manager, heard = self._adapter.connections, []
        original = manager.add_query

        def add_query(sql: str, *args: Any, **kwargs: Any) -> Any:
            heard.append(sql)
            return original(sql, *args, **kwargs)

        manager.add_query = add_query
        try:
            yield heard
        finally:
            del manager.add_query

    @contextlib.contextmanager
    def cancelling_again(self) -> Iterator[None]:
        """Meanwhile, cancel what runs on other threads again and again; only for adapters that need no connection for it."""
        done = threading.Event()

        def cancel() -> None:
            while not done.wait(_BETWEEN_CANCELS):
                with contextlib.suppress(Exception):
                    self._adapter.cancel_open_connections()

        thread = threading.Thread(target=cancel, name="afresh-cancels", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def scalar(self, sql: str) -> object:
        """The one value of a statement that only reads. Raises :class:`UnavailableError` where the warehouse does not give it."""
        (answer,) = self.perform((AskSql(sql, None, "one value"),))
        if isinstance(answer, Rows) and answer.rows:
            return answer.rows[0][0]
        raise UnavailableError(f"the warehouse does not answer: {answer.error if isinstance(answer, Failed) else 'no rows'}")

    def checkpoint(self) -> bool:
        """Bring everything that was written into the database files; ``False`` where that did not work."""
        names = self.perform((AskSql(_WRITABLE, None, "databases"),))[0]
        if not isinstance(names, Rows):
            return False
        asks = tuple(AskSql(f"checkpoint {quoted(str(unmarked(row[0])))}", None, "checkpoint") for row in names.rows)
        return not any(isinstance(answer, Failed) for answer in self.perform(asks))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True)

    # --- the relation cache -------------------------------------------------------------------------------------------

    def existence(self, relation: Any) -> Existence:
        """Whether a relation exists, from dbt's cache; a schema that dbt has not read yet is read."""
        cache = self._adapter.cache
        if (relation.database, relation.schema) in cache:
            with cache.lock:  # while it is read again, there are things in it that go again
                found = cache.relations.get(cache_key(relation))
            return Missing() if found is None else Present(_type_of(found.inner))
        return self._pool.submit(self._look_up, relation).result()

    def _look_up(self, relation: Any) -> Existence:
        with self._adapter.connection_named("afresh"):
            found = self._adapter.get_relation(relation.database, relation.schema, relation.identifier)
        return Missing() if found is None else Present(_type_of(found))

    def over(self, relation: Any, *, besides: Iterable[Any]) -> tuple[str, ...]:
        """What goes when a relation is dropped, as far as dbt's cache knows, without the relations ``besides``."""
        cached = self._adapter.cache.relations.get(cache_key(relation))
        if cached is None:
            return ()
        known = {cache_key(relation), *map(cache_key, besides)}
        return tuple(sorted(f"{key.schema}.{key.identifier}" for key in cached.collect_consequences() if key not in known))

    def reread(self, relation: Any) -> None:
        """Bring dbt's cache of one schema up to date with what other runs did to it."""
        self._pool.submit(self._reread, relation).result()

    def _reread(self, relation: Any) -> None:
        with self._adapter.connection_named("afresh"):
            self._cache.reread(relation)

    def building(self, relation: Any) -> contextlib.AbstractContextManager[None]:
        """While the calling thread builds a relation, what others learn of it from the warehouse is not written into dbt's cache."""
        return self._cache.building(relation)


def _threads(adapter: Any) -> int:
    """As many as the profile gives the adapter, where there may be a question for each table."""
    if adapter.connections.TYPE in _ONE_QUESTION_FOR_ALL:
        return _FEWEST_THREADS
    return max(_FEWEST_THREADS, min(int(adapter.config.threads or 1), _MOST_THREADS))


def _without_heading(message: str) -> str:
    """What an error of dbt says, without the line before it that only says of which kind it is."""
    heading, _, rest = message.strip().partition("\n")
    return rest.strip() if heading.endswith("Error") and rest.strip() else message


def _type_of(relation: Any) -> str:
    kind = getattr(relation, "type", None)
    return str(getattr(kind, "value", kind) or "")


def stat_files(ask: AskFiles) -> Answer:
    """Size and time of every file that a pattern names; a file that has just changed is looked at again when it is quiet."""
    try:
        found = _look_at(ask.patterns)
        if any(found.observed_at_ns is not None and found.observed_at_ns - seen.mtime_ns < ask.quiet_ns for seen in found.files):
            time.sleep(ask.quiet_ns / 1e9)
            found = _look_at(ask.patterns)
    except OSError as error:
        return Failed(f"{error.filename}: {error.strerror or error}")
    return found


def _look_at(patterns: Sequence[str]) -> FileStats:
    observed_at = time.time_ns()
    paths = [path for pattern in patterns for path in _matching(pattern)]
    return FileStats(tuple(map(_stat, paths)), observed_at)


def _matching(pattern: str) -> list[str]:
    if glob.has_magic(pattern) and not os.path.exists(pattern):  # noqa: PTH110 - a name may hold brackets and be a plain file
        return sorted(glob.iglob(pattern, recursive=True))  # noqa: PTH207 - patterns may be absolute
    return [pattern] if os.path.exists(pattern) else []  # noqa: PTH110 - globbing gives text


def _stat(path: str) -> FileStat:
    real = os.path.realpath(path)
    seen = os.stat(real)  # noqa: PTH116 - globbing gives text
    return FileStat(real, seen.st_size, seen.st_mtime_ns, seen.st_ino)
