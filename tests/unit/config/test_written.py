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


def test_the_files_of_a_package_are_not_looked_for_in_the_project(node):
    packaged = node(of_package=True, in_file={"state": {"max_age": "3d"}}, properties="of.yml", fqn=("tools", "a"))
    assert str(packaged.shown("state.max_age")) == "dbt_project.yml:2, key `state.max_age`"
    assert packaged.place_of("state.lag_tolerance") is None


def test_the_part_of_a_key_that_is_there_is_where_a_missing_part_is_told(node):
    assert str(node().shown("state.max_age.count")) == "dbt_project.yml:6, key `state.max_age.count`"
