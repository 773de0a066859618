"""How the demo tells to call the program afterwards."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from afresh.cli.demo import _spelled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program beside a Python, in a folder of which the shell does not know."""
    folder = tmp_path / "my env"
    folder.mkdir()
    program = folder / "afresh"
    program.touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def test_where_the_shell_does_not_find_the_program_its_whole_path_is_told(installed: Path) -> None:
    assert _spelled() == f"'{installed}'"


def test_where_the_shell_finds_another_one_the_whole_path_is_told_too(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "afresh").touch(mode=0o755)
    assert _spelled() == f"'{installed}'"


def test_where_the_shell_finds_it_its_name_will_do(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(installed.parent))
    assert _spelled() == "afresh"
