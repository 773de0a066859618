"""`afresh state forget` and `afresh state prune`: what is dropped was never built, and what safety rests on stays."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import timedelta

from afresh.core.lease import Holder, Lease
from afresh.store import open_store
from integration.bad_input.refusal import assert_refused
from integration.state.two_targets import STATE, add_target

LONG_AGO = int(timedelta(days=100).total_seconds() * 1_000_000)


def said(outcome) -> list[str]:
    assert outcome.exit_code == 0
    return [" ".join(line.split()) for line in outcome.stdout.splitlines()]


def relations(project) -> set[str]:
    outcome = project.afresh("state", "show", "--output", "json")
    return {f"{one['unique_id'].split('.')[2]} {one['target']}" for one in outcome.json()["relations"] if one["last_built_at"]}


def test_what_was_forgotten_is_built_again_and_says_who_forgot_it_and_why(built):
    assert said(built.afresh("state", "forget", "stg_c", "--dry-run")) == ["1 node would be forgotten:", "stg_c shop.main.stg_c in dev"]
    assert built.afresh("build").executed == set()
    assert said(built.afresh("state", "forget", "stg_c", "--reason", "restored"))[0] == "1 node forgotten:"
    assert relations(built) == {"a dev", "b dev", "unique_a_id dev"}
    outcome = built.afresh("build")
    assert outcome.executed == {"stg_c"}
    assert outcome.reasons("stg_c") == ("invalidated", "never_built")
    assert ": forgotten: restored [invalidated]" in built.afresh("explain", "stg_c").stdout
    assert built.afresh("build").executed == set()


def test_one_target_is_forgotten_alone(built):
    add_target(built, "prod")
    built.afresh("build", "--target", "prod")
    built.afresh("state", "forget", "*", "--target", "prod")
    assert relations(built) == {"a dev", "b dev", "stg_c dev", "unique_a_id dev"}


def test_nothing_is_forgotten_while_a_run_holds_it(built):
    with open_store(f"sqlite:///{built.root / STATE}") as store:
        key = next(key for key, node in store.recorded().items() if node == "model.shop.a")
        lease = store.acquire(key, Holder("01RUN", "etl-1", os.getpid(), "model.shop.a"), timedelta(minutes=5))
        assert isinstance(lease, Lease)
        for flags in ((), ("--dry-run",)):
            assert_refused(
                built.afresh("state", "forget", "a", "b", *flags), "run 01RUN on etl-1", "is building a, so nothing is forgotten"
            )
        assert {"a dev", "b dev"} < relations(built)
        store.release(lease)
    assert said(built.afresh("state", "forget", "a", "b"))[0] == "2 nodes forgotten:"


def test_the_past_and_what_no_run_came_to_are_pruned(built):
    with closing(sqlite3.connect(built.root / STATE)) as file, file:
        file.execute("update afresh_decisions set first_at = first_at - ?, last_at = last_at - ?", [LONG_AGO, LONG_AGO])
        file.execute("update afresh_runs set started_at = started_at - ?, finished_at = finished_at - ?", [LONG_AGO, LONG_AGO])
    built.afresh("build", "--select", "a")
    # A build of this day is in use whatever is known of decisions on it.
    assert said(built.afresh("state", "prune", "--dry-run")) == [
        "Would drop 1 run, 4 decisions and 0 relations and tests, older than 90 days."
    ]
    assert said(built.afresh("state", "prune", "--older-than", "36h", "--dry-run"))[0].endswith("older than 1d 12h.")
    assert said(built.afresh("state", "prune", "--older-than", "30d")) == [
        "Dropped 1 run, 4 decisions and 0 relations and tests, older than 30 days."
    ]
    assert built.afresh("build").executed == set()


def test_the_setting_says_how_long_history_is_kept(built):
    built.write({"afresh.yml": "history: {keep: 7d}\n"})
    assert said(built.afresh("state", "prune")) == ["Dropped 0 runs, 0 decisions and 0 relations and tests, older than 7 days."]


def test_bad_input_is_one_error(built, tmp_path):
    assert_refused(built.afresh("state", "forget"), "no node is named")
    assert_refused(built.afresh("state", "forget", "stgc"), "Did you mean `stg_c`?")
    assert_refused(built.afresh("state", "prune", "--older-than", "soon"), "`soon` is no duration")
    assert_refused(built.afresh("state", "prune", "--older-than", "5m"), "`5m` is less than a day")
    url = f"sqlite:///{tmp_path}/none.db"
    for command in (("forget", "a"), ("prune",)):
        assert_refused(built.afresh("state", *command, "--state-url", url), "there is no state yet")
    assert list(tmp_path.glob("none*")) == []
