"""Mistakes in afresh.yml, in settings of nodes, on the command line and in the environment."""

from __future__ import annotations

import pytest

from integration.bad_input.refusal import assert_refused, assert_untouched

FILES = {"models/a.sql": "{{ config(materialized='table') }} select 1 as id"}


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("queue_timout: 1h\n", "afresh.yml:1"),
        ("plugin: true\nqueue_timeout: soon\n", "afresh.yml:2"),
        ("state_url: mysql://user:hidden@host/db\n", "afresh.yml:1"),
        ("defaults:\n  updates_on: most\n", "afresh.yml:2"),
        ("plugin: [\n", "afresh.yml:"),
        ("- build\n", "afresh.yml"),
        ("state_url: \"{{ env_var('NOT_SET_ANYWHERE') }}\"\n", "NOT_SET_ANYWHERE"),
        ("jobs: {nightly: {environment: prod, steps: [build]}}\n", "environment `prod` does not exist"),
    ],
)
def test_a_mistake_in_afresh_yml_is_told_with_its_place_before_anything_runs(shop, text, told):
    project = shop({**FILES, "afresh.yml": text})

    outcome = project.afresh("build")

    assert_refused(outcome, told)
    assert "hidden" not in outcome.stdout + outcome.stderr
    assert_untouched(project)


def test_all_commands_that_read_afresh_yml_refuse_a_broken_one_and_the_others_do_not_care(shop):
    project = shop({**FILES, "afresh.yml": "no_such_key: 1\n"})

    for command in ("plan", "explain", "run"):
        assert_refused(project.afresh(command), "key `no_such_key`")
    assert project.afresh("ls").exit_code == project.dbt("build").exit_code == 0


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("meta={'afresh': {'max_age': 'soon'}}", "max_age"),
        ("meta={'afresh': {'lag_tolerence': '1h'}}", "lag_tolerence"),
        ("meta={'afresh': {'require_fresh_data_from': 'most'}}", "require_fresh_data_from"),
        ("meta={'afresh': {'inputs': 3}}", "inputs"),
    ],
)
def test_a_wrong_setting_of_a_node_names_file_node_key_and_what_is_allowed(shop, config, told):
    project = shop({"models/a.sql": "{{ config(materialized='table', " + config + ") }} select 1 as id"})

    outcome = project.afresh("build")

    assert_refused(outcome, "models/a.sql", told)
    assert_untouched(project)


def test_mistakes_of_several_nodes_are_told_together(shop):
    wrong = "{{ config(meta={'afresh': {'max_age': 'soon'}}) }} select 1 as id"
    outcome = shop({"models/a.sql": wrong, "models/b.sql": wrong}).afresh("build")

    assert_refused(outcome, "models/a.sql", "models/b.sql")


@pytest.mark.parametrize(
    ("flags", "env", "told"),
    [
        (("--queue-timeout", "soon"), {}, "--queue-timeout"),
        ((), {"AFRESH_QUEUE_TIMEOUT": "soon"}, "AFRESH_QUEUE_TIMEOUT"),
        (("--state-url", "postgres"), {}, "--state-url"),
        (("--output", "xml"), {}, "xml"),
        (("--no-such-flag",), {}, "--no-such-flag"),
    ],
)
def test_a_mistake_on_the_command_line_or_in_the_environment_names_where_it_was_made(shop, flags, env, told):
    project = shop(FILES)

    assert_refused(project.afresh("build", *flags, env=env), told)
    assert_untouched(project)


UNKNOWN = "the environment variable `AFRESH_STATE_ULR` is none of ours and is ignored; did you mean `AFRESH_STATE_URL`?"


def test_a_variable_that_looks_like_ours_is_told_once_by_every_command_and_is_no_error(shop):
    project = shop(FILES)
    env = {"AFRESH_STATE_ULR": "sqlite:///elsewhere.db"}

    for outcome in (
        project.afresh("build", env=env),
        project.dbt("build", env={**env, "AFRESH": "1"}),
        project.afresh("plan", env=env),
        project.afresh("explain", env=env),
    ):
        assert outcome.exit_code == 0
        assert " ".join((outcome.stdout + outcome.stderr).split()).count(UNKNOWN) == 1


def test_settings_on_which_nothing_acts_yet_are_told_once_and_are_no_error(shop):
    early = "{{ config(materialized='table', meta={'afresh': {'early_cutoff': true}}) }} select 1 as id"
    project = shop(
        {
            "models/a.sql": early,
            "models/b.sql": early,
            "afresh.yml": "history: {keep: 30d}\ntests: {inherit: true}\nserver: {run_slots: 2}\n",
        }
    )

    for outcome in (project.afresh("build"), project.afresh("plan")):
        said = " ".join((outcome.stdout + outcome.stderr).split())
        assert outcome.exit_code == 0
        assert said.count("this version does not act yet on settings that are given: `tests.inherit`, `server`") == 1
        assert said.count("this version does not act yet on `meta.afresh.early_cutoff`, which is set on a, b") == 1


def test_an_unknown_command_is_dbt_s_own_error(shop):
    project = shop(FILES)

    assert_refused(project.afresh("biuld"), "biuld")


def test_options_in_front_of_a_command_of_ours_are_told_to_stand_behind_it(shop):
    assert_refused(shop(FILES).afresh("--no-use-colors", "plan"), "the options of `plan` stand behind it")


def test_a_terminal_that_cannot_show_every_sign_gets_question_marks(shop):
    project = shop({**FILES, "models/b.sql": "select * from {{ ref('a') }}"})
    project.afresh("build")

    outcome = project.process("afresh", "explain", "b", env={"PYTHONIOENCODING": "ascii"})

    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert "?" in outcome.stdout


def test_a_reader_that_has_seen_enough_is_no_error(shop):
    project = shop(FILES)
    project.afresh("build")

    with project.start("afresh", "explain") as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_unknown_nodes_and_runs_are_told_with_the_nearest_name(shop):
    project = shop({**FILES, "models/orders.sql": "select 1 as id"})

    assert_refused(project.afresh("explain"), "nothing was decided yet")
    project.afresh("run")
    assert_refused(project.afresh("explain", "ordrs"), "`ordrs`", "`orders`")
    assert_refused(project.afresh("explain", "--run", "NOSUCH"), "`NOSUCH`")


def test_a_name_that_stands_for_two_nodes_is_told_with_both(shop):
    project = shop({"models/orders.sql": "select 1 as id", "tests/orders.sql": "select 1 as id where false"})
    project.afresh("build")

    assert_refused(project.afresh("explain", "orders"), "model.shop.orders", "test.shop.orders")
    assert project.afresh("explain", "model.shop.orders").exit_code == 0


def test_explain_of_an_ambiguous_or_unknown_output_is_a_usage_error(shop):
    project = shop(FILES)

    assert project.afresh("explain", "--output", "xml").exit_code == 2
    assert project.afresh("plan", "--output", "xml").exit_code == 2
    assert project.afresh("demo", "--nope").exit_code == 2


def test_a_plan_before_anything_was_built_says_that_all_will_be_and_writes_nothing(shop):
    project = shop(FILES)

    outcome = project.afresh("plan", "--output", "json")

    assert [(node["unique_id"], node["decision"], node["reasons"][0]["code"]) for node in outcome.json()["nodes"]] == [
        ("model.shop.a", "build", "never_built")
    ]
    assert_untouched(project)


def test_a_plan_of_a_project_or_selector_that_is_not_there_ends_as_dbt_does(shop):
    project = shop(FILES)

    assert project.afresh("plan", "--selector", "nosuch").exit_code == project.dbt("build", "--selector", "nosuch").exit_code == 2
    assert project.afresh("plan", "--select", "nosuch").exit_code == 0
