"""`afresh state adopt` declares current what plain dbt built, and only where nothing can have changed since."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest

from afresh.core.lease import Holder
from afresh.store import open_store
from integration.bad_input.refusal import assert_refused

TABLE = "{{ config(materialized='table') }} "
RESULTS = "then/run_results.json"
FILES = {
    "seeds/lands.csv": "code,name\nde,Germany\n",
    "models/sources.yml": """
        sources:
          - name: raw
            schema: raw
            tables:
              - {name: orders}
              - {name: dated, loaded_at_field: loaded, config: {meta: {afresh: {source_signal: loaded_at}}}}
    """,
    "macros/twice.sql": "{% macro twice(x) %}{{ x }} * 2{% endmacro %}",
    "models/stg.sql": "select id, {{ twice('id') }} as n from {{ source('raw', 'orders') }}",
    "models/orders.sql": TABLE + "select * from {{ ref('stg') }}",
    "models/totals.sql": TABLE + "select count(*) as n from {{ ref('orders') }}",
    "models/fresh.sql": TABLE + "select * from {{ source('raw', 'dated') }}",
    "models/fixed.sql": TABLE + "select code from {{ ref('lands') }}",
    "models/grows.sql": """
        {{ config(materialized='incremental', unique_key='id') }}
        select id from {{ ref('orders') }} {% if is_incremental() %} where id > 0 {% endif %}
    """,
    "models/schema.yml": "models: [{name: totals, columns: [{name: n, data_tests: [not_null]}]}]",
}
RAW = (
    "create schema raw",
    "create table raw.orders as select 1 as id",
    "create table raw.dated as select 1 as id, timestamptz '2020-01-01 00:00:00+00' as loaded",
)
EVERYTHING = {"lands", "stg", "orders", "totals", "fresh", "fixed", "grows"}
UNDATED = {"orders", "totals", "grows"}
"""Tables over a source that nobody can date."""


def by_dbt(project, *args):
    """Run plain dbt, and keep its two files as somebody would who wants to adopt what it built."""
    outcome = project.dbt(*args)
    (project.root / "then").mkdir(exist_ok=True)
    for name in ("run_results.json", "manifest.json"):
        shutil.copy(project.root / "target" / name, project.root / "then" / name)
    return outcome


@pytest.fixture
def old(shop):
    """A project that plain dbt has built, twice, so that its incremental model has grown."""
    project = shop(FILES)
    project.execute(*RAW)
    for _ in range(2):
        assert by_dbt(project, "build").exit_code == 0
    return project


def adopt(project, *args, select="*"):
    return project.afresh("state", "adopt", "-s", select, "--as-of-run", RESULTS, *args)


def told(outcome) -> tuple[set[str], dict[str, str]]:
    """What was adopted, and what was not, with why."""
    adopted, refused, now = set(), {}, None
    for line in outcome.stdout.replace("\n     ", " ").splitlines():
        if line.startswith(("Adopted", "Would be adopted")):
            now = "adopted"
        elif line.startswith("Not adopted"):
            now = "refused"
        elif not line.startswith("  ") or line.startswith("  •"):
            now = None
        elif now == "adopted":
            adopted.add(line.split()[0])
        elif now == "refused":
            refused[line.split()[0]] = " ".join(line.split()[1:])
    return adopted, refused


@pytest.mark.smoke
def test_what_cannot_have_changed_is_adopted_and_reused_until_it_does(old):
    outcome = adopt(old, "--reason", "moved from plain dbt")
    adopted, refused = told(outcome)
    assert outcome.exit_code == 1
    assert adopted == EVERYTHING - UNDATED
    assert refused == {
        "orders": "nobody can tell whether source raw.orders changed since",
        "totals": "orders, which it reads, is not adopted",
        "grows": "orders, which it reads, is not adopted",
    }
    assert "source raw.dated: the last data was loaded at 2020-01-01" in " ".join(outcome.stdout.split())
    assert "nobody else has written to these relations since that run ended" in outcome.stdout
    assert "A test is selected too" in outcome.stdout

    built = old.afresh("build")
    assert built.executed_models == UNDATED
    assert built.reasons("fresh") == ("adopted",)
    assert old.afresh("build").executed == set()

    old.execute("insert into raw.dated values (2, timestamptz '2021-01-01 00:00:00+00')")
    outcome = old.afresh("build")
    assert outcome.executed == {"fresh"}
    assert outcome.reasons("fresh") == ("new_data",)
    assert old.rows("fresh") == old.rows("raw.dated")
    old.replace("macros/twice.sql", "* 2", "* 3")
    assert old.afresh("build").reasons("stg") == ("code_changed",)


def test_on_the_users_word_everything_is_adopted_and_that_is_said(old):
    outcome = adopt(old, "--assume-unchanged")
    assert (outcome.exit_code, told(outcome)) == (0, (EVERYTHING, {}))
    assert "source raw.orders has not changed since, on your word" in " ".join(outcome.stdout.split())
    built = old.afresh("build")
    assert built.executed == {"not_null_totals_n"}
    assert {built.reasons(name) for name in EVERYTHING} == {("adopted",)}

    old.execute("insert into raw.orders values (2)")
    assert old.afresh("build").executed_models == UNDATED
    assert old.rows("totals") == [(2,)]


def test_it_is_shown_as_adopted_with_who_and_why_until_it_is_built(old):
    adopt(old, "--assume-unchanged", "--reason", "moved from plain dbt")
    assert "not built by Afresh" in old.afresh("state", "show", "orders").stdout
    explained = " ".join(old.afresh("explain", "orders").stdout.split())
    assert "moved from plain dbt" in explained
    assert "declared current (adopted)" in explained
    listed = old.afresh("runs", "list").stdout
    assert "afresh state adopt" in listed
    assert "0 built, 0 reused" in listed or "nothing" in listed

    plan = {node["unique_id"]: node for node in old.afresh("plan", "--output", "json").json()["nodes"]}
    assert plan["model.shop.orders"]["reasons"][0]["code"] == "adopted"
    old.afresh("build", "--force", "--select", "orders")
    assert "not built by Afresh" not in old.afresh("state", "show", "orders").stdout


def test_nothing_is_written_by_a_dry_run(old):
    outcome = adopt(old, "--assume-unchanged", "--dry-run")
    assert (outcome.exit_code, told(outcome)) == (0, (EVERYTHING, {}))
    assert outcome.stdout.startswith("Would be adopted")
    assert not (old.root / ".afresh").exists()


def test_what_others_write_after_it_was_adopted_is_seen(old):
    adopt(old, "--assume-unchanged")
    old.execute("insert into orders values (9, 9)")
    assert old.afresh("build").reasons("orders") == ("changed_outside",)


def test_code_that_changed_since_that_run_is_not_adopted(old):
    old.replace("models/totals.sql", "count(*)", "count(*) + 1")
    old.replace("models/fixed.sql", "materialized='table'", "materialized='table', sql_header='--'")
    old.replace("models/fresh.sql", "select *", "select /* only a comment */ *")
    old.write({"seeds/lands.csv": "code,name\nfr,France\n"})
    _, refused = told(adopt(old, "--assume-unchanged"))
    assert refused.pop("lands").startswith("its file changed since that run")
    assert refused == {
        "totals": "its code changed since that run: sql",
        "fixed": "its code changed since that run: config.sql_header",
    }


def test_a_changed_macro_or_variable_is_found_though_the_text_is_the_same(shop):
    hooked = "{{ config(materialized='table', post_hook='{{ note() }}') }} select 1 as id"
    project = shop(
        {
            "macros/twice.sql": "{% macro twice(x) %}{{ x }} * 2{% endmacro %}",
            "macros/note.sql": "{% macro note() %}select {{ inner_note() }}{% endmacro %}{% macro inner_note() %}1{% endmacro %}",
            "models/by_macro.sql": TABLE + "select {{ twice(1) }} as id",
            "models/by_var.sql": TABLE + "select {{ var('n', 1) }} as id",
            "models/by_hook.sql": hooked,
            "models/same.sql": TABLE + "select 1 as id, '{{ run_started_at }}' as built_at",
            "models/today.sql": TABLE + "select 1 as id where current_date > '2020-01-01'",
        }
    )
    assert by_dbt(project, "run").exit_code == 0
    project.replace("macros/twice.sql", "* 2", "* 3")
    project.replace("macros/note.sql", "}1{", "}2{")
    adopted, refused = told(adopt(project, "--vars", "{n: 2}"))
    assert adopted == {"same"}
    assert refused == {
        "by_macro": "its code changed since that run: macro.twice",
        "by_hook": "its code changed since that run: macro.inner_note",
        "by_var": "the SQL that it compiles to is another one than in that run",
        "today": "it uses current_date, and nobody knows which value that had",
    }


def test_a_hook_that_changes_after_it_was_adopted_builds_it(shop):
    project = shop(
        {
            "macros/note.sql": "{% macro note() %}select {{ inner_note() }}, {{ var('k', 1) }}{% endmacro %}{% macro inner_note() %}1{% endmacro %}",
            "models/by_hook.sql": "{{ config(materialized='table', post_hook='{{ note() }}') }} select 1 as id",
        }
    )
    by_dbt(project, "run")
    assert adopt(project).exit_code == 0
    assert project.afresh("run").executed == set()
    assert project.afresh("run", "--vars", "{k: 2}").reasons("by_hook") == ("code_changed",)


def test_what_is_inlined_or_stands_around_a_model_counts_as_its_code(shop):
    described = "{version: 2, models: [{name: told, description: one, config: {persist_docs: {relation: true}}}]}"
    project = shop(
        {
            "models/inlined.sql": "{{ config(materialized='ephemeral') }} select 1 as id",
            "models/over.sql": "select * from {{ ref('inlined') }}",
            "models/by_env.sql": "select {{ env_var('LEAST', '0') }} as id",
            "models/told.sql": TABLE + "select 1 as id",
            "models/schema.yml": described,
            "models/seen.sql": "select 1 as id",
            "models/unseen.sql": TABLE + "select * from query_table('information_schema.tables')",
        }
    )
    assert by_dbt(project, "run").exit_code == 0
    project.replace("models/inlined.sql", "1 as id", "2 as id")
    project.replace("models/schema.yml", "description: one", "description: two")
    outcome = project.afresh("state", "adopt", "-s", "*", "--as-of-run", RESULTS, env={"LEAST": "1"})
    adopted, refused = told(outcome)
    assert adopted == {"seen"}
    assert refused.pop("over").startswith("its code changed since that run: ")
    assert refused.pop("told").startswith("its code changed since that run: ")
    assert refused == {
        "by_env": "the SQL that it compiles to is another one than in that run",
        "unseen": "what else it reads cannot be told: it reads the table function `query_table`, whose inputs are not known",
    }


def test_a_macro_that_newly_takes_the_place_of_one_of_dbts_own_is_seen(shop):
    project = shop({"models/a.sql": TABLE + "select 1 as id", "models/b.sql": "select 1 as id"})
    by_dbt(project, "run")
    project.write(
        {"macros/over.sql": "{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql') %}{% endmacro %}"}
    )
    assert told(adopt(project)) == ({"b"}, {"a": "its code changed since that run: macro.create_table_as"})


def test_a_variable_of_which_that_run_left_no_trace_is_told(shop):
    lookback = "select 1 as id {% if is_incremental() %} where {{ var('days', 3) }} > {{ env_var('LEAST', '0') }} {% endif %}"
    project = shop(
        {
            "models/grows.sql": "{{ config(materialized='incremental') }} " + lookback,
            "models/hooked.sql": "{{ config(materialized='table', post_hook=\"select '{{ var('k', 1) }}'\") }} select {{ var('n', 1) }} as id",
        }
    )
    by_dbt(project, "run")
    said = " ".join(adopt(project, "--dry-run").stdout.split())
    assert "env.LEAST of grows had the value that it has now" in said
    assert "var.days of grows had the value that it has now" in said
    assert "var.k of hooked had the value that it has now" in said
    assert "var.n" not in said
    by_dbt(project, "run")  # this time it took the branch
    said = " ".join(adopt(project).stdout.split())
    assert ("of grows" in said, "var.k of hooked" in said) == (False, True)


def test_nothing_is_built_where_the_state_cannot_be_used(old):
    old.execute("insert into raw.orders values (2)")
    (old.root / "state").mkdir()
    refused = adopt(old, "--assume-unchanged", "--state-url", "sqlite:///state")
    assert_refused(refused, "the state file is a folder")
    assert old.rows("totals") == [(1,)]


def test_a_node_that_failed_or_is_gone_or_was_not_in_that_run_is_not_adopted(shop):
    project = shop(
        {
            "models/bad.sql": TABLE + "select * from nowhere",
            "models/gone.sql": TABLE + "select 1 as id",
            "models/swapped.sql": TABLE + "select 1 as id",
            "models/moved.sql": TABLE + "select 1 as id",
        }
    )
    assert by_dbt(project, "run").exit_code == 1
    project.execute("drop table gone", "drop table swapped", "create view swapped as select 1 as id")
    project.replace("models/moved.sql", "materialized='table'", "materialized='table', alias='elsewhere'")
    project.write({"models/later.sql": "select 1 as id"})
    outcome = adopt(project)
    adopted, refused = told(outcome)
    assert (outcome.exit_code, adopted) == (1, set())
    assert refused.pop("bad").startswith("it ended as `error` in that run: Runtime Error")
    assert refused == {
        "gone": "it has no relation in the warehouse",
        "swapped": "it is a view in the warehouse",
        "later": "it is not among the results of that run",
        "moved": 'that run built "shop"."main"."moved", and it is "shop"."main"."elsewhere" now',
    }


def test_new_data_since_that_run_is_not_covered_up(old):
    old.execute("insert into raw.dated values (2, now() + interval 1 minute)")
    _, refused = told(adopt(old, "--assume-unchanged", select="fresh"))
    assert refused["fresh"].startswith("source raw.dated got data since: the last was loaded at")


def test_what_was_built_or_tried_or_asked_for_since_stays(old):
    old.afresh("build", "--select", "stg", "orders", "fixed", "grows")
    old.afresh("run", "--select", "fixed", "--empty")
    old.afresh("state", "invalidate", "grows", "--reason", "bad rows")
    before = json.loads(old.afresh("state", "show", "orders", "--output", "json").stdout)
    outcome = old.afresh("state", "adopt", "-s", "orders", "totals", "fixed", "grows", "--as-of-run", RESULTS, "--assume-unchanged")
    _, refused = told(outcome)
    assert refused["orders"].startswith("run 01")
    assert refused["orders"].endswith("has built it since")
    assert refused["totals"].endswith("has built orders since")
    assert "empty" in refused["fixed"]
    assert "bad rows" in refused["grows"]
    assert json.loads(old.afresh("state", "show", "orders", "--output", "json").stdout) == before


def test_what_another_run_is_at_work_on_is_left_to_it(old):
    adopt(old, select="lands")
    with open_store("sqlite:///.afresh/state.db", base=old.root) as store:
        (key,) = (key for key, node in store.recorded().items() if node == "seed.shop.lands")
        store.acquire(key, Holder("01OTHER", "etl-2", 7, "seed.shop.lands"), timedelta(minutes=5))
    outcome = adopt(old, select="lands")
    assert (outcome.exit_code, told(outcome)) == (1, (set(), {"lands": "run 01OTHER on etl-2 is at work on it"}))


def test_an_input_outside_of_the_selection_is_taken_on_the_users_word_only(old):
    assert told(adopt(old, select="fixed")) == (set(), {"fixed": "nobody can tell whether lands changed since"})
    assert told(adopt(old, "--assume-unchanged", select="fixed")) == ({"fixed"}, {})


def test_it_can_be_done_again_with_what_was_missing(old):
    adopt(old)
    adopted, refused = told(adopt(old, "--assume-unchanged"))
    assert (adopted, refused) == (EVERYTHING, {})
    assert old.afresh("run").executed == set()
    assert told(adopt(old, "--assume-unchanged", select="totals")) == ({"totals"}, {})
    assert old.afresh("run").executed == set()


def test_files_that_do_not_fit_are_one_error(old, shop):
    project = old
    project.write({"nonsense.json": "{", "list.json": "[]"})
    for name, text in {
        "none.json": "cannot be read: No such file",
        "nonsense.json": "is no run_results.json",
        "list.json": "is no run_",
    }.items():
        assert_refused(project.afresh("state", "adopt", "-s", "orders", "--as-of-run", name), text)
    assert_refused(project.afresh("state", "adopt", "--as-of-run", RESULTS), "no node is selected")
    assert_refused(project.afresh("state", "adopt", "-s", "orders"), "Missing option '--as-of-run'")
    assert not (project.root / ".afresh").exists()
    refusals = {"nope": "nothing is selected, so nothing was adopted"}
    for select, text in refusals.items():
        refused = adopt(project, select=select)
        assert refused.exit_code == 2
        assert text in refused.stderr
    project.dbt("parse")
    shutil.copy(project.root / "target/manifest.json", project.root / "then/manifest.json")
    assert "this is the manifest of another invocation" in adopt(project).stderr
    (project.root / "then/manifest.json").unlink()
    assert "manifest.json: cannot be read: No such file" in adopt(project).stderr
    by_dbt(project, "compile")
    assert "these are the results of `dbt compile`" in adopt(project).stderr
    by_dbt(project, "run", "--empty")
    assert "made with `--empty`" in adopt(project).stderr


def test_results_of_another_project_or_target_are_one_error(old, shop):
    from integration.state.two_targets import add_target

    add_target(old, "prod")
    by_dbt(old, "run", "--target", "dev")
    assert "these are the results of target `dev`, and this is `prod`" in adopt(old, "--target", "prod").stderr
    other = shop({"models/a.sql": "select 1 as id"}, name="b")
    other.replace("dbt_project.yml", "name: shop", "name: other")
    outcome = other.afresh("state", "adopt", "-s", "a", "--as-of-run", str(old.root / RESULTS))
    assert outcome.exit_code == 2
    assert "these are the results of the project `shop`, and this is `other`" in outcome.stderr
