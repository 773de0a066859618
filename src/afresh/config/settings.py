"""The settings of a project as typed values, with the documented defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from afresh.config.state_url import is_sqlite, redacted
from afresh.core.policy import UpdatesOn

DEFAULT_STATE_URL = "sqlite:///.afresh/state.db"

DEFAULT_VOLATILE_ENV_VARS = (
    "AIRFLOW_CTX_*",
    "BITBUCKET_BUILD_NUMBER",
    "BUILDKITE_BUILD_ID",
    "BUILDKITE_BUILD_NUMBER",
    "BUILDKITE_JOB_ID",
    "BUILD_BUILDID",
    "BUILD_BUILDNUMBER",
    "CIRCLE_BUILD_NUM",
    "CIRCLE_WORKFLOW_ID",
    "CI_JOB_ID",
    "CI_PIPELINE_ID",
    "CI_PIPELINE_IID",
    "DAGSTER_RUN_ID",
    "DBT_CLOUD_RUN_ID",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "PREFECT__FLOW_RUN_ID",
    "PREFECT__TASK_RUN_ID",
)
"""Environment variables whose value only names one run. Names that could mean something else (``BUILD_ID``) are for the user to add."""


class OnStateError(str, Enum):
    """What happens when the state database cannot be reached."""

    FAIL = "fail"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for nodes whose own config says nothing."""

    updates_on: UpdatesOn = UpdatesOn.ANY
    lag_tolerance: timedelta = timedelta(0)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where each of them was set that is not a default, for people."""


@dataclass(frozen=True, slots=True)
class History:
    """How long decisions and runs are kept."""

    keep: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class TestSettings:
    """Whether results of tests may be inherited from a parent, and run together in one query."""

    __test__ = False
    inherit: bool = False
    aggregate: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that ``afresh.yml``, the environment and the command line say together."""

    project_dir: Path
    state_url: str = field(repr=False)
    """As SQLAlchemy takes it, a SQLite file absolute. May hold a password: show :attr:`state_shown`."""
    on_state_error: OnStateError
    plugin: bool = False
    queue_timeout: timedelta = timedelta(hours=1)
    lease_ttl: timedelta = timedelta(seconds=30)
    defaults: Defaults = Defaults()
    history: History = History()
    tests: TestSettings = TestSettings()
    volatile_env_vars: tuple[str, ...] = DEFAULT_VOLATILE_ENV_VARS
    """Names, or patterns with ``*``."""
    warehouse_id: str | None = None
    environments: Mapping[str, Any] = field(default_factory=dict)
    """Valid in shape; Jinja inside is not rendered, because only the job that uses it has its variables. The same for the next two."""
    jobs: Mapping[str, Any] = field(default_factory=dict)
    server: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
    """The ``afresh.yml`` that was read; ``None`` where there is none."""
    unknown_variables: tuple[str, ...] = ()
    """A sentence for each environment variable that begins as ours do and is none."""
    without_effect: tuple[str, ...] = ()
    """Settings that were given and on which this version does not act yet."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where each setting that is not a default was set, for people: ``--queue-timeout``, ``AFRESH_LEASE_TTL``, ``afresh.yml:3``."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth telling before anything runs, one sentence each."""
        named = ", ".join(f"`{name}`" for name in self.without_effect)
        return (*self.unknown_variables, *([f"this version does not act yet on settings that are given: {named}"] if named else []))

    @property
    def state_shown(self) -> str:
        """The state's address without its password."""
        return redacted(self.state_url)

    @property
    def shared_state(self) -> bool:
        """Whether other machines may use the same state."""
        return not is_sqlite(self.state_url)
