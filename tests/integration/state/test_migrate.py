"""`afresh state migrate`: the schema of an earlier release."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from afresh.store.migrating import upgrade
from afresh.store.schema import HEAD
from integration.bad_input.refusal import assert_refused
from integration.state.two_targets import FILES, STATE


@pytest.fixture
def old(shop):
    """A project with a state as the first release made it."""
    project = shop(FILES)
    (project.root / STATE).parent.mkdir()
    engine = create_engine(f"sqlite:///{project.root / STATE}")
    with engine.begin() as conn:
        upgrade(conn, "0001")
    engine.dispose()
    return project


def said(outcome) -> str:
    assert outcome.exit_code == 0
    return outcome.stdout


def test_a_state_of_an_earlier_release_is_migrated_on_demand(old):
    place = old.root / STATE
    assert_refused(old.afresh("status"), "`afresh state migrate` does that, and so does any build.")
    assert said(old.afresh("state", "migrate", "--dry-run")) == "Would migrate the state from schema 0001.\n"
    assert_refused(old.afresh("status"), f"has schema 0001 and must be migrated to {HEAD} first")
    assert said(old.afresh("state", "migrate")) == f"Migrated the state at {place} from schema 0001 to {HEAD}.\n"
    assert said(old.afresh("state", "migrate")) == f"Nothing to do: the state at {place} has schema {HEAD}.\n"
    assert old.afresh("status").exit_code == 0
    assert old.afresh("build").executed == {"a", "b", "stg_c", "unique_a_id"}


def test_where_there_is_no_state_none_is_made(shop):
    project = shop(FILES)
    for options in ((), ("--dry-run",)):
        assert said(project.afresh("state", "migrate", *options)).startswith("There is no state yet at ")
    assert not (project.root / STATE).exists()
    assert_refused(project.afresh("state", "migrate", "--state-url", "mysql://x"), "mysql")
