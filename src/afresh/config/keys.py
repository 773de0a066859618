"""Every setting that holds one value: its place in ``afresh.yml``, its environment variable, its option, and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from afresh.config import values as v
from afresh.config.settings import OnStateError
from afresh.core.policy import UpdatesOn

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Key(Generic[T_co]):
    """One setting; ``path`` names it everywhere, with a dot below a section."""

    path: str
    kind: v.Value[T_co]

    @property
    def variable(self) -> str:
        """The environment variable that sets it. ``AFRESH`` itself is the switch of the plugin."""
        return "AFRESH" if self.path == "plugin" else f"AFRESH_{self.path.upper().replace('.', '_')}"

    @property
    def option(self) -> str:
        """The command line's option for it, where a command has one."""
        return f"--{self.path.replace('_', '-').replace('.', '-')}"


STATE_URL = Key("state_url", v.state_url())
PLUGIN = Key("plugin", v.boolean())
ON_STATE_ERROR = Key("on_state_error", v.choice(OnStateError))
QUEUE_TIMEOUT = Key("queue_timeout", v.duration())
LEASE_TTL = Key("lease_ttl", v.duration(at_least=timedelta(seconds=1)))
WAREHOUSE_ID = Key("warehouse_id", v.words())
UPDATES_ON = Key("defaults.updates_on", v.choice(UpdatesOn))
LAG_TOLERANCE = Key("defaults.lag_tolerance", v.duration())
HISTORY_KEEP = Key("history.keep", v.duration(at_least=timedelta(days=1)))
TESTS_INHERIT = Key("tests.inherit", v.boolean())
TESTS_AGGREGATE = Key("tests.aggregate", v.boolean())

SCALAR_KEYS: tuple[Key[Any], ...] = (
    STATE_URL,
    PLUGIN,
    ON_STATE_ERROR,
    QUEUE_TIMEOUT,
    LEASE_TTL,
    WAREHOUSE_ID,
    UPDATES_ON,
    LAG_TOLERANCE,
    HISTORY_KEEP,
    TESTS_INHERIT,
    TESTS_AGGREGATE,
)
