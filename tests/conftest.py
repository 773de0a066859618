"""Fixtures for all tests: see ``support`` for what they give."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

from support.macros import remember_macros
from support.postgres import PostgresDatabase, PostgresServer, running_server
from support.project import Project, create_project
from support.warehouse import DuckDBFile, Warehouse

# Machines are slow at times, and no test measures time; an example that fails is printed so that it can be repeated. A change is
# judged by the same examples everywhere; AFRESH_THOROUGH=1 looks for new ones.
settings.register_profile("afresh", deadline=None, print_blob=True, derandomize="AFRESH_THOROUGH" not in os.environ)
settings.load_profile("afresh")


class ProjectFactory(Protocol):
    """How a test asks for a project."""

    def __call__(
        self,
        files: Mapping[str, str] | None = None,
        *,
        name: str = "shop",
        warehouse: Warehouse | None = None,
        threads: int = 4,
        settings: Mapping[str, object] | None = None,
    ) -> Project:
        """Write a project of ``files`` into a new folder.

        Args:
            files: texts by path, such as ``{"models/orders.sql": "select 1 as id"}``.
            name: the project's name, and its folder's.
            warehouse: where it builds; a DuckDB file of its own unless told otherwise.
            threads: of the target.
            settings: top-level entries of ``dbt_project.yml``.
        """


@pytest.fixture(scope="session", autouse=True)
def _quiet_dbt() -> Iterator[None]:
    """No telemetry, no colours, no log files, and none of the settings of whoever runs the tests."""
    ours = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_USE_COLORS": "false", "DBT_LOG_LEVEL_FILE": "none"}
    theirs = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(("DBT_", "AFRESH"))}
    os.environ.update(ours)
    yield
    for name in ours:
        del os.environ[name]
    os.environ.update(theirs)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Who starts the tests in the background of a script has SIGINT ignored, and every process below would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def dbt_project(tmp_path: Path) -> ProjectFactory:
    """Makes projects; two of one test may share a warehouse."""

    def create(
        files: Mapping[str, str] | None = None,
        *,
        name: str = "shop",
        warehouse: Warehouse | None = None,
        threads: int = 4,
        settings: Mapping[str, object] | None = None,
    ) -> Project:
        project = create_project(
            tmp_path / name,
            warehouse or DuckDBFile(tmp_path / f"{name}.duckdb"),
            files or {},
            name=name,
            threads=threads,
            settings=settings or {},
        )
        if not settings:  # else dbt has as much to do as it saves
            remember_macros(project.root)
        return project

    return create


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started when the first test asks for it."""
    with running_server() as server:
        yield server


@pytest.fixture
def state_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this test alone, to keep state in and to be stopped."""
    with running_server(shared=False) as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[PostgresDatabase]:
    """An empty PostgreSQL database for this test alone."""
    with postgres_server.database() as database:
        yield database


@pytest.fixture
def make_postgres(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> Callable[[], PostgresDatabase]:
    """Makes empty PostgreSQL databases, for a test that needs more than one."""

    def create() -> PostgresDatabase:
        manager = postgres_server.database()
        database = manager.__enter__()
        request.addfinalizer(lambda: manager.__exit__(None, None, None))
        return database

    return create
