"""What a page names exists: commands, options, environment variables, settings, reasons. And the page of commands names all."""

import re
from importlib import import_module

import click
import pytest
from dbt.cli.main import cli as dbt

from afresh.cli.dbt_commands import _options
from afresh.cli.main import OWN, STATE_AWARE
from afresh.config.keys import SCALAR_KEYS
from afresh.config.node_settings import STATE_KEYS
from docs.pages import Page, page, pages

COMMANDS = page("docs/reference/commands.md").text
NOT_AN_OPTION_OF_A_COMMAND = {"--frozen"}


def own_command(name: str) -> click.Command:
    """The click command of one of our commands, or of one below it."""
    first, *below = name.split()
    module = import_module(OWN[first])
    (found,) = [one for one in vars(module).values() if isinstance(one, click.Command)]
    for word in below:
        assert isinstance(found, click.Group)
        found = found.commands[word]
    return found


def own_commands() -> list[str]:
    """The names of our commands, and of those below them."""
    below = [f"{name} {word}" for name in OWN if isinstance(group := own_command(name), click.Group) for word in group.commands]
    return sorted([*OWN, *below])


def options_of(command: click.Command) -> set[str]:
    return {name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts if name.startswith("--")}


def known_variables() -> set[str]:
    return {"AFRESH", "AFRESH_JOB", *(key.variable for key in SCALAR_KEYS)}


def section(heading: str) -> str:
    """What the page of commands says below a heading that begins like this."""
    (found,) = [part for part in COMMANDS.split("\n## ") if part.startswith(heading)]
    return found


def known_options() -> set[str]:
    ours = {name for command in own_commands() for name in options_of(own_command(command))} | {
        name for one in _options() for name in one.opts
    }
    dbts = {
        name
        for command in [dbt, *dbt.commands.values()]
        for parameter in command.params
        for name in [*parameter.opts, *parameter.secondary_opts]
        if name.startswith("--")
    }
    return ours | dbts | {"--help", "--version", "--all"}


@pytest.mark.parametrize("name", own_commands())
def test_the_page_of_commands_tells_each_of_our_commands_with_its_options_and_an_example(name):
    text = section(f"`afresh {name}`")
    options = options_of(own_command(name)) - {"--help"}

    assert {option for option in options if f"| `{option}` |" not in text} == set()
    assert f"afresh {name} " in re.sub(r"\s", " ", text.split("```", 1)[1])


@pytest.mark.parametrize("name", STATE_AWARE)
def test_the_page_of_commands_tells_each_state_aware_command_with_our_options(name):
    text = section("`afresh build`")

    assert f"`{name}`" in text or f"`afresh {name}`" in text
    assert f"afresh {name}" in text.split("\n", 1)[1]
    assert [option for one in _options() for option in one.opts if f"| `{option}` |" not in text] == []


@pytest.mark.parametrize("variable", sorted(known_variables()))
def test_the_page_of_commands_tells_each_environment_variable(variable):
    assert f"`{variable}`" in section("Environment variables")


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_variables_that_a_page_names_exist(one: Page):
    assert set(re.findall(r"\bAFRESH(?:_[A-Z_]+[A-Z])?\b", one.text)) - known_variables() == set()


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_options_that_a_page_names_exist(one: Page):
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"python -c .*|pytest .*", "", one.text)))

    assert named - known_options() - NOT_AN_OPTION_OF_A_COMMAND == set()


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_commands_that_a_page_names_exist(one: Page):
    named = set(re.findall(r"`(?:[A-Z_]+=\S+ )?afresh ([a-z][a-z-]*)", one.text)) | set(
        re.findall(r"^\$ afresh ([a-z]+)", one.text, re.MULTILINE)
    )

    assert named - set(OWN) - set(STATE_AWARE) - set(dbt.commands) == set()


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_settings_of_nodes_that_a_page_names_exist(one: Page):
    named = {name for name in re.findall(r"`state\.([a-z_]+)", one.text) if name != "db"}

    assert named - set(STATE_KEYS) - {"compare_unrendered_code"} == set()
