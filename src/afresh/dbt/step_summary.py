"""The Markdown summary that GitHub Actions shows for a step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from afresh.render.markdown import summary_markdown

if TYPE_CHECKING:
    from afresh.orchestration.run_report import RunReport

_VARIABLE = "GITHUB_STEP_SUMMARY"


def write_step_summary(report: RunReport) -> str | None:
    """Add the run to the file that the environment names, if it names one; returns what went wrong, if anything did."""
    path = os.environ.get(_VARIABLE)
    if not path or report.summary is None:
        return None
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(summary_markdown(report.summary, report.rows))
    except OSError as error:
        return f"the summary could not be written to {_VARIABLE}: {error}"
    return None
