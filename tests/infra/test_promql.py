"""Every expression of rules and dashboards, asked of a real Prometheus that scrapes a daemon."""

from pathlib import Path

import pytest

from tests.e2e.harness import Daemon
from tests.infra.helpers import (
    OPTIONAL,
    PENDING,
    Api,
    alerts,
    filled,
    metrics_in,
    prometheus,
    queries,
)

pytestmark = pytest.mark.e2e


def feed(daemon: Daemon) -> bool:
    """Send a record over each input, so that every rate has something to show."""
    daemon.send_udp(b"<13>app: over udp")
    daemon.send_tcp(b"<13>app: over tcp, user@example.com\n")
    return daemon.post(b'{"msg": "over http"}')[0] == 200


def ask_until_answered(api: Api, daemon: Daemon, where: str, expression: str) -> None:
    """Ask, feeding the daemon meanwhile, until there is a sample."""
    daemon.wait_for(
        lambda: feed(daemon) and api.query(expression), f"data for {where}: {expression}"
    )


def test_every_expression_is_parsed_and_answers_with_data(daemon: Daemon, tmp_path: Path) -> None:
    """No panel stays empty and no rule fails, but for metrics the daemon is yet to learn."""
    host, port = daemon.address("metrics")
    with prometheus(tmp_path / "prometheus", f"{host}:{port}") as api:
        for where, expression in queries("prometheus"):
            samples = api.query(filled(expression))
            absent = metrics_in(expression) & PENDING
            if not samples and not (absent and " or " not in expression):
                ask_until_answered(api, daemon, where, filled(expression))

        for rule in alerts():
            api.query(rule["expr"])
            for metric in metrics_in(rule["expr"]) - PENDING - OPTIONAL:
                ask_until_answered(api, daemon, rule["alert"], f"count({metric})")

        groups = api.get("rules")["groups"]
        loaded = {rule["name"]: rule for group in groups for rule in group["rules"]}
        assert set(loaded) == {rule["alert"] for rule in alerts()}
        daemon.wait_for(
            lambda: all(rule["health"] == "ok" for rule in api_rules(api)), "all rules evaluated"
        )


def api_rules(api: Api) -> list[dict[str, str]]:
    """Return the rules as Prometheus holds them now."""
    return [rule for group in api.get("rules")["groups"] for rule in group["rules"]]


def test_an_alert_says_whom_it_concerns(daemon: Daemon, tmp_path: Path) -> None:
    """The texts are filled in by Prometheus, the daemon's address and the number among them."""
    host, port = daemon.address("metrics")
    with prometheus(tmp_path / "prometheus", f"{host}:{port}") as api:
        daemon.wait_for(
            lambda: (
                {"LogOpsLowIngest"}
                <= {alert["labels"]["alertname"] for alert in api.get("alerts")["alerts"]}
            ),
            "LogOpsLowIngest to be pending",
        )
        (low,) = (
            alert
            for alert in api.get("alerts")["alerts"]
            if alert["labels"]["alertname"] == "LogOpsLowIngest"
        )

    assert low["annotations"]["summary"] == f"{host}:{port} stores only 0 records/s"
    assert low["labels"]["job"] == "logops_gateway"
