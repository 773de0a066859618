"""The decision table of semantics §2 and its policy text, as rows of situation and verdict.

The rows are data, so that :mod:`test_decide` can hold the decision to them, and :mod:`test_decide_mutants` can hold
them to every way in which the decision could be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from afresh.core import reason as why
from afresh.core.decision import Verdict
from afresh.core.node import NodeId
from afresh.core.observation import FailedTest, Missing, Mode, Moved, Observation, OutsideChange, Present, StaleView
from afresh.core.policy import DEFAULT_POLICY, EngineUpgrade, Policy, UpdatesOn
from afresh.core.trace import AttemptProblem, AttemptState, Invalidation, RecordedInput, TestOutcome, TestStatus, Trace
from unit.core.situations import (
    AUTO_REFRESHED,
    BUILT_AT,
    DBT_PART,
    FUNCTION,
    GRANT_PART,
    HOUR,
    MINUTE,
    NEW,
    NOBODY_KNOWS,
    OLD,
    RAW,
    SECOND,
    SEED,
    SQL_PART,
    STAGED,
    TEST,
    UNIT_TEST,
    VAR_PART,
    VIEW,
    applies,
    builds,
    built,
    new_data,
    reading,
    seen,
    skips,
    tolerated,
    verified,
    waits,
)


@dataclass(frozen=True)
class Row:
    """A situation and the verdict that the design gives it. ``name`` is the claim."""

    name: str
    seen: Observation
    verdict: Verdict
    trace: Trace | None = None
    policy: Policy = DEFAULT_POLICY


TRACE = built()
VIEW_TRACE = built(VIEW)
PASSED = built(TEST)
UNIT_PASSED = built(UNIT_TEST)
LATER = BUILT_AT + HOUR

INVALIDATION = Invalidation("ann", LATER, "backfill")
INVALIDATED = why.Invalidated("ann", LATER, "backfill")
FAILED_TEST = FailedTest(NodeId("test.shop.t"), LATER, 3)
OUTSIDE = OutsideChange("t1", "t2", "two rows more")
CHANGED_OUTSIDE = why.ChangedOutside("t1", "t2", "two rows more")

RAW_IS_NEW = (reading(RAW, NEW), reading(STAGED))
BOTH_ARE_NEW = (reading(RAW, NEW), reading(STAGED, NEW))
NEW_RAW = new_data((RAW, NEW))

MIDNIGHT = Moved("the current date", "2026-11-22", "2026-11-23")
PAST_MIDNIGHT = why.VolatileValue("the current date", "2026-11-22", "2026-11-23")
WINDOW = Moved("the microbatch window", "22nd", "23rd")
WINDOW_MOVED = why.WindowMoved("22nd", "23rd")

ALL = Policy(updates_on=UpdatesOn.ALL)
HOURLY = Policy(interval=HOUR)
BUILD_ON_UPGRADE = Policy(on_engine_upgrade=EngineUpgrade.BUILD)


def _problem(state: AttemptState) -> AttemptProblem:
    return AttemptProblem(state, "r2", LATER, "killed")


def _result(status: TestStatus) -> TestOutcome:
    return TestOutcome(status, 1)


def _too_soon(interval: timedelta) -> why.TooSoon:
    return why.TooSoon(BUILT_AT + interval, interval)


ROW_1 = (
    Row("a node below a failure is skipped, as in dbt", seen(upstream_failed=NodeId("model.shop.a")), skips("model.shop.a"), TRACE),
    Row(
        "a failure above goes before everything else, a forced run and a missing trace included",
        seen(upstream_failed=NodeId("model.shop.a"), mode=Mode.FORCED, existence=Missing(), inputs=BOTH_ARE_NEW),
        skips("model.shop.a"),
    ),
)

ROW_2 = (
    Row("a forced run builds what has not changed", seen(mode=Mode.FORCED), builds(why.Forced()), TRACE),
    Row("a node with state.enabled: false is always built", seen(), builds(why.Forced("state.enabled")), TRACE, Policy(enabled=False)),
    Row("a forced run of a node without state says so once", seen(mode=Mode.FORCED), builds(why.Forced()), TRACE, Policy(enabled=False)),
    Row("a full refresh builds what has not changed", seen(mode=Mode.FULL_REFRESH), builds(why.FullRefresh()), TRACE),
    Row("what was invalidated by hand is built, and it is said by whom", seen(invalidation=INVALIDATION), builds(INVALIDATED), TRACE),
    Row(
        "an invalidation is told beside a forced run",
        seen(mode=Mode.FORCED, invalidation=INVALIDATION),
        builds(why.Forced(), INVALIDATED),
        TRACE,
    ),
    Row("a forced first build is forced and has never been built", seen(mode=Mode.FORCED), builds(why.Forced(), why.NeverBuilt())),
)

ROW_3 = (
    Row("what cannot be reasoned about is built", seen(not_reusable="it writes"), builds(why.NotReusable("it writes")), TRACE),
    Row(
        "what cannot be reasoned about was perhaps never built either",
        seen(not_reusable="it writes"),
        builds(why.NotReusable("it writes"), why.NeverBuilt()),
    ),
)

ROW_4 = (
    Row("a relation without a trace is built", seen(), builds(why.NeverBuilt())),
    Row(
        "a relation that others made is built once although it exists and nothing is new",
        seen(existence=Present("table")),
        builds(why.NeverBuilt()),
    ),
    Row("a view without a trace is built", seen(VIEW), builds(why.NeverBuilt())),
    Row("a test that never ran is run", seen(TEST), builds(why.NeverBuilt())),
    Row(
        "without a trace no policy delays anything", seen(), builds(why.NeverBuilt()), None, Policy(interval=HOUR, updates_on=UpdatesOn.ALL)
    ),
    Row(
        "a first build that failed is told beside that nothing was ever built",
        seen(attempt=_problem(AttemptState.FAILED)),
        builds(why.NeverBuilt(), why.LastBuildFailed("r2", LATER, "killed")),
    ),
    Row(
        "a first build that was cut off is told beside that nothing was ever built",
        seen(attempt=_problem(AttemptState.INTERRUPTED)),
        builds(why.NeverBuilt(), why.Interrupted(AttemptState.INTERRUPTED, "r2", LATER, "killed")),
    ),
)

ROW_5 = (
    Row("a relation that is gone is built", seen(existence=Missing()), builds(why.RelationMissing()), TRACE),
    Row("a view that is gone is built", seen(VIEW, existence=Missing()), builds(why.RelationMissing()), VIEW_TRACE),
    Row(
        "a relation of another type is built",
        seen(existence=Present("view")),
        builds(why.RelationTypeChanged("table", "view")),
        TRACE,
    ),
    Row("a type that the warehouse does not tell is no difference", seen(existence=Present("")), verified(TRACE), TRACE),
    Row(
        "a type that was not recorded is no difference",
        seen(existence=Present("table")),
        verified(built(relation_type="")),
        built(relation_type=""),
    ),
)

ROW_6 = (
    *(
        Row(
            f"a build that ended as {state.value} is followed by another",
            seen(attempt=_problem(state)),
            builds(why.Interrupted(state, "r2", LATER, "killed")),
            TRACE,
        )
        for state in (AttemptState.INTERRUPTED, AttemptState.LOST_LEASE)
    ),
    Row(
        "a build that failed after it may have written is followed by another",
        seen(attempt=_problem(AttemptState.FAILED)),
        builds(why.LastBuildFailed("r2", LATER, "killed")),
        TRACE,
    ),
    Row(
        "a relation that was built without state is built",
        seen(attempt=_problem(AttemptState.TAINTED)),
        builds(why.Tainted(LATER, "killed")),
        TRACE,
    ),
    Row(
        "a build of a part only is followed by a full one",
        seen(attempt=_problem(AttemptState.PARTIAL)),
        builds(why.PartialBuild("r2", LATER, "killed")),
        TRACE,
    ),
    Row(
        "a view whose build was cut off is built",
        seen(VIEW, attempt=_problem(AttemptState.INTERRUPTED)),
        builds(why.Interrupted(AttemptState.INTERRUPTED, "r2", LATER, "killed")),
        VIEW_TRACE,
    ),
)

ROW_7 = (
    Row(
        "a relation that another node wrote last is built",
        seen(),
        builds(why.BuiltByOtherNode("model.shop.twin")),
        replace(TRACE, node=NodeId("model.shop.twin")),
    ),
)

ROW_8 = (
    Row(
        "changed code is built, and every part that changed is named",
        seen(code_changes=(SQL_PART, VAR_PART)),
        builds(why.CodeChanged((SQL_PART, VAR_PART))),
        TRACE,
    ),
    Row("a view with changed code is built", seen(VIEW, code_changes=(SQL_PART,)), builds(why.CodeChanged((SQL_PART,))), VIEW_TRACE),
    Row("an edited test is run", seen(TEST, code_changes=(SQL_PART,)), builds(why.CodeChanged((SQL_PART,))), PASSED),
    Row(
        "an interval does not delay changed code",
        seen(code_changes=(SQL_PART,), after=SECOND),
        builds(why.CodeChanged((SQL_PART,))),
        TRACE,
        HOURLY,
    ),
    Row(
        "updates_on: all does not delay changed code",
        seen(code_changes=(SQL_PART,), inputs=RAW_IS_NEW),
        builds(why.CodeChanged((SQL_PART,)), NEW_RAW),
        TRACE,
        ALL,
    ),
    Row(
        "a changed macro of dbt itself is kept by default, and told",
        seen(code_changes=(DBT_PART,)),
        verified(TRACE, why.Unchanged(), why.EngineUpgraded((DBT_PART,))),
        TRACE,
    ),
    Row(
        "a changed macro of dbt itself is built where the project asks for it",
        seen(code_changes=(DBT_PART,)),
        builds(why.EngineUpgraded((DBT_PART,))),
        TRACE,
        BUILD_ON_UPGRADE,
    ),
    Row("asking to build on upgrades builds nothing without one", seen(), verified(TRACE), TRACE, BUILD_ON_UPGRADE),
    Row(
        "code, dbt's macros and descriptions that changed at once are told apart",
        seen(code_changes=(GRANT_PART, DBT_PART, SQL_PART)),
        builds(why.CodeChanged((SQL_PART,)), why.EngineUpgraded((DBT_PART,))),
        TRACE,
        BUILD_ON_UPGRADE,
    ),
    Row(
        "changed code beside a changed macro of dbt is told as changed code alone",
        seen(code_changes=(DBT_PART, SQL_PART)),
        builds(why.CodeChanged((SQL_PART,))),
        TRACE,
    ),
)

ROW_9 = (
    Row("a relation that somebody else wrote is built", seen(outside=OUTSIDE), builds(CHANGED_OUTSIDE), TRACE),
    Row(
        "a relation that is gone was not changed besides",
        seen(outside=OUTSIDE, existence=Missing()),
        builds(why.RelationMissing()),
        TRACE,
    ),
    Row(
        "what an attempt of ours wrote last was not changed by somebody else",
        seen(outside=OUTSIDE, attempt=AttemptProblem(AttemptState.PARTIAL, "r2", BUILT_AT, "--empty")),
        builds(why.PartialBuild("r2", BUILT_AT, "--empty")),
        TRACE,
    ),
    Row(
        "an interval does not delay repairing an outside change",
        seen(outside=OUTSIDE, after=SECOND),
        builds(CHANGED_OUTSIDE),
        TRACE,
        HOURLY,
    ),
)

ROW_10 = (
    Row(
        "a model whose test failed on its last build is built",
        seen(failed_tests=(FAILED_TEST,)),
        builds(why.FailedTests((FAILED_TEST,))),
        TRACE,
    ),
    Row(
        "a view whose test failed on its last build is built",
        seen(VIEW, failed_tests=(FAILED_TEST,)),
        builds(why.FailedTests((FAILED_TEST,))),
        VIEW_TRACE,
    ),
)

ROW_11 = (
    Row(
        "a view whose stored definition is stale is built",
        seen(VIEW, stale_view=StaleView("stg", "a new column")),
        builds(why.ViewStale("stg", "a new column")),
        VIEW_TRACE,
    ),
)

ROW_12 = (
    Row("new data in one input is built", seen(inputs=RAW_IS_NEW), builds(NEW_RAW), TRACE),
    Row("every input with new data is named", seen(inputs=BOTH_ARE_NEW), builds(new_data((RAW, NEW), (STAGED, NEW))), TRACE),
    Row(
        "an input of unknown version is built",
        seen(inputs=(reading(RAW, NOBODY_KNOWS), reading(STAGED))),
        builds(new_data((RAW, NOBODY_KNOWS))),
        TRACE,
    ),
    Row(
        "an input whose version was unknown and still is, is built",
        seen(inputs=(reading(RAW, NOBODY_KNOWS),)),
        builds(new_data((RAW, NOBODY_KNOWS, NOBODY_KNOWS))),
        built(inputs=(RecordedInput(RAW, None, NOBODY_KNOWS),)),
    ),
    Row(
        "an input whose version was unknown and is known now is built",
        seen(inputs=(reading(RAW),)),
        builds(new_data((RAW, OLD, NOBODY_KNOWS))),
        built(inputs=(RecordedInput(RAW, None, NOBODY_KNOWS),)),
    ),
    Row(
        "an input that the last build did not read is built",
        seen(inputs=(*BOTH_ARE_NEW[1:], reading(RAW), reading(SEED))),
        builds(new_data((STAGED, NEW), (SEED, OLD, None))),
        TRACE,
    ),
    Row(
        "an input that the last build read and nobody reads any more is no difference", seen(inputs=(reading(RAW),)), verified(TRACE), TRACE
    ),
    Row(
        "an input is named as people call it",
        seen(inputs=(reading(RAW, NEW, label="source raw.orders"),)),
        builds(why.NewData((why.InputChange(RAW, "source raw.orders", OLD, NEW),))),
        TRACE,
    ),
    Row(
        "new data in a relation that the warehouse refreshes is built",
        seen(AUTO_REFRESHED, inputs=RAW_IS_NEW),
        builds(NEW_RAW),
        built(AUTO_REFRESHED),
    ),
    Row("new data flows through a view without touching it", seen(VIEW, inputs=RAW_IS_NEW), verified(VIEW_TRACE), VIEW_TRACE),
    Row(
        "an unknown version flows through a view without touching it",
        seen(VIEW, inputs=(reading(RAW, NOBODY_KNOWS),)),
        verified(VIEW_TRACE),
        VIEW_TRACE,
    ),
    Row("the date does not touch a view", seen(VIEW, volatile=MIDNIGHT), verified(VIEW_TRACE), VIEW_TRACE),
    Row("max_age does not touch a view", seen(VIEW, after=2 * HOUR), verified(VIEW_TRACE), VIEW_TRACE, Policy(max_age=HOUR)),
    Row("a new date is built", seen(volatile=MIDNIGHT), builds(PAST_MIDNIGHT), TRACE),
    Row("the same date is no difference", seen(volatile=replace(MIDNIGHT, observed="2026-11-22")), verified(TRACE), TRACE),
    Row("a new window is built", seen(window=WINDOW), builds(WINDOW_MOVED), TRACE),
    Row("the same window is no difference", seen(window=replace(WINDOW, observed="22nd")), verified(TRACE), TRACE),
    Row(
        "a build as old as max_age is built again",
        seen(after=2 * HOUR),
        builds(why.MaxAge(2 * HOUR, 2 * HOUR)),
        TRACE,
        Policy(max_age=2 * HOUR),
    ),
    Row(
        "a build older than max_age is built again",
        seen(after=3 * HOUR),
        builds(why.MaxAge(3 * HOUR, 2 * HOUR)),
        TRACE,
        Policy(max_age=2 * HOUR),
    ),
    Row("a build younger than max_age is left", seen(after=2 * HOUR - SECOND), verified(TRACE), TRACE, Policy(max_age=2 * HOUR)),
    Row(
        "all causes of this row are told, in order",
        seen(inputs=RAW_IS_NEW, volatile=MIDNIGHT, window=WINDOW, after=2 * HOUR),
        builds(NEW_RAW, PAST_MIDNIGHT, WINDOW_MOVED, why.MaxAge(2 * HOUR, HOUR)),
        TRACE,
        Policy(max_age=HOUR),
    ),
)

INTERVALS = (
    Row(
        "new data before the interval has elapsed is tolerated, and it is said when it is due",
        seen(inputs=RAW_IS_NEW, after=30 * MINUTE),
        tolerated(TRACE, _too_soon(HOUR), NEW_RAW),
        TRACE,
        HOURLY,
    ),
    Row("new data after the interval is built", seen(inputs=RAW_IS_NEW, after=2 * HOUR), builds(NEW_RAW), TRACE, HOURLY),
    Row("new data at the very end of the interval is built", seen(inputs=RAW_IS_NEW, after=HOUR), builds(NEW_RAW), TRACE, HOURLY),
    Row(
        "an hourly job that starts a minute early still builds hourly with 1 h",
        seen(inputs=RAW_IS_NEW, after=HOUR - MINUTE),
        builds(NEW_RAW),
        TRACE,
        HOURLY,
    ),
    Row(
        "more than a minute early is too soon, however long the interval",
        seen(inputs=RAW_IS_NEW, after=HOUR - MINUTE - SECOND),
        tolerated(TRACE, _too_soon(HOUR), NEW_RAW),
        TRACE,
        HOURLY,
    ),
    Row(
        "for a short interval 5 % early is early enough",
        seen(inputs=RAW_IS_NEW, after=9 * MINUTE + 30 * SECOND),
        builds(NEW_RAW),
        TRACE,
        Policy(interval=10 * MINUTE),
    ),
    Row(
        "for a short interval more than 5 % early is too soon",
        seen(inputs=RAW_IS_NEW, after=9 * MINUTE + 29 * SECOND),
        tolerated(TRACE, _too_soon(10 * MINUTE), NEW_RAW),
        TRACE,
        Policy(interval=10 * MINUTE),
    ),
    Row(
        "without an interval nothing is too soon, in the same moment either",
        seen(inputs=RAW_IS_NEW, after=0 * HOUR),
        builds(NEW_RAW),
        TRACE,
    ),
    Row(
        "a run that was scheduled before the one that built, and came later, builds what is new",
        seen(inputs=RAW_IS_NEW, after=-HOUR),
        builds(NEW_RAW),
        TRACE,
    ),
    Row(
        "an interval delays a new date",
        seen(volatile=MIDNIGHT, after=MINUTE),
        tolerated(TRACE, _too_soon(HOUR), PAST_MIDNIGHT),
        TRACE,
        HOURLY,
    ),
    Row(
        "an interval delays a new window", seen(window=WINDOW, after=MINUTE), tolerated(TRACE, _too_soon(HOUR), WINDOW_MOVED), TRACE, HOURLY
    ),
    Row(
        "an interval delays an input of unknown version, which is then not called verified",
        seen(inputs=(reading(RAW, NOBODY_KNOWS),), after=MINUTE),
        tolerated(TRACE, _too_soon(HOUR), new_data((RAW, NOBODY_KNOWS))),
        TRACE,
        HOURLY,
    ),
    Row("nothing new within the interval is verified, not tolerated", seen(after=MINUTE), verified(TRACE), TRACE, HOURLY),
    Row(
        "max_age goes before an interval that has not elapsed",
        seen(inputs=RAW_IS_NEW, after=30 * MINUTE),
        builds(NEW_RAW, why.MaxAge(30 * MINUTE, 30 * MINUTE)),
        TRACE,
        Policy(interval=HOUR, max_age=30 * MINUTE),
    ),
    Row(
        "an interval counts from the start of the run that built, not from the end of the build",
        seen(inputs=RAW_IS_NEW, after=HOUR),
        builds(NEW_RAW),
        built(started_at=BUILT_AT + 50 * MINUTE, finished_at=BUILT_AT + 59 * MINUTE),
        HOURLY,
    ),
    Row(
        "an interval counts to the scheduled start of the run, not to the moment of the decision",
        replace(seen(inputs=RAW_IS_NEW, after=MINUTE), now=BUILT_AT + 2 * HOUR),
        tolerated(TRACE, _too_soon(HOUR), NEW_RAW),
        TRACE,
        HOURLY,
    ),
    Row(
        "an interval holds in the very moment of the build",
        seen(inputs=RAW_IS_NEW, after=0 * HOUR),
        tolerated(TRACE, _too_soon(HOUR), NEW_RAW),
        TRACE,
        HOURLY,
    ),
    Row(
        "an interval holds for a run that began before the one that built meanwhile",
        replace(seen(inputs=RAW_IS_NEW, after=-MINUTE), now=BUILT_AT + 2 * MINUTE),
        tolerated(TRACE, _too_soon(HOUR), NEW_RAW),
        TRACE,
        HOURLY,
    ),
    Row(
        "a build that lies in the future, because the clock was set back, delays nothing",
        seen(inputs=RAW_IS_NEW, after=-MINUTE),
        builds(NEW_RAW),
        TRACE,
        HOURLY,
    ),
    Row(
        "without an interval a run that began before the one that built meanwhile does not wait",
        replace(seen(inputs=RAW_IS_NEW, after=-MINUTE), now=BUILT_AT + 2 * MINUTE),
        builds(NEW_RAW),
        TRACE,
    ),
    Row(
        "max_age counts to the scheduled start of the run as well",
        replace(seen(after=MINUTE), now=BUILT_AT + 2 * HOUR),
        verified(TRACE),
        TRACE,
        Policy(max_age=HOUR),
    ),
)

ALL_INPUTS = (
    Row(
        "updates_on: all waits for the input that has not moved",
        seen(inputs=RAW_IS_NEW),
        tolerated(TRACE, why.WaitingForInputs((STAGED,)), NEW_RAW),
        TRACE,
        ALL,
    ),
    Row(
        "updates_on: all builds when every input has moved",
        seen(inputs=BOTH_ARE_NEW),
        builds(new_data((RAW, NEW), (STAGED, NEW))),
        TRACE,
        ALL,
    ),
    Row(
        "updates_on: all counts an unknown version as a new one",
        seen(inputs=(reading(RAW, NEW), reading(STAGED, NOBODY_KNOWS))),
        builds(new_data((RAW, NEW), (STAGED, NOBODY_KNOWS))),
        TRACE,
        ALL,
    ),
    Row(
        "updates_on: all does not wait for seeds, functions and static inputs",
        seen(inputs=(reading(RAW, NEW), reading(STAGED, waited_for=False))),
        builds(NEW_RAW),
        TRACE,
        ALL,
    ),
    Row(
        "a new seed alone does not make updates_on: all stop waiting",
        seen(inputs=(reading(RAW), reading(STAGED, NEW, waited_for=False))),
        tolerated(TRACE, why.WaitingForInputs((RAW,)), new_data((STAGED, NEW))),
        TRACE,
        ALL,
    ),
    Row("updates_on: all with nothing new is verified", seen(), verified(TRACE), TRACE, ALL),
    Row(
        "updates_on: all waits while only the date has moved",
        seen(volatile=MIDNIGHT),
        tolerated(TRACE, why.WaitingForInputs((RAW, STAGED)), PAST_MIDNIGHT),
        TRACE,
        ALL,
    ),
    Row("updates_on: any does not wait", seen(inputs=RAW_IS_NEW), builds(NEW_RAW), TRACE, Policy(updates_on=UpdatesOn.ANY)),
    Row(
        "an input that is waited for is named as people call it",
        seen(inputs=(reading(RAW, NEW), reading(STAGED, label="stg_customers"))),
        tolerated(TRACE, why.WaitingForInputs(("stg_customers",)), NEW_RAW),
        TRACE,
        ALL,
    ),
    Row(
        "both delays are told where both hold",
        seen(inputs=RAW_IS_NEW, after=MINUTE),
        tolerated(TRACE, why.WaitingForInputs((STAGED,)), _too_soon(HOUR), NEW_RAW),
        TRACE,
        Policy(updates_on=UpdatesOn.ALL, interval=HOUR),
    ),
    Row(
        "max_age ends the wait for inputs",
        seen(inputs=RAW_IS_NEW, after=HOUR),
        builds(NEW_RAW, why.MaxAge(HOUR, HOUR)),
        TRACE,
        Policy(updates_on=UpdatesOn.ALL, max_age=HOUR),
    ),
)

ROW_13 = (
    Row(
        "changed grants alone are applied without a build",
        seen(code_changes=(GRANT_PART,)),
        applies(TRACE, why.MetadataChanged((GRANT_PART,))),
        TRACE,
    ),
    Row(
        "changed grants of a view are applied without a build",
        seen(VIEW, code_changes=(GRANT_PART,)),
        applies(VIEW_TRACE, why.MetadataChanged((GRANT_PART,))),
        VIEW_TRACE,
    ),
    Row("changed grants do not hide new data", seen(code_changes=(GRANT_PART,), inputs=RAW_IS_NEW), builds(NEW_RAW), TRACE),
    Row(
        "changed grants do not hide that new data is tolerated",
        seen(code_changes=(GRANT_PART,), inputs=RAW_IS_NEW, after=MINUTE),
        tolerated(TRACE, _too_soon(HOUR), NEW_RAW),
        TRACE,
        HOURLY,
    ),
    Row(
        "changed grants beside a changed macro of dbt are applied",
        seen(code_changes=(GRANT_PART, DBT_PART)),
        applies(TRACE, why.MetadataChanged((GRANT_PART,))),
        TRACE,
    ),
)

ROW_14 = (
    Row("nothing differs: reused, verified", seen(), verified(TRACE), TRACE),
    Row("nothing differs for a view", seen(VIEW), verified(VIEW_TRACE), VIEW_TRACE),
    Row("nothing differs for a function", seen(FUNCTION), verified(built(FUNCTION)), built(FUNCTION)),
    Row("what was adopted and has not changed says so", seen(), verified(built(adopted=True), why.Adopted()), built(adopted=True)),
    Row(
        "a node whose input is behind by permission is itself not verified",
        seen(inputs=(reading(RAW), reading(STAGED, tolerated=True))),
        tolerated(TRACE, why.UpstreamTolerated((STAGED,))),
        TRACE,
    ),
    Row(
        "a view whose input is behind by permission is itself not verified",
        seen(VIEW, inputs=(reading(STAGED, tolerated=True, label="stg"),)),
        tolerated(VIEW_TRACE, why.UpstreamTolerated(("stg",))),
        VIEW_TRACE,
    ),
    Row(
        "an input that is behind by permission does not stop a build",
        seen(inputs=(reading(RAW, NEW), reading(STAGED, tolerated=True))),
        builds(NEW_RAW),
        TRACE,
    ),
)

NOT_PASSED = why.NotPassedBefore("it did not pass the last time")
TESTS = (
    Row("a test that passed on the same data and code is reused", seen(TEST), verified(PASSED), PASSED),
    *(
        Row(
            f"a test that ended with {status.value} runs again",
            seen(TEST),
            builds(NOT_PASSED),
            built(TEST, test=_result(status)),
        )
        for status in (TestStatus.WARN, TestStatus.FAIL, TestStatus.ERROR)
    ),
    Row("a test without a recorded result runs again", seen(TEST), builds(NOT_PASSED), built(TEST, test=None)),
    Row("a test runs when one of the relations it reads has new data", seen(TEST, inputs=RAW_IS_NEW), builds(NEW_RAW), PASSED),
    Row(
        "a test with an unknown input runs", seen(TEST, inputs=(reading(RAW, NOBODY_KNOWS),)), builds(new_data((RAW, NOBODY_KNOWS))), PASSED
    ),
    Row(
        "a volatile test always runs",
        seen(TEST, volatile_test="it asks for now()"),
        builds(why.NotPassedBefore("it asks for now()")),
        PASSED,
    ),
    Row(
        "a volatile test that failed is told as volatile",
        seen(TEST, volatile_test="it asks for now()"),
        builds(why.NotPassedBefore("it asks for now()")),
        built(TEST, test=_result(TestStatus.FAIL)),
    ),
    Row(
        "a test on a relation that is behind by permission is not verified",
        seen(TEST, inputs=(reading(RAW, tolerated=True),)),
        tolerated(PASSED, why.UpstreamTolerated((RAW,))),
        PASSED,
    ),
    Row("a unit test that passed with the same code is reused", seen(UNIT_TEST, inputs=()), verified(UNIT_PASSED), UNIT_PASSED),
    Row(
        "a unit test that failed runs again",
        seen(UNIT_TEST, inputs=()),
        builds(NOT_PASSED),
        built(UNIT_TEST, test=_result(TestStatus.FAIL)),
    ),
    Row(
        "a forced test that failed is told both",
        seen(TEST, mode=Mode.FORCED),
        builds(why.Forced(), NOT_PASSED),
        built(TEST, test=_result(TestStatus.FAIL)),
    ),
)

EVERYTHING_AT_ONCE = (
    Row(
        "all causes are told, in the order of the table",
        seen(
            mode=Mode.FULL_REFRESH,
            invalidation=INVALIDATION,
            not_reusable="it writes",
            existence=Present("view"),
            attempt=_problem(AttemptState.PARTIAL),
            code_changes=(SQL_PART, DBT_PART, GRANT_PART),
            outside=OUTSIDE,
            failed_tests=(FAILED_TEST,),
            stale_view=StaleView("stg", "a new column"),
            inputs=RAW_IS_NEW,
            volatile=MIDNIGHT,
            window=WINDOW,
        ),
        builds(
            why.Forced("state.enabled"),
            why.FullRefresh(),
            INVALIDATED,
            why.NotReusable("it writes"),
            why.RelationTypeChanged("table", "view"),
            why.PartialBuild("r2", LATER, "killed"),
            why.BuiltByOtherNode("model.shop.twin"),
            why.CodeChanged((SQL_PART,)),
            why.EngineUpgraded((DBT_PART,)),
            why.FailedTests((FAILED_TEST,)),
            why.ViewStale("stg", "a new column"),
            NEW_RAW,
            PAST_MIDNIGHT,
            WINDOW_MOVED,
            why.MaxAge(HOUR, HOUR),
        ),
        replace(TRACE, node=NodeId("model.shop.twin")),
        Policy(enabled=False, on_engine_upgrade=EngineUpgrade.BUILD, max_age=HOUR),
    ),
    Row(
        "an outside change is told between the code and the tests",
        seen(code_changes=(SQL_PART,), outside=OUTSIDE, failed_tests=(FAILED_TEST,)),
        builds(why.CodeChanged((SQL_PART,)), CHANGED_OUTSIDE, why.FailedTests((FAILED_TEST,))),
        TRACE,
    ),
)

_A, _B = NodeId("model.shop.a"), NodeId("model.shop.b")
_MAY_MOVE = reading(RAW, NOBODY_KNOWS, undetermined=(_A,))

PLANS = (
    Row("a plan cannot say before the input has been decided", seen(inputs=(_MAY_MOVE, reading(STAGED))), waits(_A), TRACE),
    Row(
        "a plan does not wait where new data of another input asks for the build already",
        seen(inputs=(_MAY_MOVE, reading(STAGED, NEW))),
        builds(new_data((STAGED, NEW))),
        TRACE,
    ),
    Row(
        "a plan does not wait for what the whole node depends on either, where new data asks for the build already",
        seen(inputs=(reading(RAW), reading(STAGED, NEW)), undetermined=(_A,)),
        builds(new_data((STAGED, NEW))),
        TRACE,
    ),
    Row(
        "a plan tells the causes that are certain beside what it waits for, where every input must have moved",
        seen(inputs=(_MAY_MOVE, reading(STAGED, NEW))),
        waits(_A, known=(new_data((STAGED, NEW)),)),
        TRACE,
        Policy(updates_on=UpdatesOn.ALL),
    ),
    Row(
        "a plan waits although metadata differ, because new data may be delayed and they with it",
        seen(inputs=(_MAY_MOVE, reading(STAGED)), code_changes=(GRANT_PART,)),
        waits(_A),
        TRACE,
    ),
    Row(
        "a plan waits for each node once",
        seen(inputs=(_MAY_MOVE, reading(STAGED, NOBODY_KNOWS, undetermined=(_A, _B))), undetermined=(_B,)),
        waits(_B, _A),
        TRACE,
    ),
    Row("a plan waits for what the whole node depends on, a view too", seen(VIEW, undetermined=(_A,)), waits(_A), VIEW_TRACE),
    Row("a view does not wait for its inputs", seen(VIEW, inputs=(_MAY_MOVE,)), verified(VIEW_TRACE), VIEW_TRACE),
    Row(
        "a build that is certain waits for nothing",
        seen(code_changes=(SQL_PART,), inputs=(_MAY_MOVE, reading(STAGED))),
        builds(why.CodeChanged((SQL_PART,))),
        TRACE,
    ),
    Row("a first build waits for nothing", seen(inputs=(_MAY_MOVE,), undetermined=(_A,)), builds(why.NeverBuilt())),
)

TABLE: tuple[Row, ...] = (
    *ROW_1,
    *ROW_2,
    *ROW_3,
    *ROW_4,
    *ROW_5,
    *ROW_6,
    *ROW_7,
    *ROW_8,
    *ROW_9,
    *ROW_10,
    *ROW_11,
    *ROW_12,
    *INTERVALS,
    *ALL_INPUTS,
    *ROW_13,
    *ROW_14,
    *TESTS,
    *EVERYTHING_AT_ONCE,
    *PLANS,
)
