"""Two runs at once over shared models, and a warehouse that is written meanwhile."""

from __future__ import annotations

from hypothesis import given, note
from hypothesis import strategies as st

from property.engine import strategies as s
from property.engine.side_by_side import Job, Jump, SideBySide
from property.engine.test_answer_key import tried
from property.engine.toy_history import Edit, Step
from property.engine.toy_host import Invocation, ToyHost
from property.engine.toy_lineage import below, label_of
from property.engine.toy_project import Project
from property.engine.toy_run import ERROR, WARN, WELL, Outcome, ToyRun, run_plain
from property.engine.toy_world import World, fresh_build

schedules = st.lists(st.booleans(), max_size=40)
meanwhile = st.lists(st.tuples(st.integers(1, 30), s.loads | st.just(Jump())), max_size=4)
commits = st.lists(st.builds(Edit, s.numbers, st.sampled_from(("code", "alias", "move")), s.codes), max_size=3)


def whole(project: Project) -> Invocation:
    return Invocation(frozenset(project.order()))


def prepared(world: World, main: Project, other: Project, steps: list[Step], *, built: bool) -> Project:
    """The world after the other project ran, the main one too if ``built``, and some commits after that."""
    world.run_plain("other", whole(other))
    if built:
        world.run("main", whole(main))
    for step in steps:
        step.happen(world)
    world.wait(60)
    return world.projects["main"]


def quiet_run(world: World, name: str) -> Outcome:
    """A run of everything with nothing else going on, held against a build from nothing."""
    world.wait(60)
    project = world.projects[name]
    outcome = ToyRun(ToyHost(project, world.real, whole(project), signal=world.signal), world.store).go()
    fresh = fresh_build(world, name)
    for model in project.models:
        is_broken = world.real.holds(model.relation) == ("view", "broken")  # a table under it is gone: plain dbt has none at all
        if outcome.status[model.name] in WELL and not model.is_ephemeral and not is_broken:
            assert world.real.holds(model.relation) == fresh.holds(model.relation), f"{model.name}: {outcome}"
    return outcome


@tried(30)
@given(
    main=s.main_projects(s.PURE),
    other=s.pure_other_projects,
    built=st.booleans(),
    ticks=st.booleans(),
    cascades=st.booleans(),
    commits=commits,
    later=commits,
    schedule=schedules,
    meanwhile=meanwhile,
    selections=st.tuples(s.selections, s.selections),
    troubles=st.tuples(st.none() | s.troubles, st.none() | s.troubles),
)
def test_whatever_two_runs_do_to_each_other_is_made_good_by_the_next(
    *, main, other, built, ticks, cascades, commits, later, schedule, meanwhile, selections, troubles
) -> None:
    with World((main, other), ticks=ticks, cascades=cascades) as world:
        old = prepared(world, main, other, commits, built=built)
        for step in later:
            step.happen(world)
        jobs = tuple(
            Job(project, Invocation(selected), trouble and trouble.fault(project, selected))
            for project, selection, trouble in zip((old, world.projects["main"]), selections, troubles, strict=True)
            for selected in [selection.of(project)]
        )
        note(f"{SideBySide(world, jobs, schedule, meanwhile).run()}")
        quiet_run(world, "other")
        first = quiet_run(world, "main")
        if first.ended_well:
            hold_nothing_again(world, quiet_run(world, "main"), first)


def hold_nothing_again(world: World, again: Outcome, first: Outcome) -> None:
    """Nothing was built that did not have to be: below a relation that nobody makes good any more, everything has to."""
    project = world.projects["main"]
    abandoned = {relation for _, relation in project.sources if relation.startswith("seed")} - {model.relation for model in project.models}
    excused = below(abandoned, world.projects.values(), world.real)
    warned = {name for name, status in first.status.items() if status == WARN}
    ran = {name for name in again.built() if name not in warned and label_of(project, name) not in excused}
    assert not {name for name in ran if not ((model := project.model(name)) and model.is_ephemeral)}, f"{again}"


@tried(30)
@given(
    main=s.main_projects(s.PURE),
    other=s.pure_other_projects,
    built=st.booleans(),
    ticks=st.booleans(),
    cascades=st.booleans(),
    commits=commits,
    schedule=schedules,
)
def test_of_two_equal_runs_at_once_each_model_is_built_by_one(main, other, built, ticks, cascades, commits, schedule) -> None:
    with World((main, other), ticks=ticks, cascades=cascades) as world:
        project = prepared(world, main, other, commits, built=built)
        job = Job(project, whole(project))
        outcomes = SideBySide(world, (job, job), schedule).run()
        if all(outcome.ended_well for outcome in outcomes):
            models = {model.name for model in project.models if not model.is_ephemeral}
            twice = models & outcomes[0].built() & outcomes[1].built()
            assert not twice, f"{twice}: {outcomes}"
        else:
            assert all(_fails_anyway(world, project, outcome) for outcome in outcomes), f"{outcomes}"


def _fails_anyway(world: World, project: Project, outcome: Outcome) -> bool:
    """Whether plain dbt fails at the same nodes."""
    plain = run_plain(project, fresh_build(world, "main"), whole(project))
    return all(plain[name] == status for name, status in outcome.status.items() if status in (ERROR, "fail"))
