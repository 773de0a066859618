"""One word per idea: the glossary's words are used, and the words it forbids are not."""

import re

import pytest

from docs.pages import ROOT, page, pages

GLOSSARY = page("docs/glossary.md").text
WORDS = re.findall(r"^\*\*([^*]+)\*\*:", GLOSSARY, re.MULTILINE)
FORBIDDEN = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", GLOSSARY.split("## Words not used")[1], re.MULTILINE)[2:]
TEXTS = {one.name: one.text for one in pages() if one.name != "docs/glossary.md"}


def plain(row: str) -> list[str]:
    """The words of one row, without the remark in brackets. `skip` is dbt's own; only its use for reuse is forbidden, which no search finds."""
    return [word.strip() for word in re.sub(r"\([^)]*\)", "", row).split(",") if word.strip() != "skip"]


def test_the_glossary_is_in_the_order_of_the_alphabet():
    assert WORDS
    assert sorted(WORDS) == WORDS


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_the_glossary_is_used(word):
    pattern = re.compile(rf"\b{re.escape(word)}", re.IGNORECASE)
    sources = (file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py"))

    assert any(pattern.search(text) for text in (*TEXTS.values(), *sources))


@pytest.mark.parametrize("word", [word for row in FORBIDDEN for word in plain(row)])
def test_a_word_that_the_glossary_forbids_is_not_used(word):
    pattern = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)

    assert [name for name, text in TEXTS.items() if pattern.search(text)] == []
