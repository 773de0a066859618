"""``afresh explain``: why a node was built or reused. Needs the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.render.views import Explanation

_WIDTH_OF_PIPES = 120


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: afresh explain orders --run 01JD8Z6M3W",
)
@click.argument("nodes", nargs=-1)
@click.option("--run", "run_id", help="Explain what this run decided: its id, or the beginning of it.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="How the explanation is printed.")
@click.option(
    "--project-dir", type=click.Path(path_type=Path), default=None, help="The project whose state is asked; default: this folder."
)
@click.option("--state-url", help="Where the shared state is.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show where in the program an error comes from.")
def _explain(nodes: tuple[str, ...], *, run_id: str | None, output: str, project_dir: Path | None, state_url: str | None) -> int:
    """Tell why NODES (names or unique ids, or how they begin; default: all of the last run) were built or reused, with the evidence."""
    from afresh.cli.explaining import explanations

    folder = (project_dir or Path(os.environ.get("DBT_PROJECT_DIR") or Path.cwd())).resolve()
    found = explanations(folder, nodes, run_id=run_id, state_url=state_url)
    if not found:
        raise UsageError(
            "nothing was decided yet", where=str(folder), hint="Run `afresh build` first; `afresh plan` tells what it would do."
        )
    sys.stdout.write(_shown(found, output))
    return EXIT_OK


def main(arguments: Sequence[str]) -> int:
    """Explain; returns the exit code."""
    try:
        with _explain.make_context("afresh explain", list(arguments)) as context:
            return int(_explain.invoke(context))
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code


def _shown(found: tuple[Explanation, ...], output: str) -> str:
    if output == "json":
        from afresh.render.json import document, document_text, explanation_json

        nodes = [explanation_json(told) for told in found]
        targets = {told.target for told in found}
        only = targets.pop() if len(targets) == 1 else None
        return document_text(document("explain", nodes, run_id=found[0].run_id, target=only))
    from afresh.render.explain import explain_text

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else _WIDTH_OF_PIPES
    color = terminal and "NO_COLOR" not in os.environ
    return "\n".join(explain_text(told, width=width, color=color) for told in found)
