"""OTLP/HTTP: OpenTelemetry's own SDK with its JSON exporter, and curl."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import Daemon, run
from tests.e2e.test_curl import curl, json_header

MESSAGES = 1000
SENDER = Path(__file__).parent / "otel_sender.py"
EXPORTER = "opentelemetry.exporter.otlp.json.http"


def need_exporter() -> None:
    """Skip the test where the exporter is not installed, or fail if LOGOPS_E2E=require."""
    try:
        found = importlib.util.find_spec(EXPORTER) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        reason = "not installed: pip install 'opentelemetry-exporter-otlp-json-http>=0.66b1'"
        if os.environ.get("LOGOPS_E2E") == "require":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def test_the_sdk(daemon: Daemon) -> None:
    """Each message once, in order, with what the SDK says of it."""
    need_exporter()
    run([sys.executable, SENDER, daemon.url("/v1/logs"), str(MESSAGES)], timeout=60)

    records = daemon.wait_records(MESSAGES)
    assert [record["order_id"] for record in records] == list(range(MESSAGES))
    first = records[0]
    assert first["msg"] == "message 0 of j***@example.com"
    assert (first["level"], first["emitter"], first["host"]) == ("WARN", "shop", "node-7")
    assert (first["format"], first["input"]) == ("otlp", "http")
    assert first["scope"]["name"] == "shop.orders"
    assert first["resource"]["telemetry.sdk.language"] == "python"
    page = daemon.metrics()
    assert page.sum("logops_missing_ts_total", input="http") == 0
    assert page.unaccounted("http") == 0


def test_a_partial_success(daemon: Daemon) -> None:
    """What is no log record is told, the others are stored."""
    logs = [{"severityNumber": 17, "body": {"stringValue": "good"}}, "bad"]
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": logs}]}]}
    status, answer = curl(daemon, *json_header("application/json"), stdin=json.dumps(body).encode())

    assert status == 200
    assert answer["partialSuccess"]["rejectedLogRecords"] == "1"
    ((record),) = daemon.records()
    assert (record["msg"], record["level"]) == ("good", "ERROR")
    assert daemon.metrics().unaccounted("http") == 0


def test_protobuf_is_refused_with_the_mend(daemon: Daemon) -> None:
    """An exporter left on its default is told what to set."""
    status, answer = curl(daemon, *json_header("application/x-protobuf"), stdin=b"\x0a\x00")
    assert status == 415
    assert "encoding: json" in answer["message"]
    assert daemon.raw() == b""
