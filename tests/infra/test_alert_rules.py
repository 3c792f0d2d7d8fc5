"""The alert rules: tested by promtool, complete, and each explained."""

import re

import pytest

from logopsd.figures.catalogue import CATALOGUE
from tests.e2e.harness import ROOT, need, run
from tests.infra.helpers import PENDING, PROMETHEUS, RULES, alerts, load_yaml, metrics_in

TESTS = ("alert_rules_test.yml", "alert_rules_slow_test.yml")

AGREED = {
    "LogOpsGatewayDown": ("1m", "critical"),
    "LogOpsNoIngest5m": ("2m", "warning"),
    "LogOpsLowIngest": ("5m", "info"),
    "LogOpsHighIngestBurst": ("1m", "warning"),
    "LogOpsHighMissingTS": ("2m", "warning"),
    "LogOpsVeryHighMissingTS": ("2m", "critical"),
    "LogOpsHighMissingLevel": ("2m", "warning"),
    "LogOpsVeryHighMissingLevel": ("2m", "critical"),
    "LogOpsInflightStuckHigh": ("2m", "warning"),
    "LogOpsMetricsAbsent": ("2m", "critical"),
}
"""Alert -> how long it must hold, and its severity, as users of the rules rely on them."""


@pytest.mark.e2e
@pytest.mark.parametrize("name", TESTS)
def test_each_alert_fires_and_stays_quiet_at_its_edges(name: str) -> None:
    """`promtool test rules` passes."""
    run([need("promtool"), "test", "rules", PROMETHEUS / name], timeout=120)


@pytest.mark.e2e
def test_promtool_accepts_the_rules() -> None:
    """`promtool check rules` finds nothing to say."""
    assert b"SUCCESS" in run([need("promtool"), "check", "rules", RULES]).stdout


@pytest.mark.parametrize("alert", [rule["alert"] for rule in alerts()])
def test_an_alert_is_tested_both_ways(alert: str) -> None:
    """For each alert there is a look that expects it to fire and one that expects it quiet."""
    looks = [
        bool(look["exp_samples"])
        for name in TESTS
        for test in load_yaml(PROMETHEUS / name)["tests"]
        for look in test["promql_expr_test"]
        if f'alertname="{alert}"' in look["expr"]
    ]

    assert set(looks) == {True, False}


@pytest.mark.parametrize(("alert", "expected"), AGREED.items())
def test_the_agreed_alerts_are_there(alert: str, expected: tuple[str, str]) -> None:
    """Name, time and severity of the alerts that others route by."""
    rules = {rule["alert"]: rule for rule in alerts()}

    assert (rules[alert]["for"], rules[alert]["labels"]["severity"]) == expected


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_tells_what_it_is_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    """Summary, description, a runbook line, and a link to a heading that exists."""
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook", "runbook_url"}
    assert all(notes.values())
    assert rule["labels"]["severity"] in ("info", "warning", "critical")

    page, _, anchor = notes["runbook_url"].partition("#")
    assert anchor == str(rule["alert"]).lower()
    assert re.search(rf"^### {rule['alert']}$", (ROOT / page).read_text(), re.MULTILINE)


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_our_job_for_metrics_that_exist(rule: dict[str, str]) -> None:
    """Every selector names the job, and every metric is in the catalogue or announced."""
    known = {spec.name for spec in CATALOGUE} | PENDING
    selectors = rule["expr"].count("{")

    assert metrics_in(rule["expr"]) <= known
    assert selectors == rule["expr"].count('job="logops_gateway"') > 0


def test_alerts_have_different_names() -> None:
    """No alert hides behind another."""
    names = [rule["alert"] for rule in alerts()]

    assert len(names) == len(set(names))
