"""``afresh demo``: an example project in three acts, on embedded DuckDB and SQLite."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, debug_option, run
from afresh.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence

_RULE = "─" * 78


@click.command(
    context_settings=HELP,
    epilog="Example: afresh demo my-shop",
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@debug_option
def _demo(folder: Path | None) -> int:
    """Copy the example project to FOLDER (default: a new temporary folder) and run it three times.

    First everything is built; then nothing has changed; then new rows have arrived and one model was edited.
    """
    place = folder.resolve() if folder else Path(tempfile.mkdtemp(prefix="afresh-demo-"))
    return _play(place)


def main(arguments: Sequence[str]) -> int:
    """Play the demo; returns the exit code of the first act that fails, or 0."""
    return run(_demo, "afresh demo", arguments)


def _play(folder: Path) -> int:
    from afresh.demo import scenario

    scenario.create(folder)
    _tell(f"The shop is in {folder}", "Act 1: the first build. Nothing was built before, so everything is built.")
    code = _build(folder)
    if code == EXIT_OK:
        _tell("Act 2: the next run. Nothing has changed, so nothing is built and no test runs.")
        code = _build(folder)
    if code == EXIT_OK:
        orders = scenario.add_orders(folder)
        edited = scenario.edit_model(folder)
        _tell(
            f"Act 3: 25 new orders have arrived (there are {orders:,} now), and somebody edited {edited.relative_to(folder)}.",
            "Only what they touch is built.",
        )
        code = _build(folder)
    if code == EXIT_OK:
        afresh = _spelled()
        _tell("Ask it why:", f"  cd {folder}", f"  {afresh} explain best_sellers", f"  {afresh} plan")
    return code


def _spelled() -> str:
    """How to call this program from any folder: by its name if the shell finds it, else by its whole path."""
    beside = Path(sys.executable).with_name("afresh")
    found = shutil.which("afresh")
    return shlex.quote(str(beside)) if beside.exists() and (found is None or not beside.samefile(found)) else "afresh"


def _tell(*lines: str) -> None:
    sys.stdout.write("\n".join(["", _RULE, *lines, _RULE, ""]) + "\n")
    sys.stdout.flush()


def _build(folder: Path) -> int:
    """Each act is a run of its own, in a process of its own, as somebody would type it in the folder."""
    return subprocess.run([sys.executable, "-m", "afresh.cli.main", "build"], cwd=folder, check=False).returncode
