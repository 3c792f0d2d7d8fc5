"""docs/observability.md and docs/infra.md say what rules, dashboards, metrics and services are."""

import re
from typing import Any

import pytest

from logopsd.figures.catalogue import CATALOGUE, DROP_REASONS, FAULT_REASONS, Spec
from tests.e2e.harness import ROOT
from tests.infra.helpers import DOCKER, PENDING, alerts, dashboards, load_yaml

OBSERVABILITY = (ROOT / "docs" / "observability.md").read_text()
INFRA = (ROOT / "docs" / "infra.md").read_text()


def section(heading: str) -> str:
    """Return the text below a heading, up to the next one."""
    found = re.search(rf"^#+ {heading}$(.*?)(?=^#|\Z)", OBSERVABILITY, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no heading {heading}"
    return found[1]


@pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.name)
def test_a_metric_stands_on_the_page(spec: Spec) -> None:
    """Each with its type and its labels."""
    row = rf"^\| `{spec.name}` \| {spec.kind} \| {', '.join(spec.labels)} ?\| \S"

    assert re.search(row, OBSERVABILITY, re.MULTILINE)


def test_no_metric_stands_there_that_is_none() -> None:
    """What the tables name is in the catalogue, or announced."""
    named = set(re.findall(r"^\| `(logops_\w+)`", OBSERVABILITY, re.MULTILINE))

    assert named == {spec.name for spec in CATALOGUE} | PENDING


@pytest.mark.parametrize("reason", [*DROP_REASONS, *FAULT_REASONS])
def test_a_reason_is_explained(reason: str) -> None:
    """What happened, for every drop and every fault."""
    assert f"\n| `{reason}` | " in section("Reasons")


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_is_explained_with_its_expression(rule: dict[str, Any]) -> None:
    """The page shows the expression that is in force, the severity and the time."""
    text = section(rule["alert"])

    assert "    " + " ".join(rule["expr"].split()) + "\n" in text
    assert f"after {rule['for']}" in text if "for" in rule else "at once" in text
    assert rule["labels"]["severity"] in text
    assert "What to do: " in text


@pytest.mark.parametrize("name", dashboards())
def test_a_dashboard_is_described(name: str) -> None:
    """Under the name that Grafana shows."""
    assert section(dashboards()[name]["title"].removeprefix("logopsd / "))


@pytest.mark.parametrize("name", load_yaml(DOCKER / "docker-compose.yml")["services"])
def test_a_service_is_described(name: str) -> None:
    """Every service of the compose file has its row."""
    assert f"\n| `{name}` | " in INFRA


def test_links_lead_somewhere() -> None:
    """Every relative link of both pages names a file, every anchor a heading."""
    for page, text in (("observability.md", OBSERVABILITY), ("infra.md", INFRA)):
        for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
            path, _, anchor = target.partition("#")
            there = ROOT / "docs" / (path or page)
            assert there.exists(), target
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert not anchor or anchor in {each.lower().replace(" ", "-") for each in headings}
