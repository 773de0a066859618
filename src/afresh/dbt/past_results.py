"""The ``run_results.json`` of an earlier run: what it was, and what it did to each node."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from afresh.errors import UsageError

_BUILDS = ("build", "run", "seed", "snapshot")
_PARTIAL = {"empty": "--empty", "sample": "--sample", "event_time_start": "--event-time-start", "event_time_end": "--event-time-end"}


@dataclass(frozen=True)
class PastResult:
    """What a run did to one node. ``built`` is false where it was reused; the times are those of its first and its last step."""

    status: str
    built: bool = True
    message: str = ""
    compiled: str = ""
    relation_name: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class PastResults:
    """One run of dbt."""

    path: Path
    invocation_id: str
    target: str | None
    """The target that was asked for; ``None``: the default one of the profile."""
    started_at: datetime
    finished_at: datetime
    results: Mapping[str, PastResult]


def read(path: Path) -> PastResults:
    """The results in a file.

    Raises:
        UsageError: it cannot be read, is something else, or tells of a run that built nothing or only parts of relations.
    """
    whole = _content(path)
    try:
        args = whole.get("args") or {}
        _check(args, path)
        found = {str(one["unique_id"]): _result(one) for one in whole["results"]}
        times = [at for one in found.values() for at in (one.started_at, one.finished_at) if at is not None]
        ended = _moment(whole["metadata"]["generated_at"])
        return PastResults(
            path, str(whole["metadata"]["invocation_id"]), args.get("target"), min([*times, ended]), max([*times, ended]), found
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _no_results(path) from None


def _content(path: Path) -> Any:
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    except ValueError:
        raise _no_results(path) from None
    if not isinstance(whole, dict) or "run-results" not in str((whole.get("metadata") or {}).get("dbt_schema_version")):
        raise _no_results(path)
    return whole


def _no_results(path: Path) -> UsageError:
    return UsageError(
        "is no run_results.json of dbt", where=str(path), hint="dbt writes it into the folder `target`, beside manifest.json."
    )


def _check(args: Mapping[str, Any], path: Path) -> None:
    which = args.get("which")
    if which not in _BUILDS:
        commands = ", ".join(f"`dbt {name}`" for name in _BUILDS)
        what = f"these are the results of `dbt {which}`" if which else "these results do not say which command of dbt made them"
        raise UsageError(what, where=str(path), hint=f"Only {commands} build what can be adopted.")
    partial = next((shown for name, shown in _PARTIAL.items() if args.get(name)), None)
    if partial is not None:
        raise UsageError(f"that run was made with `{partial}`, so it built parts of relations only", where=str(path))


def _result(one: Mapping[str, Any]) -> PastResult:
    steps = one.get("timing") or ()
    starts = [_moment(step["started_at"]) for step in steps if step.get("started_at")]
    ends = [_moment(step["completed_at"]) for step in steps if step.get("completed_at")]
    ours = (one.get("adapter_response") or {}).get("afresh") or {}
    return PastResult(
        status=str(one["status"]),
        built=ours.get("decision", "build") == "build",
        message=" ".join(str(one.get("message") or "").split()),
        compiled=str(one.get("compiled_code") or ""),
        relation_name=one.get("relation_name"),
        started_at=min(starts, default=None),
        finished_at=max(ends, default=None),
        seconds=float(one.get("execution_time") or 0.0),
    )


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)
