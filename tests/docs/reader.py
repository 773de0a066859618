"""Somebody who reads a page and types every command in it, in order, and compares what is printed with what the page shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from docs.pages import ROOT, Block
from support.in_process import invoke_afresh, invoke_dbt

_ASSIGNMENT = re.compile(r"^([A-Z_]+)=(.*)$")
_VARYING = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"^\d\d:\d\d:\d\d {1,2}"), ""),
    (re.compile(r"^(\d+ of \d+ )?"), ""),
    (re.compile(r"\b01[0-9A-Z]{8,}…?"), "RUN"),
    (re.compile(r"\b\d\d:\d\d\b"), "HH:MM"),
    (re.compile(r"\d+(\.\d+)?(ms|s|m|h)\b"), "TIME"),
    (re.compile(r"(TIME )+TIME"), "TIME"),
    (re.compile(r"\.{3,}"), "..."),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True)
class Command:
    """One line after a ``$``, and the lines that the page shows below it."""

    line: str
    shown: tuple[str, ...]


@dataclass
class Reader:
    """Types the commands of one page; ``folder`` is where the reader stands."""

    folder: Path
    printed: list[str] = field(default_factory=list)
    """What the commands printed so far."""

    def follow(self, block: Block) -> None:
        """Type the commands of one block, and check what comes out."""
        expected = int(block.info.removeprefix("exit=") or 0)
        for command in commands_of(block):
            self._type(command, expected, block.place)

    def follow_line(self, line: str) -> None:
        """Type one command that no page shows."""
        self._type(Command(line, ()), 0, "before the page")

    def _type(self, command: Command, expected: int, place: str) -> None:
        code, output = self._run(command.line)
        self.printed.append(output)
        assert code == expected, f"{place}: `{command.line}` ends with exit code {code}\n{output}"
        missing = lines_missing(command.shown, output)
        assert not missing, f"{place}: `{command.line}` does not print {missing}, but\n{output}"

    def _run(self, line: str) -> tuple[int, str]:
        words = shlex.split(line, comments=True)
        env = dict(found.groups() for word in words if (found := _ASSIGNMENT.match(word)))
        program, *arguments = [word for word in words if not _ASSIGNMENT.match(word)] if env else words
        if program == "cd":
            self.folder = (self.folder / arguments[0]).resolve()
            return (0, "") if self.folder.is_dir() else (1, f"there is no folder {self.folder}")
        if program == "pip":
            return _check_requirements(arguments)
        if program == "make":
            return _check_targets(arguments)
        if program in ("afresh", "dbt") and arguments[0] != "demo":
            assert not set("|<>;&") & set(line), f"{line}: commands of ours are shown as they are"
            outcome = (invoke_afresh if program == "afresh" else invoke_dbt)(self.folder, *arguments, env=env)
            return outcome.exit_code, outcome.stdout + outcome.stderr
        return self._shell(line)

    def _shell(self, line: str) -> tuple[int, str]:
        env = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
        done = subprocess.run(["bash", "-c", line], cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout + done.stderr


def commands_of(block: Block) -> Iterator[Command]:
    """The commands of a block, each with what is shown below it."""
    first, *rest = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not first.strip(), f"{block.place}: the block does not begin with a command"
    for part in rest:
        line, *shown = part.splitlines()
        yield Command(line, tuple(shown))


def lines_missing(shown: tuple[str, ...], output: str) -> list[str]:
    """The lines shown that were not printed, apart from run ids, times and durations. ``…`` stands for anything."""
    printed = [_steady(line) for line in output.splitlines()]
    wanted = [line for line in shown if line.strip(" …")]
    return [line for line in wanted if not any(_pattern(line).fullmatch(one) for one in printed)]


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, _steady(line).split("…"))))


def _steady(line: str) -> str:
    for varying, name in _VARYING:
        line = varying.sub(name, line)
    return line.strip()


def _check_requirements(arguments: list[str]) -> tuple[int, str]:
    """``pip install`` of packages that are here: this project with an extra that it has, or an adapter that the tests use."""
    command, *wanted = arguments
    unknown = [one for one in wanted if not _is_here(one)]
    return (1, f"cannot install {unknown}") if command != "install" or unknown else (0, "")


def _is_here(requirement: str) -> bool:
    name, _, extra = requirement.removesuffix("]").partition("[")
    try:
        extras = distribution(name).metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return False
    return not extra or extra in extras


def _check_targets(arguments: list[str]) -> tuple[int, str]:
    """``make`` of targets that exist; they run in the tests of the repository, not of a page."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    unknown = [target for target in arguments if not re.search(rf"^{target}:", makefile, re.MULTILINE)]
    return (1, f"there is no target {unknown}") if unknown else (0, "")
