"""Requests refused by their head."""

import pytest

from logopsd.listeners.http.messages import Request, Route, StreamRoute
from logopsd.listeners.http.refusals import coding_of, max_body_bytes, refusal, refusal_now
from logopsd.listeners.http.service import Limits
from tests.listeners.http.helpers import Client, echo

SERVICE = Client(limits=Limits(max_body_bytes=10)).service
ROUTE = Route(echo)


def status_of(method: str, **headers: str) -> int | None:
    """Ask for the refusal of a request; None where there is none."""
    named = {k.replace("_", "-").encode(): v.encode() for k, v in headers.items()}
    response = refusal(Request(method, b"/", named), ROUTE, SERVICE)
    return None if response is None else response.status


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, None),
        ("POST", {"content_length": "10"}, None),
        ("POST", {"transfer_encoding": "chunked"}, None),
        ("POST", {"content_length": "1", "expect": "100-Continue"}, None),
        ("POST", {"content_length": "1", "content_encoding": "gzip"}, None),
        ("POST", {"content_length": "1", "content_encoding": " GZIP "}, None),
        ("POST", {"content_length": "1", "content_encoding": "identity"}, None),
        ("POST", {}, 411),
        ("POST", {"content_length": "11"}, 413),
        ("GET", {"content_length": "11"}, 413),
        ("POST", {"content_length": "1", "content_encoding": "br"}, 415),
        ("POST", {"content_length": "1", "content_encoding": "gzip, gzip"}, 415),
        ("POST", {"content_length": "1", "expect": "a-miracle"}, 417),
    ],
)
def test_heads_are_judged(method: str, headers: dict[str, str], status: int | None) -> None:
    """Each fault of a head has its code."""
    assert status_of(method, **headers) == status


def test_an_unknown_coding_is_told_the_known_ones() -> None:
    """415 for a coding names those that are served (RFC 9110 section 15.5.16)."""
    request = Request("POST", b"/", {b"content-length": b"1", b"content-encoding": b"br"})
    response = refusal(request, ROUTE, SERVICE)
    assert response is not None
    assert dict(response.headers)["Accept-Encoding"] == "gzip, x-gzip, deflate"


def test_a_full_sink_refuses_what_it_would_have_to_store() -> None:
    """POST is told to come back, GET is served."""
    service = Client().service
    service.paused = True
    response = refusal_now(Request("POST", b"/", {b"content-length": b"1"}), ROUTE, service)
    assert response is not None
    assert (response.status, dict(response.headers)) == (503, {"Retry-After": "1"})
    assert refusal_now(Request("GET", b"/", {}), ROUTE, service) is None


def test_a_stream_has_a_limit_of_its_own() -> None:
    """A route that takes the body as it comes may take one without end."""
    assert max_body_bytes(ROUTE, SERVICE) == 10
    endless = StreamRoute(lambda _request, _respond: None)  # type: ignore[arg-type,return-value]
    assert max_body_bytes(endless, SERVICE) is None
    request = Request("POST", b"/", {b"content-length": b"9999999999"})
    assert refusal(request, endless, SERVICE) is None


def test_identity_is_no_coding() -> None:
    """A body sent as it is needs no decompression."""
    assert coding_of(Request("POST", b"/", {b"content-encoding": b"Identity"})) is None
    assert coding_of(Request("POST", b"/", {b"content-encoding": b""})) is None
    assert coding_of(Request("POST", b"/", {})) is None


def test_a_route_may_take_no_coding() -> None:
    """And then it does not ask for any, as some clients would begin to use it."""
    service = Client().service
    request = Request("POST", b"/x", {b"content-length": b"1", b"content-encoding": b"gzip"})
    answer = refusal(request, Route(echo, codings=()), service)
    assert answer is not None
    assert (answer.status, answer.headers) == (415, ())
    assert refusal(request, Route(echo), service) is None


def test_a_patient_stream_waits_for_room() -> None:
    """Any other request is told to come again."""
    service = Client().service
    service.paused = True
    request = Request("POST", b"/x", {b"content-length": b"1"})

    def begin(*_: object) -> None:
        raise AssertionError

    patient, other = (StreamRoute(begin, patient=patient) for patient in (True, False))  # type: ignore[arg-type]
    assert refusal_now(request, patient, service) is None
    answer = refusal_now(request, other, service)
    assert answer is not None
    assert answer.status == 503
