"""What the tests of infra/ share: its files, their expressions, and a Prometheus with our rules."""

import functools
import importlib
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from logopsd.figures.catalogue import CATALOGUE
from tests.e2e.harness import DEADLINE_SECONDS, ROOT, need, process, wait_for

DOCKER = ROOT / "infra" / "docker"
PROMETHEUS = DOCKER / "prometheus"
RULES = PROMETHEUS / "alert_rules.yml"
DASHBOARDS = DOCKER / "grafana" / "dashboards"

PENDING = {
    "logops_sources_silent",
    "logops_suppressed_total",
    "logops_tls_certificate_expiry_timestamp_seconds",
} - {spec.name for spec in CATALOGUE}
"""Metrics that rules and dashboards already ask for and the daemon does not show yet."""

# Shown only where something is on: TLS, housekeeping by a timer. Rules may ask for them all the
# same, as no sample is no alert.
OPTIONAL = {
    "logops_housekeep_last_success_timestamp_seconds",
    "logops_tls_certificate_expiry_timestamp_seconds",
}

VARIABLES = {"$instance": ".+", "$__rate_interval": "10s", "$__range": "1m"}
"""What Grafana puts in for its variables, as a test wants it."""

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: logops_gateway
    static_configs: [{{targets: ["{target}"]}}]
"""


def need_package(name: str, brought_by: str) -> Any:
    """Return a module; skip the test file without it, or fail if LOGOPS_E2E=require."""
    try:
        return importlib.import_module(name)
    except ImportError:
        reason = f"{name} is not installed: pip install {brought_by}"
        if os.environ.get("LOGOPS_E2E") == "require":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason, allow_module_level=True)


@functools.cache
def load_yaml(path: Path) -> Any:
    """Return what a YAML file says; it is one for all who ask, to be read only."""
    return load_all_yaml(path)[0]


@functools.cache
def load_all_yaml(path: Path) -> list[Any]:
    """Return what the documents of a YAML file say, to be read only as well."""
    yaml = need_package("yaml", "pyyaml")
    # libyaml's loader builds the same, and is ten times as fast; not every wheel has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return list(yaml.load_all(path.read_text(), loader))


def alerts() -> list[dict[str, Any]]:
    """Return every alert of the rules, in order."""
    return [rule for group in load_yaml(RULES)["groups"] for rule in group["rules"]]


def dashboards() -> dict[str, dict[str, Any]]:
    """Return every committed dashboard by the name of its file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def queries(source: str) -> list[tuple[str, str]]:
    """Return where it stands, and the expression, of every query to one kind of data source."""
    return [
        (f"{name}: {panel['title']}", target["expr"])
        for name, dashboard in dashboards().items()
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
        if target["datasource"]["type"] == source
    ]


def filled(expression: str) -> str:
    """Return an expression with Grafana's variables put in."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def metrics_in(expression: str) -> set[str]:
    """Return the names of the metrics an expression asks for, histogram parts by their family."""
    names = re.findall(r"\b(?:logops|process)_[a-z_]+\b", expression.replace("logops_gateway", ""))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


class Api:
    """The HTTP API of a running Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer; an expression that cannot be parsed fails the test."""
        url = f"{self._url}/{path}?" + urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError((parameters, error.read().decode())) from None

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples an expression has now."""
        result: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return result


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[Api]:
    """Run a Prometheus with our rules that scrapes `target` every second."""
    program = need("prometheus")
    directory.mkdir()
    config, log = directory / "prometheus.yml", directory / "prometheus.log"
    config.write_text(CONFIG.format(target=target, rules=RULES))
    command = [program, f"--config.file={config}", f"--storage.tsdb.path={directory / 'tsdb'}"]
    with process([*command, "--web.listen-address=127.0.0.1:0"], log):
        listening = re.compile(r'msg="Listening on" address=(\S+)')
        found = wait_for(
            lambda: listening.search(log.read_text()), "Prometheus to listen", hint=log.read_text
        )
        assert found is not None
        wait_for(lambda: "Server is ready" in log.read_text(), "Prometheus", hint=log.read_text)
        yield Api(f"http://{found[1]}/api/v1")
