"""docs/performance.md and its picture say what docs/performance.json has."""

from xml.etree import ElementTree

from tests.bench import page, results, scenarios

FOUND = results.load(results.KEPT)


def test_the_page_is_of_the_run_that_is_kept() -> None:
    """Written anew by `make performance-page`."""
    text = page.PAGE.read_text()

    assert page.replace(text, FOUND) == text


def test_the_picture_is_of_the_run_that_is_kept() -> None:
    """Written anew by `make performance-page`."""
    assert page.PICTURE.read_text() == page.picture(FOUND)


def test_every_scenario_and_program_was_measured() -> None:
    """A run that was broken off, or one of a part, does not become the page."""
    measured = {(row.scenario, row.program) for row in FOUND.rows}

    assert measured == {
        (scenario.name, program)
        for scenario in scenarios.scenarios("")
        for program in scenario.programs
    }


def test_bars_are_as_long_as_the_figures_say() -> None:
    """The longest of a group has the whole width, and one of half its cost half of it."""
    rows = [
        results.Row("x", "throughput", program, {"cpu": cpu})
        for program, cpu in (("logopsd", 2.0), ("other", 4.0))
    ]

    drawn = ElementTree.fromstring(page.picture(results.Results({}, rows)))
    bars = drawn.findall("{http://www.w3.org/2000/svg}rect")

    assert [int(bar.attrib["width"]) for bar in bars] == [page.BAR // 2, page.BAR]
    assert [bar.attrib["class"] for bar in bars] == ["ours", "other"]
