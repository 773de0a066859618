"""House rules that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PACKAGES = sorted({file.parent for file in SOURCES if file.parent.name != "versions"})  # Alembic's scripts are no package
VAGUE_NAMES = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50
MACHINE_PATH = re.compile(r"/(home/\w+|root|tmp/envs|Users/\w+|work)/")
NOT_OURS = {".git", ".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tools", ".venv", ".venvs"}
NOT_TEXT = {".duckdb", ".db", ".gz", ".ico", ".png", ".pyc", ".wal", ".whl", ".zip"}


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def repository_files() -> Iterator[Path]:
    for entry in sorted(ROOT.iterdir()):
        if entry.name in NOT_OURS:
            continue
        yield from (file for file in [entry, *sorted(entry.rglob("*"))] if file.is_file() and file.suffix not in NOT_TEXT)


def test_there_is_something_to_check():
    assert ROOT / "src" / "afresh" / "errors.py" in SOURCES


@pytest.mark.parametrize("folder", ["src", "tests"])
def test_no_module_has_a_name_that_says_nothing(folder):
    named_vaguely = [path for path in (ROOT / folder).rglob("*.py") if {path.stem, path.parent.name} & VAGUE_NAMES]

    assert named_vaguely == []


def test_no_module_is_longer_than_one_can_read_in_one_sitting():
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCES}

    assert {file: lines for file, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_a_screen():
    lengths = {f"{file.relative_to(ROOT)}:{function.name}": length(function) for file in SOURCES for function in functions(file)}

    assert {function: lines for function, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_every_package_says_what_it_is_for():
    silent = [
        str(package.relative_to(ROOT))
        for package in PACKAGES
        if not (package / "__init__.py").exists() or not ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_no_file_names_a_path_of_one_machine():
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in repository_files()
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]

    assert found == []
