"""What it costs to ask whether sources have new data: hundreds of tables in PostgreSQL, one very large table in DuckDB."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import psycopg
from benchmarks.measure import Fact, Report, run
from benchmarks.server import logged, new_database, postgres_server

_OURS = "'t:'"
"""In every statement in which Afresh asks the warehouse for something, and in none of dbt's."""
_SHARE = 5.0
"""Per cent of a run in which nothing changed."""
_PROJECT = 'name: bench\nversion: "1.0.0"\nconfig-version: 2\nprofile: bench\n'


def of_many(folder: Path, tables: int) -> Report:
    """Sources in one PostgreSQL database, all read by one model, in a run in which nothing changed."""
    with postgres_server() as server:
        url = new_database(server)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create schema raw")
            for number in range(tables):
                connection.execute(f"create table raw.t_{number} as select {number} as id")
        _write(folder, _postgres_target(url), tables)
        for _ in ("everything is built", "every verdict is a new one"):
            run(["afresh", "build"], cwd=folder)
        costs = []
        lines = logged(url, lambda: costs.append(run(["afresh", "build"], cwd=folder)))
    asked = [float(found[1]) for line in lines if _OURS in line and (found := re.search(r"duration: ([\d.]+) ms", line))]
    share = 100 * sum(asked) / 1000 / costs[0].wall_seconds
    return Report(
        "sources",
        facts=(
            Fact(f"queries in which PostgreSQL is asked about {tables:,} sources", len(asked), "", limit=3),
            Fact("time that they take, of the run", share, "%", limit=_SHARE),
        ),
    )


def of_one_large(folder: Path, rows: int) -> Report:
    """A large source table in DuckDB without ``loaded_at_*``, in a file as our last run left it and in one that somebody else wrote to."""
    _write(folder, {"type": "duckdb", "path": "bench.duckdb", "threads": 4}, 1)
    with duckdb.connect(str(folder / "bench.duckdb")) as connection:
        connection.execute("create schema raw")
        connection.execute(f"create table raw.t_0 as select range as id, range % 97 as kind, hash(range) as payload from range({rows})")
    for _ in ("everything is built", "every verdict is a new one"):
        run(["afresh", "build"], cwd=folder)
    quiet = _deciding(folder)
    with duckdb.connect(str(folder / "bench.duckdb")) as connection:
        connection.execute("create table raw.other as select 1 as id")
    touched = _deciding(folder)
    return Report(
        "large_source",
        facts=(
            Fact(f"deciding over {rows:,} rows in a file that nobody else wrote to", quiet, "s", limit=0.3),
            Fact("the same when somebody wrote to another table of the file", touched, "s"),
        ),
    )


def _deciding(folder: Path) -> float:
    run(["afresh", "build"], cwd=folder)
    program = str(Path(sys.executable).with_name("afresh"))
    told = subprocess.run([program, "runs", "list", "--limit", "1", "--output", "json"], cwd=folder, check=True, capture_output=True)
    return float(json.loads(told.stdout)["runs"][0]["deciding_seconds"])


def _postgres_target(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query)["host"][0]
    return {"type": "postgres", "host": host, "port": parts.port or 5432, "user": parts.username, "password": parts.password or "",
            "dbname": parts.path.lstrip("/"), "schema": "bench", "threads": 4}  # fmt: skip


def _write(folder: Path, target: dict[str, object], tables: int) -> None:
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(_PROJECT)
    (folder / "profiles.yml").write_text(json.dumps({"bench": {"target": "dev", "outputs": {"dev": target}}}))
    names = [f"t_{number}" for number in range(tables)]
    sources = {"version": 2, "sources": [{"name": "raw", "tables": [{"name": name} for name in names]}]}
    (folder / "models" / "sources.yml").write_text(json.dumps(sources))
    selects = " union all ".join(f"select id from {{{{ source('raw', '{name}') }}}}" for name in names)
    (folder / "models" / "all_of_them.sql").write_text(f"{{{{ config(materialized='table') }}}} select count(*) as n from ({selects}) as t")
