"""Environment variables as dependencies: keyed digests, and which of them name the run instead of the work."""

from __future__ import annotations

import hashlib
import hmac
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from afresh.fingerprint.digest import DIGEST_LENGTH, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET_PREFIX = "DBT_ENV_SECRET"
"""dbt's prefix of variables whose value it never prints."""

DEFAULT_VOLATILE_ENV_VARS: tuple[str, ...] = (
    # Each of these is new with every run of a scheduler, so that no run could ever reuse a model that prints it. Variables that say
    # *what* runs or *for whom* are not here (a commit, a branch, a job's name, a pull request, a host): code may well depend on them.
    "AIRFLOW_CTX_*",
    "BITBUCKET_BUILD_NUMBER",
    "BITBUCKET_PIPELINE_UUID",
    "BITBUCKET_STEP_UUID",
    "BITBUCKET_STEP_RUN_NUMBER",
    "BUILDKITE_BUILD_ID",
    "BUILDKITE_BUILD_NUMBER",
    "BUILDKITE_BUILD_URL",
    "BUILDKITE_JOB_ID",
    "BUILD_BUILDID",
    "BUILD_BUILDNUMBER",
    "BUILD_TAG",
    "BUILD_URL",
    "CI_JOB_ID",
    "CI_JOB_URL",
    "CI_JOB_STARTED_AT",
    "CI_PIPELINE_ID",
    "CI_PIPELINE_IID",
    "CI_PIPELINE_URL",
    "CI_PIPELINE_CREATED_AT",
    "CIRCLE_BUILD_NUM",
    "CIRCLE_BUILD_URL",
    "CIRCLE_PIPELINE_ID",
    "CIRCLE_WORKFLOW_ID",
    "CIRCLE_WORKFLOW_JOB_ID",
    "CODEBUILD_BUILD_ID",
    "CODEBUILD_BUILD_NUMBER",
    "CODEBUILD_START_TIME",
    "DAGSTER_RUN_ID",
    "DBT_CLOUD_RUN_ID",
    "DBT_CLOUD_RUN_REASON",
    "DRONE_BUILD_NUMBER",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "PREFECT__FLOW_RUN_ID",
    "PREFECT__TASK_RUN_ID",
    "SYSTEM_JOBID",
    "SYSTEM_TIMELINEID",
    "TRAVIS_BUILD_ID",
    "TRAVIS_BUILD_NUMBER",
    "TRAVIS_JOB_ID",
    "TRAVIS_JOB_NUMBER",
)
"""The default of ``volatile_env_vars`` (semantics §1, "Volatile Jinja"): names, ``*`` for any end."""


def is_volatile_env_var(name: str, patterns: Iterable[str] = DEFAULT_VOLATILE_ENV_VARS) -> bool:
    """Whether a variable names the run and so does not count as code. Case counts, as in the environment."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def is_secret_env_var(name: str) -> bool:
    """Whether dbt treats the variable's value as a secret."""
    return name.startswith(SECRET_PREFIX)


def env_digest(name: str, value: str | None, *, key: bytes) -> str:
    """A keyed digest (HMAC-SHA256) of a variable's value; ``None`` stands for a variable that is not set.

    Every variable is keyed, not only dbt's secrets: a password in a variable of another name could else be guessed from the state
    database. The name is part of it, so that equal values in two variables do not show.
    """
    message = digest_of(["env", name, value]).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:DIGEST_LENGTH]
