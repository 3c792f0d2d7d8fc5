"""POST /loki/api/v1/push: what Loki's clients push."""

import gzip
import json
from typing import Any

import pytest

from logopsd.listeners.routes.loki import PATH
from logopsd.parsing.loki import LokiLine
from tests.listeners.http.helpers import get, post
from tests.listeners.routes.helpers import Case, in_loop

JSON = "Content-Type: application/json"


def push_of(*values: Any) -> bytes:
    """Write a push request."""
    return json.dumps({"streams": [{"stream": {"app": "a"}, "values": list(values)}]}).encode()


def test_a_push_is_answered_204_when_stored() -> None:
    """As Loki does, without a body."""
    case = Case().post(push_of(["1", "one"], ["2", "two"]), JSON, path=PATH)
    assert case.intake.items == [
        LokiLine("1", "one", {"app": "a"}),
        LokiLine("2", "two", {"app": "a"}),
    ]
    assert case.intake.formats == ["loki"]
    assert case.client.answers == []
    assert case.answer() == (204, None)


def test_gzip() -> None:
    """A client may compress."""
    body = gzip.compress(push_of(["1", "one"]))
    case = Case().post(body, JSON, "Content-Encoding: gzip", path=PATH)
    assert case.answer() == (204, None)
    assert len(case.intake.items) == 1


@pytest.mark.parametrize("body", [b'{"streams":[]}', push_of()])
def test_an_empty_push_is_answered_at_once(body: bytes) -> None:
    """There is nothing to store."""
    case = Case().post(body, JSON, path=PATH)
    assert case.client.statuses == [204]


@pytest.mark.parametrize("body", [b"", b"SECRET", b"{}", b"[]", b"[{},{}]", b'{"streams":[1]}'])
def test_what_is_no_push_is_400(body: bytes) -> None:
    """It says what is wrong, and nothing is taken."""
    case = Case().post(body, JSON, path=PATH)
    status, answer = case.answer()
    assert status == 400
    assert answer["detail"]
    assert b"SECRET" not in case.client.received
    assert case.intake.items == []


@pytest.mark.parametrize("values", [[["1", "one"], ["SECRET"]], [["SECRET"]]])
def test_a_bad_value_is_told_and_the_others_are_stored(values: list[Any]) -> None:
    """400, so that the client does not send the good ones once more; with how many were stored."""
    case = Case().post(push_of(*values), JSON, path=PATH)
    status, answer = case.answer()
    assert status == 400
    assert (answer["accepted"], answer["rejected"]) == (len(values) - 1, 1)
    assert f"values[{len(values) - 1}] is no [time, line]; what is sound" in answer["detail"]
    assert (case.metrics.received, case.metrics.dropped["rejected"]) == (1, 1)
    assert b"SECRET" not in case.client.received


@pytest.mark.parametrize("header", [[], ["Content-Type: application/x-protobuf"]])
def test_protobuf_is_415_with_the_mend(header: list[str]) -> None:
    """It is what Promtail and Alloy push, and there is another way for Alloy."""
    case = Case().post(b"\x0a", *header, path=PATH)
    status, answer = case.answer()
    assert status == 415
    assert "otelcol.exporter.otlphttp" in answer["detail"]


def test_other_methods_are_405() -> None:
    """Loki's queries are not served."""
    case = Case()
    case.client.send(get(PATH))
    assert case.client.statuses == [405]


def test_a_large_push_is_taken_in_slices_and_a_failure_is_500() -> None:
    """As any large body."""
    body = post(push_of(*[["1", "x"]] * 2500), JSON, path=PATH)
    case = in_loop(Case(), body)
    assert (case.intake.calls, case.client.statuses) == (3, [204])
    case = Case()
    case.intake.fails_at_call = 2
    in_loop(case, body)
    assert case.client.statuses == [500]
    assert case.client.log.events[-1]["event"] == "ingest_failed"
