"""``afresh explain``: why a node was built or reused. Needs the state alone: no warehouse, no project, no dbt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, JSON, output_option, page, run, state_options
from afresh.cli.state_words import settings_of
from afresh.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from afresh.render.views import Explanation


@click.command(
    context_settings=HELP,
    epilog="Example: afresh explain orders --run 01JD8Z6M3W",
)
@click.argument("nodes", nargs=-1)
@click.option("--run", "run_id", help="Explain what this run decided: its id, or the beginning of it.")
@click.option("--last", type=click.IntRange(min=1), help="Also what the last N runs decided.")
@output_option("How the explanation is printed.")
@state_options("whose state is asked", url="Where the shared state is.")
def _explain(
    nodes: tuple[str, ...], *, run_id: str | None, last: int | None, output: str, project_dir: Path | None, state_url: str | None
) -> int:
    """Tell why NODES (names or unique ids, or how they begin; default: all of the last run) were built or reused, with the evidence."""
    from afresh.cli.explaining import Asked, explanations

    if run_id is not None and last is not None:
        raise UsageError(
            "`--run` and `--last` do not go together", hint="`--run` tells what one run decided, `--last` what the last runs did."
        )
    settings = settings_of(project_dir, state_url)
    found = explanations(settings, Asked(nodes, run_id, last or 0))
    if not found:
        raise UsageError(
            "nothing was decided yet",
            where=str(settings.project_dir),
            hint="Run `afresh build` first; `afresh plan` tells what it would do.",
        )
    sys.stdout.write(_shown(found, output))
    return EXIT_OK


def main(arguments: Sequence[str]) -> int:
    """Explain; returns the exit code."""
    return run(_explain, "afresh explain", arguments)


def _shown(found: tuple[Explanation, ...], output: str) -> str:
    if output == JSON:
        from afresh.render.json import document, document_text, explanation_json

        nodes = [explanation_json(told) for told in found]
        targets = {told.target for told in found}
        only = targets.pop() if len(targets) == 1 else None
        return document_text(document("explain", nodes, run_id=found[0].run_id, target=only))
    from afresh.render.explain import explain_text

    shape = page()
    return "\n".join(explain_text(told, width=shape.width, color=shape.color) for told in found)
