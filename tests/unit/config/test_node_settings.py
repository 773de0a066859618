"""The settings of a node, in dbt's words and in dbt State's, wherever dbt keeps them."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afresh.config.node_settings import (
    NodeConfig,
    PreClone,
    SourceSignal,
    VolatileSql,
    effective_config,
    node_policy,
    validate_all,
    warnings_of,
)
from afresh.config.problems import SettingsError
from afresh.config.settings import Defaults
from afresh.config.written import ConfigFiles, Written
from afresh.core.policy import EngineUpgrade, Policy, UpdatesOn
from afresh.errors import UsageError

HOUR = timedelta(hours=1)
LAGGING = Defaults(UpdatesOn.ALL, timedelta(hours=9))


def settings(config, *, defaults=Defaults(), **node):  # noqa: B008 - an immutable value
    return node_policy(NodeConfig("model.shop.orders", "models/shop.yml", config, **node), defaults)


def lag(config, **more):
    policy = settings(config, **more).policy
    return policy.interval, policy.updates_on.value


def after(count, period, **more):
    return {"freshness": {"build_after": {"count": count, "period": period, **more}}}


# --- lag --------------------------------------------------------------------------------------------------------------


class Period(Enum):
    """As dbt's typed config holds it."""

    HOUR = "hour"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, (timedelta(0), "any")),
        (after(4, "hour"), (4 * HOUR, "any")),
        (after(90, "minute"), (timedelta(minutes=90), "any")),
        (after(2, "day", updates_on="all"), (timedelta(days=2), "all")),
        (after("48", "hour"), (48 * HOUR, "any")),
        (after(1.0, "hour"), (HOUR, "any")),
        (after(3, Period.HOUR, updates_on=UpdatesOn.ALL), (3 * HOUR, "all")),
        (after(0, None), (timedelta(0), "any")),
        ({"freshness": {"build_after": {"updates_on": "all"}}}, (timedelta(0), "all")),
        ({"freshness": {"build_after": {"count": None, "period": None, "updates_on": "any"}}}, (timedelta(0), "any")),
        ({"freshness": {"warn_after": {"count": 1, "period": "hour"}, "filter": None}}, (timedelta(0), "any")),
        ({"state": {"lag_tolerance": "30m"}}, (HOUR / 2, "any")),
        ({"state": {"lag_tolerance": "45 minutes", "require_fresh_data_from": "all"}}, (timedelta(minutes=45), "all")),
        ({"state": {"lag_tolerance": 0}}, (timedelta(0), "any")),
        ({"meta": {"afresh": {"lag_tolerance": "2w"}, "owner": "ada"}}, (timedelta(weeks=2), "any")),
        ({"state": {"lag_tolerance": "1h"}, "meta": {"afresh": {"lag_tolerance": "2h", "require_fresh_data_from": "all"}}}, (HOUR, "all")),
        ({"freshness": None, "state": {"lag_tolerance": "1h"}}, (HOUR, "any")),
        ({"state": None, "meta": None}, (timedelta(0), "any")),
    ],
)
def test_lag_reads_as(config, expected):
    assert lag(config) == expected


def test_a_node_that_says_nothing_has_the_project_s_defaults():
    assert lag({}, defaults=LAGGING) == (9 * HOUR, "all")
    assert lag({"state": {"max_age": "1d"}}, defaults=LAGGING) == (9 * HOUR, "all")
    assert lag(after(1, "hour"), defaults=LAGGING) == (HOUR, "all")


def test_freshness_null_cancels_the_defaults():
    assert lag({"freshness": None}, defaults=LAGGING) == (timedelta(0), "any")


HOURLY = after(1, "hour", updates_on="any")["freshness"]


@pytest.mark.parametrize(
    ("rendered", "unrendered", "expected"),
    [
        ({"freshness": None}, {}, "absent"),  # says nothing, dbt 1.10 and later
        ({}, {}, "absent"),  # says nothing, dbt 1.8 and 1.9
        ({"freshness": HOURLY}, {"freshness": HOURLY}, HOURLY),
        ({"freshness": HOURLY}, {"freshness": None}, None),  # null over an inherited rule, dbt 1.10 and later
        ({"freshness": None}, {"freshness": None}, None),  # the same, dbt 1.8 and 1.9
    ],
)
def test_what_the_user_wrote_is_told_from_what_dbt_filled_in(rendered, unrendered, expected):
    config = effective_config({"materialized": "table", **rendered}, unrendered)
    assert config.pop("freshness", "absent") == expected
    assert config == {"materialized": "table"}


def test_zero_is_a_setting_and_not_the_absence_of_one():
    assert lag({"state": {"lag_tolerance": "0s"}} | after(4, "hour"), defaults=LAGGING) == (timedelta(0), "all")


def test_state_wins_over_freshness_with_a_warning():
    found = settings({**after(4, "hour", updates_on="all"), "state": {"lag_tolerance": "30m", "require_fresh_data_from": "any"}})
    assert (found.policy.interval, found.policy.updates_on) == (HOUR / 2, UpdatesOn.ANY)
    assert found.warnings == (
        "model.shop.orders: `state.lag_tolerance` (30m) wins over `freshness.build_after.count` (4h)",
        "model.shop.orders: `state.require_fresh_data_from` (any) wins over `freshness.build_after.updates_on` (all)",
    )


def test_saying_the_same_twice_is_no_warning():
    assert (
        settings({**after(4, "hour", updates_on="any"), "state": {"lag_tolerance": "4h", "require_fresh_data_from": "all"}}).warnings == ()
    )


@pytest.mark.parametrize("resource_type", ["snapshot", "test", "unit_test"])
def test_snapshots_and_tests_take_no_inherited_lag(resource_type):
    inherited = {**after(4, "hour", updates_on="all"), "state": {"lag_tolerance": "1d"}}
    assert lag(inherited, defaults=LAGGING, resource_type=resource_type) == (timedelta(0), "any")
    assert lag({}, defaults=LAGGING, resource_type=resource_type) == (timedelta(0), "any")


def written(in_file, kind="snapshot"):
    return Written(ConfigFiles(None), kind, ("orders",), ("shop", "orders"), "orders.sql", in_file=in_file)


def test_a_snapshot_takes_the_lag_that_is_set_on_itself():
    own = {"state": {"lag_tolerance": "1h"}}
    merged = {**after(4, "hour", updates_on="all"), **own}
    found = settings(merged, defaults=LAGGING, resource_type="snapshot", written=written(own))
    assert (found.policy.interval, found.policy.updates_on) == (HOUR, UpdatesOn.ANY)
    assert (found.origins, found.warnings) == ({"lag_tolerance": "state.lag_tolerance"}, ())


def test_of_a_snapshot_s_meta_only_what_is_its_own_counts():
    merged = {"meta": {"afresh": {"lag_tolerance": "9h"}, "owner": "ada"}}
    assert lag(merged, resource_type="snapshot", written=written({"meta": {"owner": "ada"}})) == (timedelta(0), "any")
    assert lag(merged, resource_type="snapshot", written=written(merged)) == (9 * HOUR, "any")


@pytest.mark.parametrize("resource_type", ["snapshot", "test"])
def test_a_mistake_in_a_lag_that_does_not_count_is_a_mistake_all_the_same(resource_type):
    with pytest.raises(UsageError):
        settings(after(4, "hours"), resource_type=resource_type)


def test_two_words_of_a_snapshot_s_own_that_differ_are_told():
    both = {**after(4, "hour"), "state": {"lag_tolerance": "1h"}}
    (warning,) = settings(both, resource_type="snapshot", written=written(both)).warnings
    assert "`state.lag_tolerance` (1h) wins" in warning


def test_a_test_keeps_its_own_switch():
    assert settings({"state": {"enabled": False}}, resource_type="test").policy.enabled is False


# --- the other settings -----------------------------------------------------------------------------------------------


def test_every_other_setting_is_read():
    found = settings(
        {
            "state": {
                "enabled": "False",
                "max_age": "7d",
                "on_engine_upgrade": "build",
                "inputs": ["raw.orders", "raw.items"],
                "static": "true",
                "evaluate_volatile_sql": True,
                "source_signal": "loaded_at",
                "execute_hooks_on_any_reuse": True,
                "early_cutoff": True,
                "pre_clone": "never",
            }
        }
    )
    assert found.policy == Policy(enabled=False, max_age=timedelta(days=7), on_engine_upgrade=EngineUpgrade.BUILD)
    assert (found.inputs, found.static, found.evaluate_volatile_sql) == (("raw.orders", "raw.items"), True, VolatileSql.TRUE)
    assert (found.source_signal, found.execute_hooks_on_any_reuse) == (SourceSignal.LOADED_AT, True)
    assert (found.early_cutoff, found.pre_clone) == (True, PreClone.NEVER)
    assert found.origins["max_age"] == "state.max_age"


def test_without_settings_the_documented_defaults_hold():
    found = settings({"materialized": "table", "meta": {"owner": "ada"}})
    assert found.policy == Policy()
    assert (found.inputs, found.static, found.evaluate_volatile_sql, found.source_signal) == (
        None,
        False,
        VolatileSql.AUTO,
        SourceSignal.AUTO,
    )
    assert (found.execute_hooks_on_any_reuse, found.early_cutoff, found.pre_clone) == (False, False, PreClone.IF_MISSING)
    assert (found.warnings, found.origins) == ((), {})


def test_inputs_can_be_declared_complete():
    assert settings({"meta": {"afresh": {"inputs": "complete"}}}).inputs == "complete"


def test_a_key_of_dbt_state_without_effect_here_is_a_warning_and_no_error():
    assert settings({"state": {"compare_unrendered_code": True}}).warnings == (
        "model.shop.orders: `state.compare_unrendered_code` has no effect here",
    )


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "key", "says"),
    [
        (
            after(4, "hours"),
            "freshness.build_after.period",
            "'hours' is not allowed; allowed: one of minute, hour, day; did you mean hour?",
        ),
        (after("four", "hour"), "freshness.build_after.count", "'four' is not allowed; allowed: a whole number, at least 0"),
        (after(-1, "hour"), "freshness.build_after.count", "-1 is not allowed; allowed: a whole number"),
        (after(1.5, "hour"), "freshness.build_after.count", "1.5 is not allowed"),
        (after(True, "hour"), "freshness.build_after.count", "True is not allowed"),
        (after(10**30, "day"), "freshness.build_after.count", "the interval is too long"),
        (after(36_501, "day"), "freshness.build_after.count", "the interval is too long: at most 36500 days"),
        (after(4, None), "freshness.build_after", "`period` is missing"),
        (after(None, "hour"), "freshness.build_after", "`count` is missing"),
        (after(4, "hour", updates_on="every"), "freshness.build_after.updates_on", "allowed: one of any, all"),
        (after(4, "hour", depends_on="all"), "freshness.build_after.depends_on", "this key does not exist"),
        ({"freshness": {"build_afer": {}}}, "freshness.build_afer", "did you mean `build_after`?"),
        ({"freshness": "daily"}, "freshness", "a mapping of keys to values is expected here, not 'daily'"),
        ({"freshness": {"build_after": 4}}, "freshness.build_after", "a mapping of keys to values is expected here, not 4"),
        ({"state": {"lag_tolerance": 30}}, "state.lag_tolerance", "30 is not allowed; allowed: a duration such as"),
        ({"state": {"lag_tolerance": "{{ x }}"}}, "state.lag_tolerance", "'{{ x }}' is not allowed"),
        ({"state": {"lag_tolerence": "1h"}}, "state.lag_tolerence", "did you mean `lag_tolerance`?"),
        ({"state": {"require_fresh_data_from": "some"}}, "state.require_fresh_data_from", "allowed: one of any, all"),
        ({"state": {"enabled": "maybe"}}, "state.enabled", "allowed: true or false"),
        ({"state": {"static": 1}}, "state.static", "1 is not allowed"),
        ({"state": {"max_age": "0s"}}, "state.max_age", "at least 1s"),
        ({"state": {"on_engine_upgrade": "rebuild"}}, "state.on_engine_upgrade", "allowed: one of keep, build; did you mean build?"),
        ({"state": {"evaluate_volatile_sql": "never"}}, "state.evaluate_volatile_sql", "allowed: one of auto, true, false"),
        ({"state": {"source_signal": ["loaded_at"]}}, "state.source_signal", "['loaded_at'] is not allowed"),
        ({"state": {"pre_clone": "sometimes"}}, "state.pre_clone", "allowed: one of never, if_missing, always"),
        ({"state": {"inputs": "raw.orders"}}, "state.inputs", "allowed: `complete`, or a list of names of relations"),
        ({"meta": {"afresh": {"inputs": []}}}, "meta.afresh.inputs", "[] is not allowed"),
        ({"meta": {"afresh": {"inputs": [1]}}}, "meta.afresh.inputs", "[1] is not allowed"),
        ({"meta": {"afresh": {"colour": 1}}}, "meta.afresh.colour", "allowed keys: early_cutoff, enabled"),
        ({"state": "off"}, "state", "a mapping of keys to values is expected here, not 'off'"),
    ],
)
def test_a_wrong_value_is_one_error_that_names_file_node_key_and_what_is_allowed(config, key, says):
    with pytest.raises(UsageError) as caught:
        settings(config)
    (problem,) = caught.value.problems
    assert (problem.where.file, problem.where.key) == ("models/shop.yml", key)
    assert problem.what.startswith("model.shop.orders: ")
    assert says in f"{problem.what.removeprefix('model.shop.orders: ')}; {problem.hint or ''}"


def test_the_mistakes_of_all_nodes_are_one_error():
    nodes = [
        NodeConfig("model.shop.b", "models/b.yml", {"state": {"lag_tolerance": 5, "enable": True}}),
        NodeConfig("model.shop.fine", "models/f.yml", {}),
        NodeConfig("model.shop.a", "models/a.sql", {"state": {"max_age": "x"}}),
    ]
    with pytest.raises(SettingsError) as caught:
        validate_all(nodes)
    assert [(problem.where.file, problem.where.key) for problem in caught.value.problems] == [
        ("models/a.sql", "state.max_age"),
        ("models/b.yml", "state.enable"),
        ("models/b.yml", "state.lag_tolerance"),
    ]


def test_the_settings_of_all_nodes_come_by_id():
    found = validate_all([NodeConfig("model.shop.a", "a.sql", after(1, "hour")), NodeConfig("seed.shop.b", "b.csv", {})], LAGGING)
    assert {node_id: each.policy.interval for node_id, each in found.items()} == {"model.shop.a": HOUR, "seed.shop.b": 9 * HOUR}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["1h", "all", "hour", "complete"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_BLOCK = st.dictionaries(st.sampled_from(["lag_tolerance", "max_age", "enabled", "inputs", "static", "pre_clone", "x"]), _VALUES)
_FRESHNESS = st.fixed_dictionaries(
    {}, optional={"build_after": st.dictionaries(st.sampled_from(["count", "period", "updates_on"]), _VALUES) | _VALUES}
)


@given(st.fixed_dictionaries({}, optional={"state": _BLOCK | _VALUES, "freshness": _FRESHNESS | _VALUES, "meta": _VALUES}))
def test_any_config_is_settings_or_one_error(config):
    try:
        assert settings(config).policy.interval >= timedelta(0)
    except SettingsError as error:
        assert_each_has_a_place(error)


def assert_each_has_a_place(error):
    assert {problem.where.file for problem in error.problems} == {"models/shop.yml"}
    assert all(problem.where.key for problem in error.problems)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"early_cutoff": True, "execute_hooks_on_any_reuse": "true"}, ("state.execute_hooks_on_any_reuse", "state.early_cutoff")),
        ({"early_cutoff": False, "execute_hooks_on_any_reuse": False, "pre_clone": "never", "max_age": "1d"}, ()),
        ({"pre_clone": "if_missing"}, ("state.pre_clone",)),
    ],
)
def test_settings_on_which_nothing_acts_yet_are_known(state, expected):
    assert settings({"state": state}).without_effect == expected


def test_a_setting_without_effect_is_told_once_however_many_nodes_set_it():
    nodes = [NodeConfig(f"model.shop.m{n}", "m.sql", {"state": {"early_cutoff": True, "compare_unrendered_code": True}}) for n in range(9)]
    told = list(warnings_of(validate_all(nodes)))
    assert told[-1] == "this version does not act yet on `state.early_cutoff`, which is set on m0, m1, m2 and 6 more"
    assert len(told) == 10
