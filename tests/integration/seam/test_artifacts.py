"""``manifest.json`` after a run: what plain dbt leaves there, written once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from dbt.contracts.graph.manifest import Manifest

FILES = {
    "models/a.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/b.sql": "select id from {{ ref('a') }}",
    "models/schema.yml": "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]",
}
OF_COMPILING = ("created_at", "compiled_path", "build_path", "extra_ctes_injected", "depends_on")
"""Moments, and what dbt notes while it compiles: a reused node has its compiled SQL, and none of these."""
MANIFEST = "target/manifest.json"
WHAT_IS_IMPORTED = "import sys; from afresh.cli.main import main; main(['build']); print('imported:', *sorted(sys.modules))"


def manifest(project):
    """What tools read of the manifest, without moments and random names."""
    found = json.loads(project.read(MANIFEST))
    nodes = {name: {key: value for key, value in node.items() if key not in OF_COMPILING} for name, node in found["nodes"].items()}
    return nodes, found["parent_map"], found["child_map"], sorted(found["macros"])


@pytest.fixture
def writes(monkeypatch):
    """How many times dbt has written a manifest."""
    counted = []
    write = Manifest.write
    monkeypatch.setattr(Manifest, "write", lambda self, path: (counted.append(path), write(self, path)))
    return counted


def test_it_is_written_once_and_holds_what_dbt_would_have_written(shop, writes):
    project = shop(FILES)
    project.dbt("build")
    plain = manifest(project)
    assert len(writes) == 2
    writes.clear()

    assert project.afresh("build").reused == set()
    assert manifest(project) == plain
    assert project.afresh("build").reused == {"a", "b", "unique_a_id"}
    assert manifest(project) == plain
    assert len(writes) == 2


@pytest.mark.parametrize(
    "mistake", [{"models/b.sql": "select id from {{ ref('nosuch') }}"}, {"models/b.sql": "select {{ nosuch() }} as id"}]
)
def test_a_run_that_fails_leaves_the_manifest_that_plain_dbt_leaves(shop, mistake):
    project = shop({**FILES, **mistake})
    (project.root / MANIFEST).unlink(missing_ok=True)
    theirs = project.dbt("build").exit_code
    left = manifest(project) if (project.root / MANIFEST).exists() else None
    (project.root / MANIFEST).unlink(missing_ok=True)

    assert project.afresh("build").exit_code == theirs != 0
    assert (manifest(project) if (project.root / MANIFEST).exists() else None) == left


def test_it_is_there_even_if_the_warehouse_never_answers(shop):
    project = shop(FILES)
    project.replace(
        "profiles.yml", "shop.duckdb" if "shop.duckdb" in project.read("profiles.yml") else "test.duckdb", "nosuch/folder/shop.duckdb"
    )
    (project.root / MANIFEST).unlink(missing_ok=True)

    assert project.afresh("build").exit_code != 0
    assert "model.shop.a" in manifest(project)[0]


def test_it_is_written_as_early_as_ever_where_dbt_may_read_it_in_between(shop, writes):
    project = shop(FILES)
    project.afresh("build")
    (project.root / "before").mkdir()
    (project.root / "before/manifest.json").write_text(project.read(MANIFEST))
    writes.clear()

    assert project.afresh("build", "--state", "before", "--select", "state:modified+").exit_code == 0
    assert len(writes) == 2


def test_nothing_changed_means_that_no_sql_parser_is_imported(shop):
    project = shop(FILES)
    project.afresh("build")

    done = subprocess.run([sys.executable, "-c", WHAT_IS_IMPORTED], cwd=project.root, capture_output=True, text=True, check=True)

    imported = done.stdout.partition("imported: ")[2].split()
    assert "afresh.dbt.guest" in imported
    assert not {name for name in imported if name.startswith(("sqlglot", "alembic", "psycopg"))}
