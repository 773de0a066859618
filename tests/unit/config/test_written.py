"""Where a setting of a node was written, and what is said where that is not to be found."""

from __future__ import annotations

import pytest

from afresh.config.written import ConfigFiles, Written

PROJECT = """\
models:
  +state: {max_age: 1d}
  shop:
    lazy:
      state:
        max_age: 2d
        lag_tolerance: 9h
"""


@pytest.fixture
def node(tmp_path):
    (tmp_path / "dbt_project.yml").write_text(PROJECT)
    (tmp_path / "a.sql").write_text("select count(*) as n\n{{ config(\n  state={'max_age': '3d'}) }}\n")
    (tmp_path / "of.yml").write_text("models:\n- name: b\n- name: a\n  config:\n    state: {lag_tolerance: 1h}\n")

    def make(**facts):
        usual = {"resource_type": "model", "names": ("a",), "fqn": ("shop", "lazy", "a"), "file": "a.sql"}
        return Written(ConfigFiles(tmp_path), **(usual | facts))

    return make


def test_the_strongest_place_counts_and_the_innermost_folder(node):
    in_file = {"state": {"max_age": "3d"}}
    assert str(node(in_file=in_file, properties="of.yml").shown("state.max_age")) == "a.sql:3, key `state.max_age`"
    assert str(node(properties="of.yml").shown("state.lag_tolerance")) == "of.yml:5, key `state.lag_tolerance`"
    assert str(node().shown("state.max_age")) == "dbt_project.yml:6, key `state.max_age`"
    assert str(node(fqn=("shop", "a")).shown("state.max_age")) == "dbt_project.yml:2, key `state.max_age`"


def test_a_node_s_own_place_is_told_from_a_folder_s(node):
    here = node(in_file={"freshness": None}, properties="of.yml")
    assert [here.place_of(key).own for key in ("freshness", "state.lag_tolerance", "state.max_age")] == [True, True, False]
    assert node().place_of("freshness") is None


def test_what_is_not_to_be_found_is_told_with_all_files_that_can_have_set_it(node):
    assert str(node(properties="of.yml").shown("meta.afresh.static")) == "a.sql or of.yml or dbt_project.yml, key `meta.afresh.static`"
    assert str(node(properties="gone.yml").shown("meta")) == "a.sql or gone.yml or dbt_project.yml, key `meta`"


def test_the_project_s_word_about_a_package_is_stronger_than_the_package_s_own(node, tmp_path):
    package = tmp_path / "dbt_packages" / "tools"
    package.mkdir(parents=True)
    (package / "a.sql").write_text("{{ config(state={'max_age': '3d'}) }}\n")
    (package / "of.yml").write_text("models:\n- name: a\n  state: {lag_tolerance: 1h}\n")
    (package / "dbt_project.yml").write_text("models:\n  +state: {max_age: 9d, static: true}\n")
    files = ConfigFiles(package, "dbt_packages/tools")
    here = Written(files, "model", ("a",), ("tools", "a"), "a.sql", "of.yml", {"state": {"max_age": "3d"}}, over=ConfigFiles(tmp_path))
    assert str(here.shown("state.max_age")) == "dbt_project.yml:2, key `state.max_age`"
    assert not here.place_of("state.max_age").own
    assert str(here.shown("state.lag_tolerance")) == "dbt_packages/tools/of.yml:3, key `state.lag_tolerance`"
    assert str(here.shown("state.static")) == "dbt_packages/tools/dbt_project.yml:2, key `state.static`"

    (tmp_path / "dbt_project.yml").write_text("models: {shop: {+state: {max_age: 1d}}}\n")
    of_package = Written(
        files, "model", ("a",), ("tools", "a"), "a.sql", "of.yml", {"state": {"max_age": "3d"}}, over=ConfigFiles(tmp_path)
    )
    assert str(of_package.shown("state.max_age")) == "dbt_packages/tools/a.sql:1, key `state.max_age`"
    assert of_package.place_of("state.max_age").own


def test_what_stands_beside_config_is_told_from_what_stands_in_it(node, tmp_path):
    (tmp_path / "of.yml").write_text("models:\n- name: a\n  meta: {afresh: {static: true}}\n  config: {state: {static: true}}\n")
    here = node(properties="of.yml")
    assert [here.place_of(key).beside_config for key in ("meta.afresh", "state.static")] == [True, False]


def test_a_package_that_is_not_to_be_found_says_nothing_of_its_files():
    here = Written(ConfigFiles(None), "model", ("a",), ("tools", "a"), "a.sql", "of.yml", over=ConfigFiles(None))
    assert str(here.shown("state.max_age")) == "a.sql or of.yml or dbt_project.yml, key `state.max_age`"


def test_the_part_of_a_key_that_is_there_is_where_a_missing_part_is_told(node):
    assert str(node().shown("state.max_age.count")) == "dbt_project.yml:6, key `state.max_age.count`"
