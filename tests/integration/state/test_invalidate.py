"""`afresh state invalidate` makes nodes due, and who did it and why is told afterwards."""

from __future__ import annotations

import re

import pytest

from integration.bad_input.refusal import assert_refused
from integration.state.two_targets import FILES, add_target


@pytest.fixture(scope="module")
def once(module_shop):
    project = module_shop(FILES)
    add_target(project, "prod")
    assert project.afresh("build").exit_code == 0
    return project


def told(outcome) -> list[str]:
    assert outcome.exit_code == 0
    head, *lines = outcome.stdout.splitlines()
    return [head, *(" ".join(line.split()) for line in lines)]


@pytest.mark.smoke
def test_what_was_made_due_is_built_once_and_explained_with_who_and_why(built):
    lines = told(built.afresh("state", "invalidate", "a", "stg_*", "--reason", "the loader wrote rows twice", "--dry-run"))
    assert lines == ["2 nodes would be due at the next run:", "a shop.main.a in dev", "stg_c shop.main.stg_c in dev"]
    assert built.afresh("build").executed == set()

    lines = told(built.afresh("state", "invalidate", "a", "stg_*", "--reason", "the loader wrote rows twice"))
    assert lines[0] == "2 nodes due at the next run:"
    assert "the loader wrote rows twice" in built.afresh("status").stdout
    outcome = built.afresh("build")
    assert outcome.executed == {"a", "b", "stg_c", "unique_a_id"}
    assert outcome.reasons("stg_c") == ("invalidated",)
    assert re.search(r"invalidated by \S+@\S+ at [-\d: UTC]+: the loader wrote rows twice", built.afresh("explain", "stg_c").stdout)
    assert built.afresh("build").executed == set()


def test_dbts_selectors_select_where_there_is_a_project(built):
    assert told(built.afresh("state", "invalidate", "-s", "tag:night")) == [
        "2 nodes due at the next run:",
        "a shop.main.a in dev",
        "test unique_a_id - in dev",
    ]
    assert "stg_c" not in built.afresh("build").executed


def test_selectors_work_in_a_project_that_needs_variables(shop):
    project = shop(FILES, settings={"models": {"+meta": {"owner": "{{ var('owner') }}"}}})
    given = ("--vars", "{owner: ada}")
    assert project.afresh("build", *given).exit_code == 0
    assert_refused(project.afresh("state", "invalidate", "-s", "tag:night"), "dbt cannot tell what `tag:night` selects")
    more = (*given, "--profile", "test", "--profiles-dir", str(project.root))
    assert told(project.afresh("state", "invalidate", "-s", "tag:night", *more, "--dry-run"))[0] == "2 nodes would be due at the next run:"


def test_a_node_is_made_due_in_every_target_or_in_one(once):
    assert once.afresh("build", "--target", "prod").exit_code == 0
    assert told(once.afresh("state", "invalidate", "b", "--dry-run")) == [
        "1 node would be due at the next run:",
        "b shop.main.b in dev",
        "b shop.prod.b in prod",
    ]
    assert told(once.afresh("state", "invalidate", "b", "--target", "prod")) == ["1 node due at the next run:", "b shop.prod.b in prod"]
    assert once.afresh("build").executed == set()
    assert once.afresh("build", "--target", "prod").executed == {"b"}


def test_what_cannot_be_meant_is_one_error(once, tmp_path):
    assert_refused(once.afresh("state", "invalidate"), "no node is named")
    assert_refused(once.afresh("state", "invalidate", "stgc"), "Did you mean `stg_c`?")
    assert_refused(once.afresh("state", "invalidate", "model."), "`model.` is the beginning of the names of 3 nodes")
    assert_refused(once.afresh("state", "invalidate", "a", "--target", "nope"), "nothing is recorded of a target called `nope`")
    assert_refused(once.afresh("state", "invalidate", "-s", "tag:nope"), "`tag:nope` selects nothing")
    assert_refused(once.afresh("state", "invalidate", "-s", "result:x y:z"), "dbt cannot tell what `result:x y:z` selects")
    url = f"sqlite:///{tmp_path}/none.db"
    assert_refused(once.afresh("state", "invalidate", "a", "--state-url", url), "there is no state yet")
    assert list(tmp_path.glob("none*")) == []


def test_names_need_no_project_and_selectors_say_that_they_do(once, tmp_path):
    url = f"sqlite:///{once.root}/.afresh/state.db"
    (tmp_path / "empty").mkdir()
    folder = ("--project-dir", str(tmp_path / "empty"), "--state-url", url)
    assert told(once.afresh("state", "invalidate", "a", "--dry-run", *folder))[1] == "a shop.main.a in dev"
    assert_refused(once.afresh("state", "invalidate", "-s", "a", *folder), "A selector needs the dbt project; names of nodes do not.")
