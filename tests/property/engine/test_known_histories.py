"""Short histories that once ended in stale data, in needless builds or in an error; each by the rule that it broke."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from afresh.core.policy import Policy, UpdatesOn
from property.engine.side_by_side import Job, SideBySide
from property.engine.toy_engine import Signal
from property.engine.toy_history import SOURCES, Edit, EditCheck, Load, Meddle, Midnight, Run, Selection, other_project, rival_project
from property.engine.toy_host import Invocation, ToyHost
from property.engine.toy_project import Check, Flags, Model, Project
from property.engine.toy_run import ERROR, REUSED, SUCCESS, Fault, Outcome, ToyRun
from property.engine.toy_world import World


def project(*models: Model, checks: tuple[Check, ...] = ()) -> Project:
    return Project("main", models, checks, SOURCES)


def run(world: World, *names: str) -> Outcome:
    """A run of these models, or of all."""
    main = world.projects["main"]
    return world.run("main", Invocation(frozenset(names or main.order())), planned=True)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world of the main project that the test gives, in which plain dbt has built the other one."""
    main, other = request.param
    with World((main, other)) as made:
        made.run_plain("other", Invocation(frozenset(other.order())))
        yield made


def of(*models: Model, checks: tuple[Check, ...] = (), other: Project | None = None) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("world", [(project(*models, checks=checks), other or other_project())], indirect=True, ids=[""])


READS_THE_OTHER = Model("t", reads=("ext",))


@of(READS_THE_OTHER, other=other_project("view", "view"))
def test_new_data_is_seen_through_two_views_of_another_project_and_nothing_is_built_without(world: World) -> None:
    Run(project="other").happen(world)
    run(world)
    assert run(world).status == {"t": REUSED}
    Load(2, value=9).happen(world)
    assert run(world).status == {"t": SUCCESS}
    assert run(world).status == {"t": REUSED}


@of(READS_THE_OTHER, other=other_project("ephemeral", "view"))
def test_what_another_project_inlines_into_its_view_is_known_by_what_the_view_reads(world: World) -> None:
    Run(project="other").happen(world)
    run(world)
    assert run(world).status == {"t": REUSED}
    Load(2, value=9).happen(world)
    assert run(world).status == {"t": SUCCESS}


INLINED = (Model("e", "ephemeral", reads=("s0",)), Model("v", "view", reads=("e",)), Model("t", reads=("v",)))


@of(*INLINED)
def test_a_view_goes_on_reading_what_was_inlined_into_it_when_the_ephemeral_model_is_edited(world: World) -> None:
    run(world)
    main = world.projects["main"]
    world.edit(main.with_model(replace(INLINED[0], reads=("s1",))), "e")
    run(world, "t")
    Load(0, value=9).happen(world)  # the view that stands in the warehouse still reads it
    assert run(world, "t").status == {"t": SUCCESS}
    Load(1, value=9).happen(world)  # and does not read this yet
    assert run(world, "t").status == {"t": REUSED}


MOVED = (Model("a", reads=("s0",)), Model("v", "view", reads=("a",)), Model("t", reads=("v",)))


@of(*MOVED)
def test_a_view_goes_on_reading_the_relation_that_its_model_has_left(world: World) -> None:
    run(world)
    main = world.projects["main"]
    world.edit(main.with_model(replace(MOVED[0], alias=1)), "a")
    run(world, "a", "t")
    world.both(lambda warehouse: warehouse.put_table("a", {1: 42}))
    world.changed(["a"])
    assert run(world, "t").status == {"t": SUCCESS}


@of(Model("t", hard_coded=("raw1",)))
def test_a_model_whose_file_was_renamed_is_built_once_and_reads_what_it_read(world: World) -> None:
    run(world)
    Edit(0, "move", 1).happen(world)
    renamed = run(world)
    assert [reason.code for reason in renamed.decisions["t"].reasons] == ["built_by_other_node"]
    assert run(world).status == {"t": REUSED}


TWO = (Model("a", reads=("s0",)), Model("t", reads=("a",)))


@of(*TWO)
def test_a_relation_that_others_have_written_is_read_as_theirs_until_it_is_built_again(world: World) -> None:
    run(world)
    Meddle(0, "write").happen(world)
    assert run(world, "t").status == {"t": SUCCESS}
    assert run(world, "t").status == {"t": REUSED}, "nothing has changed since"
    assert run(world).status == {"a": SUCCESS, "t": SUCCESS}


@of(READS_THE_OTHER)
def test_another_project_that_went_back_to_plain_dbt_is_read_as_any_source(world: World) -> None:
    Run(project="other").happen(world)
    run(world)
    world.run_plain("other", Invocation(frozenset(["o0", "o1"])))
    assert run(world).status == {"t": SUCCESS}
    assert run(world).status == {"t": REUSED}


@of(*TWO)
def test_what_another_run_built_after_our_cache_of_relations_was_filled_is_not_built_over(world: World) -> None:
    job = Job(world.projects["main"], Invocation(frozenset(["a", "t"])))
    first, second = SideBySide(world, (job, job), schedule=[True]).run()
    assert ERROR not in first.status.values()
    assert sorted([*first.built(), *second.built()]) == ["a", "t"]


@of(*TWO, checks=(Check("c", ("a",), 1),))
def test_a_failed_test_makes_its_model_due_once_and_blocks_as_long_as_it_fails(world: World) -> None:
    for expected in ("never_built", "failed_test", None):
        outcome = run(world)
        codes = [reason.code for reason in outcome.decisions["a"].reasons]
        assert codes == ([expected] if expected else ["unchanged"])
        assert (outcome.status["c"], outcome.status["t"]) == ("fail", "skipped")


@pytest.mark.parametrize("signal", Signal)
def test_a_revert_to_code_that_was_built_before_is_built_again(signal: Signal) -> None:
    with World((project(*TWO),), signal=signal) as world:
        run(world)
        Edit(0, "code", 4).happen(world)
        run(world)
        Edit(0, "code", 0).happen(world)
        assert run(world).status["a"] == SUCCESS


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("fails", ["runtime", "late"])
def test_a_failed_build_is_made_good_although_its_code_was_set_back(signal: Signal, fails: str) -> None:
    with World((project(*TWO),), signal=signal) as world:
        run(world)
        main = world.projects["main"]
        world.edit(main.with_model(replace(TWO[0], fails=fails)), "a")
        assert run(world).status == {"a": ERROR, "t": "skipped"}
        world.edit(main, "a")
        assert run(world).status["a"] == SUCCESS


def test_a_parent_that_was_built_alone_is_caught_up_with() -> None:
    with World((project(*TWO),)) as world:
        run(world)
        Load(0, value=9).happen(world)
        assert run(world, "a").status == {"a": SUCCESS}
        assert run(world, "t").status == {"t": SUCCESS}


@pytest.mark.parametrize("signal", Signal)
def test_a_parent_whose_last_build_failed_is_read_as_it_was_left_and_then_left_alone(signal: Signal) -> None:
    with World((project(*TWO),), signal=signal) as world:
        run(world)
        world.edit(world.projects["main"].with_model(replace(TWO[0], fails="late")), "a")
        assert run(world, "a").status == {"a": ERROR}
        assert run(world, "t").status == {"t": SUCCESS}, "what the failed build left behind is in the parent"
        assert run(world, "t").status == {"t": REUSED}, "nobody has written it since"
        world.edit(project(*TWO), "a")
        assert run(world).status == {"a": SUCCESS, "t": SUCCESS}


def test_the_first_build_of_a_table_that_fails_in_the_same_run_is_new_to_those_who_read_it_as_a_source() -> None:
    """What the run asked about the table before that build tells nothing of what it left there."""
    writer, reader = Model("raw1", fails="late", rows=((1, 5),)), Model("t", reads=("s1",))
    with World((project(writer, reader),)) as world:
        run(world, "t")
        assert run(world).status == {"raw1": ERROR, "t": SUCCESS}


VIEWS = (Model("a", reads=("s0",)), Model("v", "view", reads=("a",)), Model("w", "view", reads=("v",)))


@of(*VIEWS)
@pytest.mark.parametrize("selected", [("v", "w"), ("w",)])
def test_a_view_over_a_dropped_table_is_built_and_fails_as_in_plain_dbt(world: World, selected: tuple[str, ...]) -> None:
    run(world)
    Meddle(0, "drop").happen(world)
    outcome = run(world, *selected)
    assert outcome.status[selected[0]] == ERROR
    assert outcome.decisions[selected[0]].reasons[0].code == "view_stale"
    assert run(world, *selected).status[selected[0]] == ERROR
    Load(0, "rewrite").happen(world)
    assert run(world).ended_well


def test_where_nobody_knows_columns_a_view_is_made_again_over_what_was_written_again() -> None:
    with World((project(*VIEWS),), signal=Signal.BLIND) as world:
        run(world)
        assert run(world).built() == set()
        Edit(0, "code", 4).happen(world)
        outcome = run(world)
        assert outcome.status == {"a": SUCCESS, "v": SUCCESS, "w": SUCCESS}
        assert [cause.code for cause in outcome.decisions["w"].reasons] == ["view_stale"]
        assert run(world).built() == set()


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("kind", ["kill", "interrupt"])
def test_a_build_that_was_cut_off_is_made_good(signal: Signal, kind: str) -> None:
    with World((project(*TWO),), signal=signal) as world:
        run(world)
        Load(0, value=9).happen(world)
        world.run("main", Invocation(frozenset(["a", "t"])), fault=Fault("a", kind, "written"))
        Load(0, value=1).happen(world)
        outcome = run(world)
        assert outcome.status == {"a": SUCCESS, "t": SUCCESS}
        assert outcome.decisions["a"].reasons[0].code == "interrupted"


def test_a_view_that_was_edited_and_built_alone_is_new_data_to_its_children() -> None:
    with World((project(Model("v", "view", reads=("s0",)), Model("t", reads=("v",))),)) as world:
        run(world)
        Edit(0, "code", 4).happen(world)
        run(world, "v")
        assert run(world, "t").status == {"t": SUCCESS}


def test_new_data_in_a_relation_that_only_the_sql_names_is_seen() -> None:
    with World((project(Model("e", "ephemeral", hard_coded=("raw1",)), Model("t", reads=("e",), hard_coded=("raw2",))),)) as world:
        run(world)
        for raw in (1, 2):
            Load(raw, value=9).happen(world)
            assert run(world, "t").status == {"t": SUCCESS}
            assert run(world, "t").status == {"t": REUSED}


DATED = (Model("e", "ephemeral", reads=("s0",), dated=True), Model("v", "view", reads=("s1",), dated=True), Model("t", reads=("e",)))


@pytest.mark.parametrize("signal", Signal)
def test_what_uses_the_date_is_built_when_the_date_changes_and_what_reads_it(signal: Signal) -> None:
    with World((project(*DATED, Model("below", reads=("v",)), Model("apart", reads=("s0",))),), signal=signal) as world:
        run(world)
        assert run(world).built() <= {"e"}
        Midnight().happen(world)
        outcome = run(world)
        assert outcome.built() - {"e"} >= {"t", "below"}
        assert outcome.status["apart"] == REUSED
        assert run(world).built() <= {"e"}


def test_an_edited_test_that_ran_only_without_rows_runs_once_more() -> None:
    with World((project(*TWO, checks=(Check("c", ("a",), 1009),)),)) as world:
        run(world)
        EditCheck(0, 2003).happen(world)
        Run(Selection("tests"), flags=Flags(empty=True)).happen(world)
        assert run(world).built() == {"c"}
        Run(Selection("tests"), flags=Flags(empty=True)).happen(world)
        assert run(world).built() == set()


@pytest.mark.parametrize("signal", Signal)
def test_a_relation_that_two_projects_write_is_built_by_each_in_its_turn(signal: Signal) -> None:
    with World((project(Model("m0", reads=("s1",)), Model("t", reads=("m0",))), rival_project()), signal=signal) as world:
        run(world)
        for _ in range(2):
            assert world.run("rival", Invocation(frozenset(["m0"])), planned=True).status == {"m0": SUCCESS}
            outcome = run(world)
            assert outcome.status == {"m0": SUCCESS, "t": SUCCESS}
            assert outcome.decisions["m0"].reasons[0].code == "built_by_other_node"
            assert run(world).built() == set()


THROUGH = (
    Model("e", "ephemeral", reads=("s0",)),
    Model("v", "view", reads=("s1",)),
    Model("t", reads=("e", "v")),
)
WAITS = {"t": Policy(updates_on=UpdatesOn.ALL)}
EAGER = {"t": Policy(updates_on=UpdatesOn.ANY)}


@of(*THROUGH)
def test_all_inputs_are_waited_for_through_views_and_ephemeral_models_since_the_last_build_of_what_waits(world: World) -> None:
    main = world.projects["main"]

    def decided(policies: dict[str, Policy] = WAITS) -> list[str]:
        world.wait(60)
        host = ToyHost(main, world.real, Invocation(frozenset(main.order()), policies=policies), signal=world.signal)
        return [reason.code for reason in ToyRun(host, world.store).go().decisions["t"].reasons]

    assert decided() == ["never_built"]
    assert decided() == ["unchanged"]
    Load(0, value=1).happen(world)
    assert decided() == ["waiting_for_inputs", "new_data"], "nothing new comes through the view"
    Load(0, value=2).happen(world)
    assert decided() == ["waiting_for_inputs", "new_data"], "the same input twice is one input"
    Load(1, value=3).happen(world)
    assert decided() == ["new_data"], "both have moved since the last build, not between the same two runs"
    Load(1, value=4).happen(world)
    assert decided() == ["waiting_for_inputs", "new_data"], "what moved before the last build is no longer new"
    assert decided(EAGER) == ["new_data"]
    assert decided(EAGER) == ["unchanged"]
