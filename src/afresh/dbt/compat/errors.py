"""Our errors in dbt's own form, so that dbt tells them in one message, without a traceback, and exits as it always does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dbt_common.exceptions import DbtRuntimeError

from afresh.errors import AfreshError


@contextmanager
def told_by_dbt() -> Iterator[None]:
    """Whatever of ours is raised inside is raised as dbt's own error."""
    try:
        yield
    except AfreshError as error:
        raise DbtRuntimeError(str(error)) from error
