"""Plans and summaries as Markdown: for a pull request and for a CI step's summary page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from afresh.render.plan_frame import assumed_text, lease_text, lease_title, path_text
from afresh.render.text import GROUP_LIMIT, estimate, groups, plan_line, row_text, summary_line
from afresh.render.words import counted, node_text, one_line, rough_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from afresh.render.views import PlanHead, PlanRow, RunSummary

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~$])")


def escaped(text: str) -> str:
    """Foreign text as literal Markdown in one table cell: no markup, no HTML, no mentions, no cell borders."""
    return _SPECIAL.sub(r"\\\1", one_line(text)).replace("@", "@\u200b")


def code(text: str) -> str:
    """A name in code font that is safe inside a table cell, whatever characters it has."""
    shown = one_line(text)
    return f"`{shown}`" if "`" not in shown and "|" not in shown else escaped(shown)


def plan_markdown(rows: Sequence[PlanRow], head: PlanHead, *, limit: int | None = GROUP_LIMIT) -> str:
    """A plan for a pull request: the numbers, then a table per group; what is verified is folded away."""
    lines = [f"### Afresh plan for target {code(head.target)}", ""]
    if head.what_if is not None:
        lines += [f"**What if:** {escaped(assumed_text(head.what_if, head.now))}", ""]
    lines += [escaped(plan_line(rows, head.schedule)), *([escaped(chain)] if (chain := path_text(rows, head.schedule)) else [])]
    for group in groups(rows):
        if not group.rows:
            continue
        title = f"{group.title} ({len(group.rows):,})"
        if group.folded:
            lines += ["", "<details>", f"<summary>{title}</summary>", "", *_table(group.rows, limit), "", "</details>"]
        else:
            lines += ["", f"#### {title}", "", *_table(group.rows, limit)]
    if head.leases:
        table = [f"| {code(node_text(lease.subject))} | {escaped(lease_text(lease, head.now))} |" for lease in head.leases]
        lines += ["", f"#### {lease_title(head.leases)}", "", "| node | by |", "| --- | --- |", *table]
    lines += [line for warning in head.warnings for line in ("", f"> **Warning:** {escaped(warning)}")]
    return "\n".join(lines) + "\n"


def summary_markdown(summary: RunSummary, rows: Sequence[PlanRow], *, limit: int | None = GROUP_LIMIT) -> str:
    """What a run did, for ``$GITHUB_STEP_SUMMARY``: the closing line and a table of what was built, failed or tolerated."""
    told = [row for row in rows if row.decision != "reuse" or row.confidence == "tolerated" or row.status == "error"]
    rest = len(rows) - len(told)
    lines = ["### Afresh", "", escaped(summary_line(summary))]
    if told:
        lines += ["", *_run_table(told, limit)]
    if rest:
        lines += ["", f"{counted(rest, 'other node')} reused: nothing changed."]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[PlanRow], limit: int | None) -> Iterator[str]:
    yield from ("| node | kind | about | why |", "| --- | --- | ---: | --- |")
    for row in rows[:limit]:
        yield f"| {code(row.name)} | {escaped(row.materialized or row.resource_type)} | {estimate(row)} | {escaped(row_text(row))} |"
    yield from _more(rows, limit)


def _run_table(rows: Sequence[PlanRow], limit: int | None) -> Iterator[str]:
    yield from ("| node | result | time | why |", "| --- | --- | ---: | --- |")
    for row in rows[:limit]:
        result = row.status or row.decision
        why = escaped("; ".join(reason.text for reason in row.reasons))
        yield f"| {code(row.name)} | {result} | {rough_duration(row.execution_time) if row.execution_time else ''} | {why} |"
    yield from _more(rows, limit)


def _more(rows: Sequence[PlanRow], limit: int | None) -> Iterator[str]:
    if limit is not None and len(rows) > limit:
        yield ""
        yield f"… and {len(rows) - limit:,} more"
