"""What holds for every decision there can be, whatever is seen."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from afresh.core import reason as why
from afresh.core.decide import decide, plan_verdict
from afresh.core.decision import Build, Confidence, Reuse, Skip, Undetermined
from afresh.core.node import Kind, NodeId
from afresh.core.observation import FailedTest, Missing, Mode, Moved, OutsideChange, Present, StaleView
from afresh.core.policy import DEFAULT_POLICY, EngineUpgrade, Policy, UpdatesOn
from afresh.core.trace import AttemptProblem, AttemptState, Invalidation, RecordedInput, TestOutcome, TestStatus
from afresh.core.version import Known, Unknown
from unit.core.decision_table import TABLE
from unit.core.situations import (
    AUTO_REFRESHED,
    DBT_PART,
    GRANT_PART,
    RAW,
    SEED,
    SQL_PART,
    STAGED,
    TEST,
    UNIT_TEST,
    VIEW,
    built,
    reading,
    seen,
)
from unit.core.situations import TABLE as A_TABLE

NOW = seen().now

durations = st.integers(-48, 48).map(lambda quarters: timedelta(minutes=15 * quarters))
versions = st.sampled_from((Known("v1"), Known("v2"), Unknown("nobody knows")))
names = st.sampled_from((RAW, STAGED, SEED))
inputs = st.lists(
    st.builds(reading, names, versions, waited_for=st.booleans(), tolerated=st.booleans()), max_size=3, unique_by=lambda entry: entry.node
).map(tuple)
recorded = st.lists(st.builds(RecordedInput, names, st.none(), versions), max_size=3, unique_by=lambda entry: entry.node).map(tuple)
moved = st.builds(Moved, st.just("the date"), st.sampled_from(("1", "2")), st.sampled_from(("1", "2")))
nodes = st.sampled_from((A_TABLE, VIEW, TEST, UNIT_TEST, AUTO_REFRESHED))

CAUSES = {
    "mode": st.sampled_from((Mode.FORCED, Mode.FULL_REFRESH)),
    "invalidation": st.just(Invalidation("ann", NOW)),
    "not_reusable": st.just("it writes"),
    "existence": st.sampled_from((Missing(), Present("other"))),
    "attempt": st.builds(AttemptProblem, st.sampled_from(AttemptState), st.just("r2"), st.just(NOW)),
    "code_changes": st.just((SQL_PART,)),
    "outside": st.just(OutsideChange("1", "2")),
    "failed_tests": st.just((FailedTest(NodeId("test.shop.t"), NOW),)),
    "stale_view": st.just(StaleView("stg", "a column")),
    "volatile_test": None,
}
"""Each fact that makes a node due by itself, with values that do."""
CAUSES = {name: values for name, values in CAUSES.items() if values is not None}

usual = {
    "after": durations,
    "inputs": inputs,
    "volatile": st.none() | moved,
    "window": st.none() | moved,
    "code_changes": st.lists(st.sampled_from((DBT_PART, GRANT_PART)), unique=True).map(tuple),
}
observations = st.builds(seen, nodes, **usual)
anything = st.builds(
    lambda seen, extra: replace(seen, **extra),
    observations,
    st.fixed_dictionaries({}, optional={**CAUSES, "upstream_failed": st.just(NodeId("model.shop.a"))}),
)
policies = st.builds(
    Policy,
    enabled=st.sampled_from((True, True, True, False)),
    updates_on=st.sampled_from(UpdatesOn),
    interval=durations.map(abs),
    max_age=st.none() | durations.map(abs),
    on_engine_upgrade=st.sampled_from(EngineUpgrade),
)
results = st.none() | st.builds(TestOutcome, st.sampled_from(TestStatus))


@st.composite
def situations(draw, what=anything):
    """Something seen, a trace of the same node or none, and a policy."""
    found = draw(what)
    facts = {"inputs": draw(recorded)}
    if found.node.kind in (Kind.DATA_TEST, Kind.UNIT_TEST):
        facts["test"] = draw(results)
    trace = draw(st.none() | st.just(built(found.node, **facts)))
    return found, trace, draw(policies)


@given(situations())
def test_the_same_arguments_give_the_same_decision(situation) -> None:
    assert decide(*situation) == decide(*copy.deepcopy(situation))


@given(situations())
def test_nothing_is_reused_without_a_trace(situation) -> None:
    found, _, policy = situation
    assert isinstance(decide(found, None, policy), Build | Skip)


@given(situations(), names)
def test_an_unknown_input_is_never_called_verified_but_by_a_view(situation, name) -> None:
    found, trace, policy = situation
    assume(found.node.kind is not Kind.VIEW)
    doubtful = replace(found, inputs=(*(entry for entry in found.inputs if entry.node != name), reading(name, Unknown("who knows"))))
    decision = decide(doubtful, trace, policy)
    assert not (isinstance(decision, Reuse) and decision.confidence is Confidence.VERIFIED)


@given(situations(), policies)
def test_changed_code_is_built_whatever_the_policy(situation, policy) -> None:
    found, trace, _ = situation
    changed = replace(found, code_changes=(*found.code_changes, SQL_PART), upstream_failed=None)
    decision = decide(changed, trace, policy)
    assert isinstance(decision, Build)
    assert trace is None or any(isinstance(cause, why.CodeChanged) for cause in decision.reasons)


@given(situations(), st.sampled_from(sorted(CAUSES)).flatmap(lambda name: st.tuples(st.just(name), CAUSES[name])))
def test_one_more_cause_never_turns_a_build_into_a_reuse(situation, cause) -> None:
    found, trace, policy = situation
    before, after = decide(found, trace, policy), decide(replace(found, **{cause[0]: cause[1]}), trace, policy)
    if not isinstance(before, Skip):
        assert not isinstance(before, Build) or isinstance(after, Build)


@given(situations(observations))
def test_a_freshness_setting_only_delays_what_is_built_for_data(situation) -> None:
    """Whoever sets one gets no build that he would not get without, but for max_age, and loses none that is not for data."""
    found, trace, policy = situation
    lax, strict = decide(found, trace, policy), decide(found, trace, replace(DEFAULT_POLICY, on_engine_upgrade=policy.on_engine_upgrade))
    if isinstance(lax, Reuse) and isinstance(strict, Build):
        assert lax.confidence is Confidence.TOLERATED
        assert {cause.code for cause in strict.reasons} <= {"new_data", "volatile_value", "window_moved"}
    if isinstance(lax, Build) and not isinstance(strict, Build):
        assert {cause.code for cause in lax.reasons} <= {"max_age", "forced"}


@given(situations())
def test_verified_means_that_nothing_differs(situation) -> None:
    found, trace, policy = situation
    decision = decide(found, trace, policy)
    if isinstance(decision, Reuse) and decision.confidence is Confidence.VERIFIED:
        assert {cause.code for cause in decision.reasons} <= {"unchanged", "engine_upgraded"}
        assert not any(entry.tolerated for entry in found.inputs)
        known = {entry.node: entry.version for entry in trace.inputs}
        assert found.node.kind is Kind.VIEW or all(known.get(entry.node) == entry.version for entry in found.inputs)


@given(situations())
def test_causes_are_told_once_and_in_the_order_of_the_table(situation) -> None:
    codes = [cause.code for cause in decide(*situation).reasons]
    assert codes
    assert len(set(codes)) == len(codes)
    delays = {"too_soon", "waiting_for_inputs"}
    told = [code for code in codes if code not in delays]
    assert told == sorted(told, key=ORDER.index)


ORDER = (
    *("upstream_failed", "forced", "full_refresh", "invalidated", "not_reusable", "never_built", "relation_missing"),
    *("relation_type_changed", "interrupted", "last_build_failed", "tainted", "partial_build", "built_by_other_node"),
    *("code_changed", "engine_upgraded", "changed_outside", "failed_test", "not_passed_before", "view_stale", "new_data"),
    *("volatile_value", "window_moved", "max_age", "metadata_changed", "upstream_tolerated", "unchanged"),
)


@given(situations(), st.lists(st.sampled_from(("model.shop.a", "model.shop.b")), min_size=1, unique=True))
def test_a_plan_that_waits_is_never_a_reuse_in_the_run(situation, pending) -> None:
    found, trace, policy = situation
    waiting = replace(found, undetermined=tuple(map(NodeId, pending)))
    verdict = plan_verdict(waiting, trace, policy)
    assert isinstance(verdict, Undetermined | Build | Skip)
    assert isinstance(decide(waiting, trace, policy), Build | Skip)


@given(st.sampled_from(TABLE))
def test_a_failure_above_skips_every_row_of_the_table(row) -> None:
    assert isinstance(decide(replace(row.seen, upstream_failed=NodeId("model.shop.a")), row.trace, row.policy), Skip)
