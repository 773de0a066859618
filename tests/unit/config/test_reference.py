"""The reference names every setting, and its examples are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from afresh.config.afresh_yml import load
from afresh.config.config_reader import ConfigReader
from afresh.config.durations import format_duration
from afresh.config.keys import SCALAR_KEYS
from afresh.config.node_settings import STATE_KEYS, NodeConfig, node_policy
from afresh.config.settings import DEFAULT_VOLATILE_ENV_VARS, Settings
from afresh.config.shapes import FILE_SHAPE, Items, Keys, Leaf, Named, Shape
from afresh.config.yaml_tree import plain, read_tree

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
AFRESH_YML = (REFERENCE / "afresh-yml.md").read_text(encoding="utf-8")
NODE_SETTINGS = (REFERENCE / "node-settings.md").read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


def keys_of(shape: Shape) -> set[str]:
    """Every key that a file may hold, without its section."""
    match shape:
        case Leaf():
            return set()
        case Items(each) | Named(each):
            return keys_of(each)
        case Keys(known):
            return set(known).union(*(keys_of(each) for each in known.values()))


def test_the_example_of_afresh_yml_is_valid_and_says_the_defaults(tmp_path):
    (tmp_path / "afresh.yml").write_text(blocks(AFRESH_YML)[0])
    shown, default = load(tmp_path, env={}), load(tmp_path / "nothing", env={})
    for field in ("plugin", "on_state_error", "queue_timeout", "lease_ttl", "warehouse_id", "defaults", "history", "tests"):
        assert getattr(shown, field) == getattr(default, field), field


@pytest.mark.parametrize("key", SCALAR_KEYS, ids=lambda key: key.path)
def test_the_reference_tells_each_setting_with_its_variable_and_what_is_allowed(key):
    (row,) = [line for line in AFRESH_YML.splitlines() if line.startswith(f"| `{key.path}` ")]
    assert f"| `{key.variable}` |" in row
    assert all(f"`{choice}`" in row for choice in key.kind.choices)


def test_the_reference_tells_the_default_durations(tmp_path):
    default: Settings = load(tmp_path, env={})
    for path, span in (
        ("queue_timeout", default.queue_timeout),
        ("lease_ttl", default.lease_ttl),
        ("defaults.lag_tolerance", default.defaults.lag_tolerance),
    ):
        (row,) = [line for line in AFRESH_YML.splitlines() if line.startswith(f"| `{path}` ")]
        assert f"| `{format_duration(span)}` |" in row


@pytest.mark.parametrize("key", sorted(keys_of(FILE_SHAPE)))
def test_the_reference_names_every_key_of_the_file(key):
    assert re.search(rf"`(\w+\.)?{key}[`.]", AFRESH_YML)


@pytest.mark.parametrize("name", DEFAULT_VOLATILE_ENV_VARS)
def test_the_reference_lists_the_volatile_variables(name):
    assert f"`{name}`" in AFRESH_YML


@pytest.mark.parametrize("key", [*STATE_KEYS, "compare_unrendered_code"])
def test_the_reference_names_every_setting_of_a_node(key):
    assert f"`state.{key}`" in NODE_SETTINGS


def test_the_examples_of_node_settings_are_valid():
    first = plain(read_tree(blocks(NODE_SETTINGS)[0], "example")[0])
    found = node_policy(NodeConfig("model.shop.daily_sales", "models.yml", first["models"][0]["config"]))
    assert [format_duration(found.policy.interval), found.policy.updates_on.value, format_duration(found.policy.max_age)] == [
        "4h",
        "all",
        "1w",
    ]
    second = plain(read_tree(blocks(NODE_SETTINGS)[1], "example")[0])
    assert ConfigReader(second["config"], node_id="x", file="y").raw_state("lag_tolerance") == "4h"
