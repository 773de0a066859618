"""Blocks that are no commands: settings are read as Afresh reads them, programs are parsed."""

import ast
import json

import pytest
import yaml

from afresh.config.afresh_yml import load
from afresh.config.node_settings import NodeConfig, node_policy
from afresh.config.shapes import FILE_SHAPE
from docs.pages import Block, all_blocks, blocks_of
from docs.reader import Reader

CHECKED_WITH_THEIR_REFERENCE = {"docs/reference/afresh-yml.md", "docs/reference/node-settings.md", "docs/reference/json.md"}
LANGUAGES = {"console", "json", "python", "text", "yaml", ""}
SETTINGS = [block for block in blocks_of("yaml") if block.page not in CHECKED_WITH_THEIR_REFERENCE]
RESOURCES = {"models": "model", "seeds": "seed", "snapshots": "snapshot", "sources": "source"}


def _is_workflow(content: dict) -> bool:
    return "jobs" in content and "name" in content


def _configs(content: dict) -> list[NodeConfig]:
    """Every config in a properties file or in `dbt_project.yml`, as dbt hands it on."""
    return [
        NodeConfig(f"{kind}.shop.example", "example.yml", config, kind)
        for resources, kind in RESOURCES.items()
        for config in _configs_below(content.get(resources) or [])
    ]


def _configs_below(found: object) -> list[dict]:
    if isinstance(found, list):
        return [config for one in found for config in _configs_below(one)]
    if not isinstance(found, dict):
        return []
    own = {key[1:]: value for key, value in found.items() if key.startswith("+")}
    below = [config for value in found.values() if value != found.get("config") for config in _configs_below(value)]
    return [*([own] if own else []), *([found["config"]] if "config" in found else []), *below]


def test_every_block_is_of_a_kind_that_is_checked():
    assert {block.place: block.language for block in all_blocks() if block.language not in LANGUAGES} == {}


@pytest.mark.parametrize("block", SETTINGS, ids=lambda block: block.place)
def test_settings_that_a_page_shows_are_accepted(block: Block, tmp_path):
    content = yaml.safe_load(block.text)
    if _is_workflow(content):
        _check_workflow(content, tmp_path)
    elif set(content) <= set(FILE_SHAPE.known):
        (tmp_path / "afresh.yml").write_text(block.text)
        load(tmp_path, env={})
    else:
        configs = _configs(content)
        assert configs or "sources" in content
        for config in configs:
            settings = node_policy(config)
            assert settings.origins or config.config.get("freshness", "") is None, "the example sets nothing"


def _check_workflow(content: dict, folder) -> None:
    """A workflow of GitHub Actions: its commands are ours or install us, its variables exist."""
    from docs.test_names import known_variables

    steps = [step for job in content["jobs"].values() for step in job["steps"]]
    assert all("uses" in step or "run" in step for step in steps)
    for step in steps:
        assert set(step.get("env") or {}) <= known_variables()
        if step.get("run", "").startswith("pip "):
            Reader(folder).follow_line(step["run"])


@pytest.mark.parametrize("block", blocks_of("python"), ids=lambda block: block.place)
def test_programs_can_be_parsed(block: Block):
    ast.parse(block.text)


@pytest.mark.parametrize("block", blocks_of("json"), ids=lambda block: block.place)
def test_documents_can_be_parsed(block: Block):
    json.loads(block.text)
