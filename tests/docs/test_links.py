"""Every link within the documentation leads somewhere, and every page can be reached."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))

_CODE = re.compile(r"^```.*?^```$|^(?: {4}|\t).*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def links(page: Path) -> list[str]:
    """Return the targets of a page that lie in this repository."""
    return _LINK.findall(_CODE.sub("", page.read_text()))


def anchors(page: Path) -> set[str]:
    """Return the anchors that the headings of a page get."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file or a folder here, its anchor a heading in it."""
    for target in links(page):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert there.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(there), target


def test_every_page_stands_on_the_map() -> None:
    """`docs/README.md`, and the index of decisions, lead to each page in one step."""
    maps = (DOCS / "README.md", DOCS / "decisions" / "README.md")
    reached = {
        (each.parent / target.partition("#")[0]).resolve()
        for each in maps
        for target in links(each)
    }

    assert set(DOCS.rglob("*.md")) - {DOCS / "README.md"} <= reached


def test_readme_leads_to_the_map() -> None:
    """Who begins at the front page finds all others."""
    assert "docs/README.md" in links(ROOT / "README.md")


def test_decisions_are_listed_by_their_titles() -> None:
    """The index has each with the heading it has, in the order of the numbers."""
    headings = [path.read_text().splitlines()[0].removeprefix("# ") for path in DECISIONS]
    titles = [
        f"- [{heading}]({path.name})" for heading, path in zip(headings, DECISIONS, strict=True)
    ]
    lines = (DOCS / "decisions" / "README.md").read_text().splitlines()

    assert [line for line in lines if line.startswith("- ")] == titles


def test_a_decision_has_a_number_of_its_own() -> None:
    """The number in its name, in its heading, and in no other's."""
    numbers = [path.name.partition("-")[0] for path in DECISIONS]

    assert len(set(numbers)) == len(numbers)
    for path, number in zip(DECISIONS, numbers, strict=True):
        assert path.read_text().startswith(f"# {int(number)}. ")
