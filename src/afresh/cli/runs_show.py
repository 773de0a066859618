"""``afresh runs show``: what one run did, node by node."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from afresh.cli.command import HELP, JSON, output_option, page, state_options
from afresh.cli.node_names import short_name
from afresh.cli.run_names import refuse_without_runs, run_called
from afresh.cli.state_words import settings_of
from afresh.core.trace import TestStatus
from afresh.errors import EXIT_OK, UsageError
from afresh.render.words import counted, failure_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from afresh.store import DecisionRecord, Snapshot

_BAD = (TestStatus.FAIL, TestStatus.ERROR)


@click.command(
    "show",
    short_help="Tell what one run did.",
    context_settings=HELP,
    epilog="Example: afresh runs show 01JD8Z6M3W",
)
@click.argument("run_id", metavar="RUN")
@output_option()
@state_options("whose state is asked")
def show(*, run_id: str, output: str, project_dir: Path | None, state_url: str | None) -> int:
    """Tell what the run with the id RUN (or the beginning of it) did, node by node."""
    from afresh.cli.explaining import plan_row, without_texts
    from afresh.cli.overviewing import run_line
    from afresh.render.json import reasons_from_json
    from afresh.render.runs import run_details, run_details_json
    from afresh.store import open_store

    settings = settings_of(project_dir, state_url)
    with open_store(settings.state_url, base=settings.project_dir, read_only=True) as store:
        refuse_without_runs(store)
        run = store.run(run_called(store, run_id))
        if run is None:  # pruned at this moment
            raise UsageError(f"no run is called `{run_id}`")
        line = run_line(run, is_at_work=run.record.run_id in store.runs_at_work())
        decided = sorted(store.last_decisions(run_id=line.run_id), key=lambda record: short_name(record.row.node))
        seen = store.snapshot(record.row.key for record in decided if record.row.key is not None)
    now = seen.now.astimezone()
    rows = [
        plan_row(
            record,
            map(without_texts, reasons_from_json(record.row.reasons)),
            None if record.row.key is None else seen.traces.get(record.row.key),
        )
        for record in decided
    ]
    if output == JSON:
        sys.stdout.write(run_details_json(line, rows, now))
        return EXIT_OK
    shape = page()
    failures = dict(_failures(decided, seen, line.run_id))
    sys.stdout.write(run_details(line, rows, now, failures=failures, width=shape.width, color=shape.color))
    return EXIT_OK


def _failures(decided: Iterable[DecisionRecord], seen: Snapshot, run_id: str) -> Iterator[tuple[str, str]]:
    """What went wrong with the nodes of a run, as far as no later run has had to do with them."""
    for record in decided:
        key = record.row.key
        attempt = None if key is None else seen.attempts.get(key)
        trace = None if key is None else seen.traces.get(key)
        if attempt is not None and attempt.run_id == run_id and attempt.detail:
            yield record.row.node, failure_text(attempt.detail)
        elif trace is not None and trace.run_id == run_id and trace.test is not None and trace.test.status in _BAD:
            failures = trace.test.failures
            yield record.row.node, "the query failed" if failures is None else counted(failures, "failing row")
