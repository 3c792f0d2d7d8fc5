"""The dashboards: what the generator writes is what is committed, and what Grafana can use."""

import re
from typing import Any

import pytest

from logopsd.figures.catalogue import CATALOGUE
from logopsd.records import INPUTS, LEVELS
from tests.infra.helpers import (
    DASHBOARDS,
    DOCKER,
    PENDING,
    dashboards,
    load_yaml,
    metrics_in,
    need_package,
    queries,
)

NAMES = ("emitters", "overview", "raw", "trends")
LABELS = {"level", "emitter", "input"}
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}


def generator() -> Any:
    """Return the generator, if the SDK is there."""
    need_package("grafana_foundation_sdk", "'grafana-foundation-sdk==1769699379!11.6.0'")
    return need_package("infra.docker.grafana.generate_dashboards", "nothing: it is ours")


def test_the_four_are_there() -> None:
    """Overview, Trends, Emitters and Raw logs."""
    titles = {name: dashboard["title"] for name, dashboard in dashboards().items()}

    assert titles == {
        "emitters": "logopsd / Emitters",
        "overview": "logopsd / Overview",
        "raw": "logopsd / Raw logs",
        "trends": "logopsd / Trends",
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_is_committed_is_what_is_generated(name: str) -> None:
    """A change to one without the other is noticed; generate_dashboards.py mends it."""
    assert (DASHBOARDS / f"{name}.json").read_text() == generator().rendered(name)


def test_the_generator_knows_all_inputs_and_levels() -> None:
    """The choices offered are the closed sets of the record."""
    made = generator()

    assert made.INPUTS == INPUTS
    assert tuple(made.LEVEL_COLORS) == LEVELS


@pytest.mark.parametrize("name", NAMES)
def test_panels_do_not_overlap(name: str) -> None:
    """Every cell of the grid of 24 columns belongs to one panel at most."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboards()[name]["panels"]:
        at = panel["gridPos"]
        columns, rows = range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
        cells = {(column, row) for column in columns for row in rows}
        assert max(columns) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", NAMES)
def test_panels_ask_provisioned_data_sources_and_explain_themselves(name: str) -> None:
    """Each uid is one that Grafana is given, each panel has its own number, name and text."""
    provisioned = load_yaml(DOCKER / "grafana/provisioning/datasources/datasources.yml")
    sources = {source["uid"]: source["type"] for source in provisioned["datasources"]}
    panels = dashboards()[name]["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        if panel["type"] == "row":
            continue
        assert panel["title"]
        assert panel["description"]
        for asked in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
            assert sources[asked["uid"]] == asked["type"]


@pytest.mark.parametrize(("where", "expression"), queries("prometheus"))
def test_a_panel_asks_for_metrics_that_exist(where: str, expression: str) -> None:
    """Every metric is in the catalogue, of the process, or announced; every selector names us."""
    known = {spec.name for spec in CATALOGUE} | PROCESS | PENDING
    selectors = re.findall(r"\{[^}]*\}", expression)

    assert metrics_in(expression) <= known
    for selector in selectors:
        assert 'job="logops_gateway"' in selector or "LogOps" in selector, where


@pytest.mark.parametrize(("where", "expression"), queries("loki"))
def test_a_panel_selects_by_the_three_labels(where: str, expression: str) -> None:
    """Streams are chosen by level, emitter and input, the only labels that are shipped."""
    selectors = re.findall(r"(?<!\{)\{(?!\{)([^}]*)\}(?!\})", expression.replace("${search", ""))

    assert selectors, where
    for selector in selectors:
        assert set(re.findall(r"(\w+)[=!]~?", selector)) == LABELS
