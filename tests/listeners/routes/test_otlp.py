"""OTLP/HTTP JSON on /v1/logs: what it is answered."""

import json
from typing import Any

import pytest

from logopsd.parsing.otlp import LogItem
from tests.listeners.http.helpers import post
from tests.listeners.routes.helpers import Case, in_loop
from tests.listeners.routes.test_logs import JSON


def export_of(*logs: Any) -> bytes:
    """Write an export request."""
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": list(logs)}]}]}).encode()


def test_an_export_is_taken_and_answered_when_stored() -> None:
    """200 with an empty object, as JSON."""
    case = Case().post(export_of({"severityNumber": 9}, {}), JSON)
    assert case.intake.items == [LogItem({"severityNumber": 9}, {}, {}), LogItem({}, {}, {})]
    assert case.intake.formats == ["otlp"]
    assert case.client.answers == []
    assert case.answer() == (200, {})
    assert case.client.answers[0][1]["Content-Type"] == "application/json"


def test_an_empty_export_is_answered_at_once() -> None:
    """There is nothing to store."""
    case = Case().post(b'{"resourceLogs":[]}', JSON)
    assert case.client.statuses == [200]
    assert case.answer() == (200, {})


@pytest.mark.parametrize("logs", [[1, {}, "SECRET"], [1, 2]])
def test_a_partial_success(logs: list[Any]) -> None:
    """What is no log record is counted and told; the client does not send it again."""
    case = Case().post(export_of(*logs), JSON)
    rejected = sum(1 for log in logs if log != {})
    status, answer = case.answer()
    assert status == 200
    assert answer == {
        "partialSuccess": {
            "rejectedLogRecords": str(rejected),
            "errorMessage": "resourceLogs[0].scopeLogs[0].logRecords[0] is no object",
        }
    }
    assert len(case.intake.items) == len(logs) - rejected
    assert (case.metrics.received, case.metrics.dropped["rejected"]) == (rejected, rejected)


def test_a_request_that_is_none_is_400_with_a_status() -> None:
    """The error is a Status, and nothing is taken."""
    case = Case().post(b'{"resourceLogs":{"SECRET":1}}', JSON)
    assert case.answer() == (400, {"message": "resourceLogs is no list"})
    assert case.intake.items == []


@pytest.mark.parametrize("kind", ["application/x-protobuf", "application/protobuf"])
def test_protobuf_is_415_with_the_mend(kind: str) -> None:
    """Collectors and SDKs speak it where nobody says otherwise."""
    case = Case().post(b"\x0a\x00", f"Content-Type: {kind}")
    status, answer = case.answer()
    assert status == 415
    assert "encoding: json" in answer["message"]
    assert answer["detail"] == answer["message"]
    assert case.client.answers[0][1]["Accept"] == "application/json"


def test_a_list_that_holds_exports_is_a_list_of_records() -> None:
    """Only the request itself is an export."""
    case = Case().post(b'[{"resourceLogs":[]},{"resourceLogs":[]}]', JSON)
    assert case.intake.formats == ["json"]


def test_a_large_export_is_taken_in_slices() -> None:
    """As any large body."""
    body = export_of(*[{"severityNumber": 9}] * 2500)
    case = in_loop(Case(), post(body, JSON, path="/v1/logs"))
    assert case.intake.calls == 3
    assert case.client.statuses == [200]
