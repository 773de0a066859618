"""The documentation as a reader finds it: pages, their fenced blocks, headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^ *```(?P<language>\w*)(?P<info>[^\n`]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block. ``info`` is what follows the language on its first line."""

    page: str
    line: int
    language: str
    info: str
    text: str

    @property
    def place(self) -> str:
        """Where a reader finds it."""
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """One Markdown file; ``name`` is its path from the root of the repository."""

    name: str
    text: str

    @property
    def folder(self) -> Path:
        """Where its relative links start."""
        return (ROOT / self.name).parent

    @property
    def blocks(self) -> Iterator[Block]:
        """Its fenced blocks, in order."""
        for found in _FENCE.finditer(self.text):
            line = self.text.count("\n", 0, found.start()) + 1
            yield Block(self.name, line, found["language"], found["info"].strip(), found["text"])

    @property
    def prose(self) -> str:
        """The text outside of fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def links(self) -> list[str]:
        """The targets of its links."""
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """What can be linked to: its headings, as GitHub spells them."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(self.prose)}


@cache
def pages() -> tuple[Page, ...]:
    """The README, the other pages beside it, and everything below ``docs``."""
    files = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return tuple(Page(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")) for file in files)


def page(name: str) -> Page:
    """One page by its path from the root of the repository."""
    (found,) = (one for one in pages() if one.name == name)
    return found


def all_blocks() -> list[Block]:
    """Every fenced block of every page."""
    return [block for one in pages() for block in one.blocks]


def blocks_of(*languages: str) -> list[Block]:
    """All blocks in these languages, on all pages."""
    return [block for block in all_blocks() if block.language in languages]
