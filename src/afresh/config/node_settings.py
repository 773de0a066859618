"""The settings of one node, read from its dbt config wherever dbt keeps them (semantics §3).

``freshness.build_after`` is dbt's own key; ``state`` is a custom key of the config, or ``meta.afresh`` where dbt complains
about custom keys. Jinja is rendered by dbt already, so a number may come as text. Where both say the same thing, ``state``
wins with a warning. Wrong values are collected, so that one error names them all before anything runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import Any, Literal, TypeVar

from afresh.config import values as v
from afresh.config.config_reader import ConfigReader
from afresh.config.problems import Problem, raise_if_any
from afresh.config.settings import Defaults
from afresh.config.written import Written
from afresh.core.policy import DEFAULT_POLICY, EngineUpgrade, Policy, UpdatesOn
from afresh.render.words import listed, node_text

T = TypeVar("T")


class VolatileSql(str, Enum):
    """What a volatile call (``current_date``, ``random()``) in the SQL means for reuse."""

    AUTO = "auto"
    TRUE = "true"
    FALSE = "false"


class SourceSignal(str, Enum):
    """Which answer decides whether a source has new data: all that are trusted, or ``loaded_at_*`` alone."""

    AUTO = "auto"
    LOADED_AT = "loaded_at"


class PreClone(str, Enum):
    """When incremental models and snapshots are pre-populated from production."""

    NEVER = "never"
    IF_MISSING = "if_missing"
    ALWAYS = "always"


COMPLETE: Literal["complete"] = "complete"

STATE_KEYS = (
    "early_cutoff",
    "enabled",
    "evaluate_volatile_sql",
    "execute_hooks_on_any_reuse",
    "inputs",
    "lag_tolerance",
    "max_age",
    "on_engine_upgrade",
    "pre_clone",
    "require_fresh_data_from",
    "source_signal",
    "static",
)
"""The keys of ``state``."""

_OF_DBT_STATE = ("compare_unrendered_code",)
"""Keys of dbt State without an effect here, accepted so that a project can serve both."""

_OF_PROJECT = "defaults."
"""How the name of a setting begins that holds for all nodes."""

_WITHOUT_LAG = frozenset({"test", "unit_test"})
_SAME_AS = {"lag_tolerance": ("lag_tolerance", "count"), "updates_on": ("require_fresh_data_from", "updates_on")}
"""The settings of a node that are stronger than a default."""

_LAG_OF_STATE = ("lag_tolerance", "require_fresh_data_from")
_OWN_LAG_ONLY = frozenset({"snapshot"})


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The settings of one node. ``origins`` tells where each that is not a default was set, in the words of the config."""

    policy: Policy = DEFAULT_POLICY
    inputs: Literal["complete"] | tuple[str, ...] | None = None
    """``complete``: the SQL reads nothing that dbt does not know. Names: relations it reads besides. ``None``: not said."""
    static: bool = False
    evaluate_volatile_sql: VolatileSql = VolatileSql.AUTO
    source_signal: SourceSignal = SourceSignal.AUTO
    execute_hooks_on_any_reuse: bool = False
    early_cutoff: bool = False
    pre_clone: PreClone = PreClone.IF_MISSING
    without_effect: tuple[str, ...] = ()
    """Settings that were given and on which this version does not act yet."""
    warnings: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    written: Written | None = None
    """Where the config of the node was written, if anything of it is for us."""

    def places(self) -> Mapping[str, str]:
        """As :attr:`origins`, with file and line. Files are read for that."""
        if self.written is None:
            return self.origins
        return {key: path if key.startswith(_OF_PROJECT) else str(self.written.shown(path)) for key, path in self.origins.items()}


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What dbt knows of one node's config, as plain values. An absent key is not set; ``None`` was written by the user."""

    node_id: str
    file: str
    config: Mapping[str, Any]
    resource_type: str = "model"
    written: Written | None = None
    """Where its config was written, if somebody can tell: snapshots take their lag from their own file and properties alone."""


def effective_config(rendered: Mapping[str, Any], unrendered: Mapping[str, Any]) -> dict[str, Any]:
    """A node's config as the user means it, from dbt's ``config`` and ``unrendered_config``.

    From 1.10 on dbt's typed config holds ``freshness: None`` for every model that says nothing, and keeps the inherited
    rule where the user wrote ``freshness: null``; what the user wrote is only in the unrendered config.
    """
    config = {key: value for key, value in rendered.items() if key != "freshness"}
    if "freshness" in unrendered and unrendered["freshness"] in (None, "None"):  # 1.12 keeps a `none` in Jinja as its text
        return {**config, "freshness": None}
    return config if rendered.get("freshness") is None else {**config, "freshness": rendered["freshness"]}


def node_policy(node: NodeConfig, defaults: Defaults = Defaults()) -> NodeSettings:  # noqa: B008 - an immutable value
    """The settings of one node.

    Raises:
        SettingsError: a :class:`~afresh.errors.UsageError` with every value that is not allowed.
    """
    settings, problems = read_node_settings(node, defaults)
    raise_if_any(problems, title=node.node_id)
    return settings


def validate_all(nodes: Iterable[NodeConfig], defaults: Defaults = Defaults()) -> dict[str, NodeSettings]:  # noqa: B008 - an immutable value
    """The settings of every node, by its id, or one error for the mistakes of all.

    Raises:
        SettingsError: a :class:`~afresh.errors.UsageError` that names file, node, key, value and what is allowed, per mistake.
    """
    read = {node.node_id: read_node_settings(node, defaults) for node in nodes}
    raise_if_any((problem for _, problems in read.values() for problem in problems), title="the settings of nodes")
    return {node_id: settings for node_id, (settings, _) in read.items()}


def read_node_settings(node: NodeConfig, defaults: Defaults) -> tuple[NodeSettings, list[Problem]]:
    """The settings of one node and its mistakes; where there are mistakes, the settings hold the defaults instead."""
    if not _mentions(node.config):
        return _without_settings(node, defaults), []
    reader = ConfigReader(node.config, node_id=node.node_id, file=node.file)
    reader.check_keys(STATE_KEYS, _OF_DBT_STATE)
    policy = Policy(
        enabled=reader.state("enabled", v.boolean(), default=True),
        max_age=reader.state("max_age", v.duration(at_least=timedelta(seconds=1)), None),
        on_engine_upgrade=reader.state("on_engine_upgrade", v.choice(EngineUpgrade), EngineUpgrade.KEEP),
    )
    lag = _lag(node, reader, defaults)
    read = NodeSettings(
        policy=Policy(policy.enabled, lag.updates_on, lag.interval, policy.max_age, policy.on_engine_upgrade),
        inputs=_inputs(reader),
        static=reader.state("static", v.boolean(), default=False),
        evaluate_volatile_sql=reader.state("evaluate_volatile_sql", v.choice(VolatileSql), VolatileSql.AUTO),
        source_signal=reader.state("source_signal", v.choice(SourceSignal), SourceSignal.AUTO),
        execute_hooks_on_any_reuse=reader.state("execute_hooks_on_any_reuse", v.boolean(), default=False),
        early_cutoff=reader.state("early_cutoff", v.boolean(), default=False),
        pre_clone=reader.state("pre_clone", v.choice(PreClone), PreClone.IF_MISSING),
    )
    of_reader = replace(
        read,
        warnings=tuple(reader.warnings),
        origins={**reader.origins, **_inherited_origins(node, defaults, reader)},
        without_effect=_without_effect(read, reader.origins),
        written=node.written,
    )
    return of_reader, [_placed(problem, node) for problem in reader.problems]


def _placed(problem: Problem, node: NodeConfig) -> Problem:
    """A mistake at the file and line where it was made."""
    if node.written is None or problem.where.key is None:
        return problem
    return replace(problem, where=node.written.shown(problem.where.key))


def _without_effect(read: NodeSettings, given: Mapping[str, str]) -> tuple[str, ...]:
    """What was given and does not come to the same as leaving it out."""
    wanted = {
        "execute_hooks_on_any_reuse": read.execute_hooks_on_any_reuse,
        "early_cutoff": read.early_cutoff,
        "pre_clone": "pre_clone" in given and read.pre_clone is not PreClone.NEVER,
    }
    return tuple(given[key] for key, is_wanted in wanted.items() if is_wanted)


def warnings_of(nodes: Mapping[str, NodeSettings]) -> Iterator[str]:
    """What is worth telling of the settings of nodes, one sentence each; what is without effect is told once, however many set it."""
    for settings in nodes.values():
        yield from settings.warnings
    set_on: dict[str, list[str]] = {}
    for node_id, settings in nodes.items():
        for key in settings.without_effect:
            set_on.setdefault(key, []).append(node_text(node_id))
    for key, names in sorted(set_on.items()):
        yield f"this version does not act yet on `{key}`, which is set on {listed(sorted(names))}"


def _mentions(config: Mapping[str, Any]) -> bool:
    """Whether anything here is for us: in a large project nearly every node says nothing, and that must cost nothing."""
    meta = config.get("meta")
    return "freshness" in config or "state" in config or (isinstance(meta, Mapping) and "afresh" in meta)


@dataclass(frozen=True, slots=True)
class _Lag:
    """The interval between builds for data, and what counts as new data."""

    interval: timedelta
    updates_on: UpdatesOn


_NO_LAG = _Lag(timedelta(0), UpdatesOn.ANY)


def _inherited(node: NodeConfig, defaults: Defaults) -> _Lag:
    """What holds where the config says nothing: skipping a snapshot loses history, and a test must see what the model shows."""
    if node.resource_type in _WITHOUT_LAG | _OWN_LAG_ONLY:
        return _NO_LAG
    return _Lag(defaults.lag_tolerance, defaults.updates_on)


def _without_settings(node: NodeConfig, defaults: Defaults) -> NodeSettings:
    lag = _inherited(node, defaults)
    return NodeSettings(policy=Policy(updates_on=lag.updates_on, interval=lag.interval), origins=_inherited_origins(node, defaults))


def _inherited_origins(node: NodeConfig, defaults: Defaults, reader: ConfigReader | None = None) -> Mapping[str, str]:
    """Where the defaults were set that hold for a node."""
    if node.resource_type in _WITHOUT_LAG | _OWN_LAG_ONLY or (reader is not None and reader.cancels_freshness):
        return {}
    own = {} if reader is None else reader.origins
    return {f"{_OF_PROJECT}{key}": place for key, place in defaults.origins.items() if own.keys().isdisjoint(_SAME_AS[key])}


def _lag(node: NodeConfig, reader: ConfigReader, defaults: Defaults) -> _Lag:
    if node.resource_type not in _WITHOUT_LAG | _OWN_LAG_ONLY:
        return _lag_of(reader, _inherited(node, defaults), cancelled=_cancelled(node, reader))
    merged = ConfigReader(node.config, node_id=node.node_id, file=node.file)
    _lag_of(merged, _NO_LAG, cancelled=frozenset())  # what is inherited has to be right all the same
    reader.take_problems(merged)
    if node.resource_type in _WITHOUT_LAG:
        return _NO_LAG
    own = ConfigReader(_own_config(node), node_id=node.node_id, file=node.file)
    found = _lag_of(own, _NO_LAG, cancelled=frozenset())
    reader.take(own)
    return found


def _own_config(node: NodeConfig) -> dict[str, Any]:
    """What of the config for us was set on the node itself: dbt takes each of these keys whole from the strongest place."""
    if node.written is None:
        return {}
    own = {key: node.config[key] for key in ("freshness", "state") if key in node.config and _is_own(node.written, key)}
    meta = node.config.get("meta")
    if isinstance(meta, Mapping) and "afresh" in meta and _is_own(node.written, "meta.afresh"):
        own["meta"] = {"afresh": meta["afresh"]}
    return own


def _cancelled(node: NodeConfig, reader: ConfigReader) -> frozenset[str]:
    """Settings of ``state`` that were given for a folder, where the node's own ``freshness: null`` takes back what it would inherit."""
    if not reader.cancels_freshness or node.written is None or not _is_own(node.written, "freshness"):
        return frozenset()
    given = {key: place for key in _LAG_OF_STATE if (place := reader.place(key)) is not None}
    return frozenset(key for key, place in given.items() if not _is_own(node.written, place))


def _is_own(written: Written, key: str) -> bool:
    found = written.place_of(key)
    return found is not None and found.own


def _lag_of(reader: ConfigReader, inherited: _Lag, *, cancelled: frozenset[str]) -> _Lag:
    """``state`` in dbt State's words, else ``freshness.build_after``; ``freshness: null`` cancels what would be inherited."""
    below = _NO_LAG if reader.cancels_freshness else inherited
    interval, build_after_on = reader.build_after_interval(), reader.build_after("updates_on", v.choice(UpdatesOn))
    tolerance = None if "lag_tolerance" in cancelled else reader.state("lag_tolerance", v.duration(), None)
    fresh_from = None if "require_fresh_data_from" in cancelled else reader.state("require_fresh_data_from", v.choice(UpdatesOn), None)
    reader.warn_if_both("lag_tolerance", tolerance, "freshness.build_after.count", interval)
    if build_after_on is not UpdatesOn.ANY:  # dbt fills in `any` by itself, so that says nothing
        reader.warn_if_both("require_fresh_data_from", fresh_from, "freshness.build_after.updates_on", build_after_on)
    return _Lag(_first(tolerance, interval, below.interval), _first(fresh_from, build_after_on, below.updates_on))


def _first(strongest: T | None, second: T | None, last: T) -> T:
    return strongest if strongest is not None else second if second is not None else last


def _inputs(reader: ConfigReader) -> Literal["complete"] | tuple[str, ...] | None:
    given = reader.raw_state("inputs")
    if given is None:
        return None
    if given == COMPLETE:
        return COMPLETE
    if isinstance(given, (list, tuple)) and given and all(isinstance(name, str) and name.strip() for name in given):
        return tuple(given)
    reader.refuse("inputs", given, allowed="`complete`, or a list of names of relations")
    return None
