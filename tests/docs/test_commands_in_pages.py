"""Every command that a page shows is typed, and prints what the page says."""

import pytest

from afresh.demo import scenario
from docs.pages import page, pages
from docs.reader import Reader, lines_missing

PROJECT = "my-dbt-project"
TUTORIAL = "docs/tutorial/first-steps.md"
START_BESIDE_THE_PROJECT = {"README.md", "docs/how-to/adopt.md", "docs/how-to/first-project.md"}
WITH_COMMANDS = [one.name for one in pages() if any(block.language == "console" for block in one.blocks)]


@pytest.fixture
def reader(tmp_path):
    return Reader(tmp_path)


def test_the_tutorial_does_what_it_says_and_the_picture_in_the_readme_is_true(reader):
    for block in page(TUTORIAL).blocks:
        if block.language == "console":
            reader.follow(block)

    (picture,) = [block for block in page("README.md").blocks if not block.language]
    assert lines_missing(tuple(picture.text.splitlines()[1:]), "\n".join(reader.printed)) == []


@pytest.mark.parametrize("name", sorted(set(WITH_COMMANDS) - {TUTORIAL}))
def test_the_commands_of_a_page_print_what_it_says(reader, name):
    shop = scenario.create(reader.folder / PROJECT)
    if name not in START_BESIDE_THE_PROJECT:
        reader.folder = shop
        reader.follow_line("afresh build --quiet")
    for block in page(name).blocks:
        if block.language == "console":
            reader.follow(block)
