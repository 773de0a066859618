"""Links inside the repository lead somewhere."""

import pytest

from docs.pages import ROOT, Page, page, pages


def _broken(one: Page, link: str) -> str | None:
    path, _, anchor = link.partition("#")
    target = (one.folder / path).resolve() if path else ROOT / one.name
    if not target.exists():
        return f"{link}: there is no such file"
    if anchor and anchor not in page(str(target.relative_to(ROOT))).anchors:
        return f"{link}: the page has no such heading"
    return None


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_every_link_leads_somewhere(one):
    inside = [link for link in one.links if "://" not in link]

    assert [why for link in inside if (why := _broken(one, link))] == []


def test_every_page_can_be_reached_from_the_readme():
    found, waiting = set(), ["README.md"]
    while waiting:
        one = page(waiting.pop())
        found.add(one.name)
        targets = [(one.folder / link.partition("#")[0]).resolve() for link in one.links if "://" not in link and link[0] != "#"]
        names = {str(target.relative_to(ROOT)) for target in targets if target.suffix == ".md" and target.exists()}
        waiting += [name for name in names if name not in found]

    assert {one.name for one in pages()} - found == set()
