"""What can be looked at without dbt: versions, the state, the settings."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from afresh import __version__
from afresh.errors import AfreshError
from afresh.render.doctor import CheckLine
from afresh.render.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from afresh.config.settings import Settings
    from afresh.store import StateFacts

_KIB = 1024


def version_lines() -> Iterator[CheckLine]:
    """Afresh, Python and dbt-core, each held against what this release of Afresh says that it supports."""
    yield CheckLine("afresh", "ok", __version__)
    wanted = metadata.metadata("afresh")["Requires-Python"]
    yield CheckLine("python", "ok", f"{platform.python_version()} (supported: {wanted})")
    yield dbt_line(metadata.version("dbt-core"))


def dbt_line(version: str) -> CheckLine:
    """A version of dbt-core, held against those that this release of Afresh says that it supports."""
    wanted = next(one for one in map(Requirement, metadata.requires("afresh") or ()) if one.name == "dbt-core")
    told = f"{version} (supported: {wanted.specifier})"
    if wanted.specifier.contains(version, prereleases=True):
        return CheckLine("dbt-core", "ok", told)
    return CheckLine("dbt-core", "problem", told, hint=f"Install one that is: pip install 'dbt-core{wanted.specifier}'")


def settings_lines(settings: Settings) -> Iterator[CheckLine]:
    """What is worth telling of the settings."""
    yield CheckLine("settings", "ok", "defaults, there is no afresh.yml" if settings.file is None else str(settings.file))
    yield from (CheckLine("settings", "warning", text) for text in settings.warnings)


def state_line(settings: Settings) -> CheckLine:
    """Where the state is, whether it can be read and written, and how large it is."""
    from afresh.store import inspect_state

    try:
        facts = inspect_state(settings.state_url, base=settings.project_dir)
    except AfreshError as error:
        return CheckLine("state", "problem", str(error.what if error.where is None else f"{error.where}: {error.what}"), error.hint or "")
    told = _state_text(facts)
    if facts.not_writable is not None:
        return CheckLine("state", "problem", f"{told}; {facts.not_writable}", "What is built is not remembered, so everything is built.")
    return CheckLine("state", "ok", told)


def _state_text(facts: StateFacts) -> str:
    if facts.revision is None:
        return f"{facts.place}: none yet, the first run makes it"
    schema = facts.revision if facts.revision == facts.newest else f"{facts.revision} (this release makes {facts.newest})"
    held = f"{counted(facts.runs, 'run')}, {counted(facts.traces, 'trace')}"
    return f"{facts.place}: schema {schema}, {size_text(facts.size)}, {held}"


def size_text(octets: int) -> str:
    """So many bytes, with two digits at least."""
    size, unit = float(octets), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if size < _KIB:
            break
        size, unit = size / _KIB, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"  # noqa: PLR2004 - one decimal still matters below ten
