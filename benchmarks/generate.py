"""Writes dbt projects of any size for measuring: the same arguments give the same project, byte for byte.

Of N models 40 % are staging views over sources, 20 % intermediate views and 40 % tables; each has two generic tests, and each fifty
share a ``schema.yml``. The project runs on embedded DuckDB.

    python -m benchmarks.generate FOLDER --models 1000
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

DATABASE = "bench.duckdb"
MODELS_PER_SCHEMA_FILE = 50
MART_LAYERS = 4
TESTS_PER_MODEL = 2

_PROJECT = """\
name: bench
version: "1.0.0"
config-version: 2
profile: bench
flags:
  send_anonymous_usage_stats: false
models:
  bench:
    staging: {+materialized: view}
    intermediate: {+materialized: view}
    marts: {+materialized: table}
"""

_PROFILES = f"""\
bench:
  target: dev
  outputs:
    dev: {{type: duckdb, path: {DATABASE}, threads: 4}}
"""


@dataclass(frozen=True)
class Model:
    """One model to write: its file is ``models/FOLDER/NAME.sql``."""

    folder: str
    name: str
    sql: str


@dataclass(frozen=True)
class Size:
    """How large a project is; ``models`` is the sum of the three kinds."""

    models: int

    @property
    def staging(self) -> int:
        """Number of staging views; there is one source table for each."""
        return max(1, self.models * 2 // 5)

    @property
    def intermediate(self) -> int:
        """Number of intermediate views."""
        return self.models // 5

    @property
    def marts(self) -> int:
        """Number of tables."""
        return self.models - self.staging - self.intermediate

    @property
    def tests(self) -> int:
        """Number of generic tests."""
        return self.models * TESTS_PER_MODEL


def generate(folder: Path, size: Size, *, rows: int = 100, seed: int = 1) -> None:
    """Write a project and its warehouse into ``folder``, with ``rows`` rows in each source table.

    Raises:
        FileExistsError: the folder exists.
    """
    folder.mkdir(parents=True)
    models = list(_models(size, random.Random(seed)))
    files = {
        "dbt_project.yml": _PROJECT,
        "profiles.yml": _PROFILES,
        "raw_data.sql": _raw_data(size, rows),
        "models/staging/sources.yml": _sources(size),
        **{f"models/{model.folder}/{model.name}.sql": model.sql for model in models},
        **_schema_files(models),
    }
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    load_raw_data(folder)


def load_raw_data(folder: Path) -> None:
    """Create the project's warehouse with its source tables, from the project's ``raw_data.sql``."""
    import duckdb

    with duckdb.connect(folder / DATABASE) as connection:
        connection.execute((folder / "raw_data.sql").read_text(encoding="utf-8"))


def _models(size: Size, chance: random.Random) -> Iterator[Model]:
    staging = [f"stg_{i:05}" for i in range(size.staging)]
    intermediate = [f"int_{i:05}" for i in range(size.intermediate)]
    marts = [f"mart_{i:05}" for i in range(size.marts)]
    for i, name in enumerate(staging):
        yield Model("staging", name, f"select id, amount, updated_at\nfrom {{{{ source('raw', 'raw_{i:05}') }}}}\n")
    for name in intermediate:
        yield Model("intermediate", name, _join(chance.sample(staging, k=min(2, len(staging)))))
    per_layer = -(-len(marts) // MART_LAYERS)
    for i, name in enumerate(marts):
        layer = i // per_layer
        candidates = [*staging, *intermediate, *marts[max(0, layer - 1) * per_layer : layer * per_layer]]
        yield Model("marts", name, _join(chance.sample(candidates, k=min(chance.randint(1, 3), len(candidates)))))


def _join(parents: Sequence[str]) -> str:
    first, *others = parents
    amount = " + ".join(f"{parent}.amount" for parent in parents)
    updated_at = f"greatest({', '.join(f'{parent}.updated_at' for parent in parents)})" if others else f"{first}.updated_at"
    joins = "".join(f"inner join {{{{ ref('{parent}') }}}} as {parent} on {first}.id = {parent}.id\n" for parent in others)
    return (
        "select\n"
        f"    {first}.id,\n"
        f"    ({amount}) % 1000 as amount,\n"
        f"    {updated_at} as updated_at\n"
        f"from {{{{ ref('{first}') }}}} as {first}\n"
        f"{joins}"
    )


def _sources(size: Size) -> str:
    tables = "".join(f"      - name: raw_{i:05}\n" for i in range(size.staging))
    return f"version: 2\n\nsources:\n  - name: raw\n    tables:\n{tables}"


def _schema_files(models: Sequence[Model]) -> dict[str, str]:
    files = {}
    for folder in ("staging", "intermediate", "marts"):
        of_folder = [model for model in models if model.folder == folder]
        for number, start in enumerate(range(0, len(of_folder), MODELS_PER_SCHEMA_FILE)):
            entries = "".join(_schema_entry(model) for model in of_folder[start : start + MODELS_PER_SCHEMA_FILE])
            files[f"models/{folder}/schema_{number:03}.yml"] = f"version: 2\n\nmodels:\n{entries}"
    return files


def _schema_entry(model: Model) -> str:
    return (
        f"  - name: {model.name}\n"
        f"    description: The {model.folder} model {model.name}.\n"
        "    columns:\n"
        "      - name: id\n"
        "        data_tests: [unique, not_null]\n"
    )


def _raw_data(size: Size, rows: int) -> str:
    tables = (
        f"create table raw.raw_{i:05} as\n"
        f"select id, (id * {i + 7}) % 1000 as amount, timestamp '2026-01-01' + to_minutes(cast(id as integer)) as updated_at\n"
        f"from range({rows}) as series (id);\n"
        for i in range(size.staging)
    )
    return "create schema raw;\n" + "".join(tables)


def main() -> None:
    """Read the command line and write the project."""
    parser = argparse.ArgumentParser(description="Write a dbt project of N models on DuckDB.")
    parser.add_argument("folder", type=Path, help="where to write it; must not exist")
    parser.add_argument("--models", type=int, default=200, help="number of models (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=100, help="rows in each source table (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another number gives other edges (default: %(default)s)")
    options = parser.parse_args()
    size = Size(options.models)
    generate(options.folder, size, rows=options.rows, seed=options.seed)
    print(f"{options.folder}: {size.models} models, {size.tests} tests, {size.staging} sources")


if __name__ == "__main__":
    main()
