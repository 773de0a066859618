"""In which file and line a setting of a node stands: mistakes name it, and a node's own word is told from a folder's."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
import yaml
from dbt.contracts.graph.manifest import Manifest

from afresh.config.node_settings import validate_all
from afresh.dbt.node_configs import node_configs
from integration.bad_input.refusal import assert_refused
from integration.seam.parsed import PARSED
from integration.seam.zoo import HAS_FUNCTIONS

TABLE = "{{ config(materialized='table') }} "
FILES = {
    "models/sources.yml": "sources: [{name: raw, schema: raw, tables: [{name: t}]}]",
    "models/lazy/a.sql": TABLE + "select * from {{ source('raw', 't') }}",
}
OF_FOLDER = {"models": {"shop": {"lazy": {"+meta": {"afresh": {"lag_tolerance": "9h"}}}}}}


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("files", "settings", "told"),
    [
        (
            {
                "models/lazy/a.sql": "{{\n  config(\n    materialized='table',\n    meta={'afresh': {\n      'max_age': 'soon'}})\n}} select 1 as id"
            },
            {},
            "models/lazy/a.sql:5, key `meta.afresh.max_age`",
        ),
        (
            {"models/lazy/of_a.yml": "models:\n  - name: a\n    config:\n      meta:\n        afresh:\n          max_age: soon\n"},
            {},
            "models/lazy/of_a.yml:6, key `meta.afresh.max_age`",
        ),
        (
            {"models/lazy/of_a.yml": "models:\n  - name: a\n    description: it\n"},
            {"models": {"shop": {"lazy": {"+meta": {"afresh": {"max_age": "soon"}}}}}},
            "dbt_project.yml:7, key `meta.afresh.max_age`",
        ),
        (
            {
                "models/sources.yml": "sources:\n- name: raw\n  schema: raw\n  config:\n    meta: {afresh: {static: perhaps}}\n  tables: [{name: t}]\n"
            },
            {},
            "models/sources.yml:5, key `meta.afresh.static`",
        ),
        (
            {"models/sources.yml": "sources:\n- name: raw\n  schema: raw\n  tables:\n  - name: t\n    meta: {afresh: {static: perhaps}}\n"},
            {},
            "models/sources.yml:6, key `meta.afresh.static`",
        ),
        (
            {
                "models/lazy/of_a.yml": """
                    models:
                      - name: a
                        columns: [{name: id, data_tests: [
                          {unique: {config: {meta: {afresh: {max_age: soon}}}}}]}]
                    """
            },
            {},
            "models/lazy/of_a.yml:4, key `meta.afresh.max_age`",
        ),
        (
            {
                "packages.yml": "packages: [{local: tools}]",
                "dbt_packages/tools/dbt_project.yml": "{name: tools, version: 1.0.0, config-version: 2, profile: test}",
                "dbt_packages/tools/models/b.sql": "select 1 as id",
                "dbt_packages/tools/models/of.yml": "models:\n- name: b\n  config: {meta: {afresh: {max_age: soon}}}\n",
            },
            {},
            "dbt_packages/tools/models/of.yml:3, key `meta.afresh.max_age`",
        ),
    ],
    ids=["the model's file", "its properties", "a folder", "a source", "meta of a table beside its config", "a test", "a package"],
)
def test_a_mistake_in_a_setting_names_the_file_and_line_where_it_stands(shop, files, settings, told):
    project = shop({**FILES, **files}, settings=settings)

    assert_refused(project.afresh("build"), told)


@pytest.mark.smoke
@pytest.mark.parametrize(
    "own",
    [
        {"models/lazy/a.sql": "{{ config(materialized='table', freshness=none) }} select * from {{ source('raw', 't') }}"},
        {"models/lazy/of_a.yml": "models: [{name: a, config: {freshness: null}}]"},
    ],
    ids=["in the model's file", "in its properties"],
)
def test_a_model_s_own_freshness_null_takes_back_the_lag_of_its_folder(shop, own):
    project = shop(FILES, settings=OF_FOLDER)
    project.execute("create schema raw", "create table raw.t as select 1 as id")
    project.afresh("build")
    project.execute("insert into raw.t values (2)")
    assert project.afresh("build").reasons("a") == ("too_soon", "new_data")

    project.write(own)
    outcome = project.afresh("build")

    assert (outcome.executed, outcome.reasons("a")) == ({"a"}, ("new_data",))


def test_a_model_s_own_lag_stays_beside_its_own_freshness_null(shop):
    own = "{{ config(materialized='table', freshness=none, meta={'afresh': {'lag_tolerance': '1h'}}) }} select * from {{ source('raw', 't') }}"
    project = shop({**FILES, "models/lazy/a.sql": own})
    project.execute("create schema raw", "create table raw.t as select 1 as id")
    project.afresh("build")
    project.execute("insert into raw.t values (2)")

    assert project.afresh("build").reasons("a") == ("too_soon", "new_data")


# --- every level, for every kind of node --------------------------------------------------------------------------------

PROJECT, FOLDER, PROPERTIES, FILE = LEVELS = ("project", "folder", "properties", "file")
HOURS = {PROJECT: 1, FOLDER: 2, PROPERTIES: 3, FILE: 4}
ENABLED = {PROJECT: False, FOLDER: True, PROPERTIES: False, FILE: True}
WORDS = {
    "state": lambda level: {"state": {"lag_tolerance": f"{HOURS[level]}h", "enabled": ENABLED[level]}},
    "meta.afresh": lambda level: {"meta": {"afresh": {"lag_tolerance": f"{HOURS[level]}h", "enabled": ENABLED[level]}}},
    "freshness": lambda level: {"freshness": {"build_after": {"count": HOURS[level], "period": "hour"}}},
}
"""What each level says, in each of the words that can say it."""
AS_SNAPSHOT = "target_schema='s', unique_key='id', strategy='check', check_cols='all'"
BODIES = {
    "models": "{{ config(materialized='table', CONFIG) }} select 1 as id",
    "snapshots": "{% snapshot NAME %}{{ config(" + AS_SNAPSHOT + ", CONFIG) }} select 1 as id{% endsnapshot %}",
    "tests": "{{ config(severity='error', CONFIG) }} select 1 as id where false",
    "seeds": "id\n1\n",
}


def plus(config):
    return {f"+{key}": value for key, value in config.items()}


def settings_in(project, **packages):
    """The settings of every node, as a run reads them from what dbt parsed."""
    assert project.dbt("parse").exit_code == 0
    manifest = Manifest.from_msgpack((project.root / PARSED).read_bytes())
    dependencies = {name: SimpleNamespace(project_root=str(folder)) for name, folder in packages.items()}
    config = SimpleNamespace(project_root=str(project.root), project_name="shop", dependencies=dependencies)
    return validate_all(node_configs(manifest, config))


def node_per_level(kind, said):
    """The files of one node per level; each node also has what all weaker levels say."""
    for level in LEVELS:
        in_file = ", ".join(f"{key}={value!r}" for key, value in said(FILE).items()) if level == FILE else ""
        name = f"{kind.removesuffix('s')}_of_{level}"
        folder = kind if level == PROJECT else f"{kind}/folder"
        yield f"{folder}/{name}.{'csv' if kind == 'seeds' else 'sql'}", BODIES[kind].replace("CONFIG", in_file).replace("NAME", name)
    if kind != "tests":  # a singular test has properties from dbt 1.9 on only
        named = [{"name": f"{kind.removesuffix('s')}_of_{level}", "config": said(PROPERTIES)} for level in (PROPERTIES, FILE)]
        yield f"{kind}/folder/of.yml", yaml.safe_dump({kind: named})


@pytest.fixture(scope="module", params=WORDS)
def levels(request, module_shop):
    """The policies of a kind of node, by the strongest level that says something, in one of the words."""
    said = WORDS[request.param]
    files = dict(pair for kind in BODIES for pair in node_per_level(kind, said))
    of_folders = {"shop": {**plus(said(PROJECT)), "folder": plus(said(FOLDER))}}
    sections = ("models", "snapshots", "data_tests", "seeds")
    found = settings_in(module_shop(files, name=request.param, settings=dict.fromkeys(sections, of_folders)))
    return lambda kind: [found[f"{kind}.shop.{kind}_of_{level}"].policy for level in LEVELS]


def hours(policies):
    return [policy.interval / timedelta(hours=1) for policy in policies]


@pytest.mark.smoke
def test_a_model_s_lag_is_that_of_its_strongest_level(levels):
    assert hours(levels("model")) == [1, 2, 3, 4]


@pytest.mark.smoke
def test_a_snapshot_s_lag_is_what_its_own_file_or_properties_say_and_nothing_that_it_inherits(levels):
    assert hours(levels("snapshot")) == [0, 0, 3, 4]


@pytest.mark.smoke
@pytest.mark.parametrize("levels", ["state", "meta.afresh"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("model", [False, True, False, True]),
        ("snapshot", [False, True, False, True]),
        ("seed", [False, True, False, False]),
        ("test", [False, True, True, True]),
    ],
)
def test_every_kind_of_node_has_the_other_settings_of_its_strongest_level(levels, kind, expected):
    assert [policy.enabled for policy in levels(kind)] == expected


def test_meta_beside_config_counts_like_meta_in_it(shop):
    names = {"models": "m", "seeds": "s", "snapshots": "t"}
    bodies = {
        f"{kind}/{name}.{'csv' if kind == 'seeds' else 'sql'}": BODIES[kind].replace("CONFIG", "").replace("NAME", name)
        for kind, name in names.items()
    }
    beside = {"meta": {"afresh": {"lag_tolerance": "3h", "max_age": "5h"}}}
    properties = {f"{kind}/of.yml": yaml.safe_dump({kind: [{"name": name, **beside}]}) for kind, name in names.items()}
    weaker = {"shop": {"+meta": {"afresh": {"max_age": "1h"}}}}
    found = settings_in(shop({**bodies, **properties}, settings=dict.fromkeys(names, weaker)))

    for kind, name in names.items():
        policy = found[f"{kind.removesuffix('s')}.shop.{name}"].policy
        assert (policy.interval, policy.max_age) == (timedelta(hours=3), timedelta(hours=5)), kind


SIGNAL = {"meta": {"afresh": {"source_signal": "loaded_at"}}}
NO_SIGNAL = {"meta": {"afresh": {"source_signal": "auto"}}}


SOURCES = {
    "by_project": ({}, {}, SIGNAL, "loaded_at"),
    "by_table": ({}, {"config": SIGNAL}, {}, "loaded_at"),
    "by_source": ({"config": SIGNAL}, {}, {}, "loaded_at"),
    "by_table_beside": ({}, SIGNAL, {}, "loaded_at"),
    "by_source_beside": (SIGNAL, {}, {}, "loaded_at"),
    "source_before_project": (NO_SIGNAL, {}, SIGNAL, "auto"),
    "table_before_source": (SIGNAL, NO_SIGNAL, {}, "auto"),
    "config_of_table_before_source": (SIGNAL, {"config": NO_SIGNAL}, {}, "auto"),
    "table_before_config_of_source": ({"config": SIGNAL}, NO_SIGNAL, {}, "auto"),
    "state_before_meta": (SIGNAL, {}, {"state": {"source_signal": "auto"}}, "auto"),
}
"""What a source, its table and the project say, in ``config`` or beside it, and what holds."""


@pytest.mark.smoke
def test_a_source_has_the_settings_of_its_strongest_level_wherever_meta_stands(shop):
    files = {
        f"models/{name}/of.yml": yaml.safe_dump({"sources": [{"name": name, "tables": [{"name": "t", **of_table}], **of_source}]})
        for name, (of_source, of_table, _, _) in SOURCES.items()
    }
    of_folders = {name: plus(of_project) for name, (_, _, of_project, _) in SOURCES.items()}
    found = settings_in(shop(files, settings={"sources": {"shop": of_folders}}))

    assert {name: found[f"source.shop.{name}.t"].source_signal.value for name in SOURCES} == {
        name: expected for name, (_, _, _, expected) in SOURCES.items()
    }


def test_a_unit_test_has_its_own_settings(shop):
    unit = {
        "name": "adds_up",
        "model": "n",
        "given": [],
        "expect": {"rows": [{"id": 1}]},
        "config": {"meta": {"afresh": {"enabled": False}}},
    }
    project = shop({"models/n.sql": "select 1 as id", "models/of.yml": yaml.safe_dump({"unit_tests": [unit]})})

    assert settings_in(project)["unit_test.shop.n.adds_up"].policy.enabled is False


if HAS_FUNCTIONS:

    def test_a_function_has_the_settings_of_its_strongest_level(shop):
        of_function = {"arguments": [], "returns": {"data_type": "integer"}}
        named = [{"name": "one", **of_function}, {"name": "two", **of_function, "config": WORDS["state"](FOLDER)}]
        files = {"functions/one.sql": "1", "functions/two.sql": "2", "functions/of.yml": yaml.safe_dump({"functions": named})}
        found = settings_in(shop(files, settings={"functions": {"shop": plus(WORDS["state"](PROJECT))}}))

        assert [found[f"function.shop.{name}"].policy.enabled for name in ("one", "two")] == [False, True]


@pytest.mark.parametrize("own", ["file", "properties"])
def test_a_snapshot_of_a_package_has_its_own_lag_unless_the_project_says_something_about_it(shop, own):
    in_file = "meta={'afresh': {'lag_tolerance': '4h'}}" if own == "file" else ""
    in_properties = {} if own == "file" else {"config": {"state": {"lag_tolerance": "4h"}}}
    project = shop(
        {
            "packages.yml": "packages: [{local: tools}]",
            "dbt_packages/tools/dbt_project.yml": "{name: tools, version: 1.0.0, config-version: 2, profile: test, snapshots: {+state: {lag_tolerance: 2h}}}",
            "dbt_packages/tools/snapshots/n.sql": BODIES["snapshots"].replace("CONFIG", in_file).replace("NAME", "n"),
            "dbt_packages/tools/snapshots/of.yml": yaml.safe_dump({"snapshots": [{"name": "n", **in_properties}]}),
        }
    )
    package = project.root / "dbt_packages" / "tools"
    assert settings_in(project, tools=package)["snapshot.tools.n"].policy.interval == timedelta(hours=4)

    key = "meta" if own == "file" else "state"
    stronger = {"lag_tolerance": "9h"}
    project.replace(
        "dbt_project.yml",
        "config-version: 2\n",
        yaml.safe_dump({"config-version": 2, "snapshots": {"tools": {f"+{key}": {"afresh": stronger} if key == "meta" else stronger}}}),
    )
    assert settings_in(project, tools=package)["snapshot.tools.n"].policy.interval == timedelta(0)


@pytest.mark.smoke
def test_a_snapshot_with_a_lag_in_its_properties_waits_and_one_in_a_folder_with_a_lag_does_not(shop):
    snapshot = "{%% snapshot %s %%}{{ config(" + AS_SNAPSHOT + ") }} select * from {{ source('raw', 't') }}{%% endsnapshot %%}"
    files = {f"snapshots/lazy/{name}.sql": snapshot % name for name in ("waits", "inherits")}
    of = "snapshots: [{name: waits, config: {meta: {afresh: {lag_tolerance: 1h}}}}]"
    project = shop({**FILES, **files, "snapshots/lazy/of.yml": of}, settings={"snapshots": OF_FOLDER["models"]})
    project.execute("create schema raw", "create table raw.t as select 1 as id")
    project.afresh("build", "--select", "resource_type:snapshot")
    project.execute("insert into raw.t values (2)")

    outcome = project.afresh("build", "--select", "resource_type:snapshot")

    assert (outcome.executed, outcome.reused) == ({"inherits"}, {"waits"})
    assert outcome.reasons("waits") == ("too_soon", "new_data")


WEEKEND = {"build_after": {"count": "{{ 48 if env_var('DAY') in ('saturday', 'sunday') else 1 }}", "period": "hour"}}


@pytest.mark.smoke
@pytest.mark.parametrize("by", ["folder", "properties"])
def test_an_interval_that_depends_on_the_day_is_that_of_the_day_and_no_change_of_code(shop, by):
    project = shop(
        FILES
        | (
            {}
            if by == "folder"
            else {"models/lazy/of_a.yml": yaml.safe_dump({"models": [{"name": "a", "config": {"freshness": WEEKEND}}]})}
        ),
        settings={"models": {"shop": {"lazy": {"+freshness": WEEKEND}}}} if by == "folder" else {},
    )
    project.execute("create schema raw", "create table raw.t as select 1 as id")
    project.afresh("build", env={"DAY": "friday"})
    assert project.afresh("build", env={"DAY": "saturday"}).reasons("a") == ("unchanged",)
    project.execute("insert into raw.t values (2)")

    for day, interval in (("friday", "1h"), ("sunday", "2d")):
        outcome = project.afresh("build", env={"DAY": day})
        assert outcome.reasons("a") == ("too_soon", "new_data")
        assert f"builds at most every {interval}" in outcome.stdout


@pytest.mark.smoke
def test_a_version_of_a_model_has_its_own_settings_and_takes_back_what_it_inherits(shop):
    lazy = {"state": {"lag_tolerance": "3h"}}
    versions = [{"v": 1}, {"v": 2, "config": {"freshness": None}}, {"v": 3, "config": {"state": {"lag_tolerance": "5h"}}}]
    files = {f"models/m_v{number}.sql": "select 1 as id" for number in (1, 2, 3)}
    of = {"models/of.yml": yaml.safe_dump({"models": [{"name": "m", "latest_version": 3, "versions": versions}]})}
    found = settings_in(shop({**files, **of}, settings={"models": {"shop": plus(lazy)}}))

    assert hours(found[f"model.shop.m.v{number}"].policy for number in (1, 2, 3)) == [3, 0, 5]
