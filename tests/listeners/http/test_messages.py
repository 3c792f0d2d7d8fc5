"""Requests and responses as routes see them."""

import json

import pytest

from logopsd.figures.metrics import HTTP_CODES
from logopsd.listeners.http.messages import (
    CONNECTION_CLOSE,
    Request,
    Response,
    error_response,
    json_response,
    phrase_of,
)


def test_a_response_is_status_type_length_and_body() -> None:
    """Nothing is sent that nobody needs."""
    assert Response(200, b"{}").encode() == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )


def test_a_response_to_head_tells_the_length_alone() -> None:
    """HEAD gets the same head as GET and no body."""
    whole = Response(200, b"abc").encode()
    assert Response(200, b"abc").encode(head_only=True) == whole.removesuffix(b"abc")


def test_no_content_has_neither_type_nor_length() -> None:
    """RFC 9110 section 8.6 forbids a length with 204."""
    assert Response(204).encode() == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert Response(204).encode(CONNECTION_CLOSE).count(b"Connection: close\r\n") == 1


def test_headers_and_connection_are_sent() -> None:
    """What a route adds, and what the connection says, stand in the head."""
    response = Response(503, b"x", content_type="text/plain", headers=(("Retry-After", "1"),))
    assert response.encode(CONNECTION_CLOSE) == (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 1\r\n"
        b"Connection: close\r\nContent-Length: 1\r\n\r\nx"
    )


@pytest.mark.parametrize("status", HTTP_CODES)
def test_every_code_that_is_counted_has_words(status: int) -> None:
    """The closed set of codes holds none that HTTP does not know."""
    assert phrase_of(status)


def test_an_error_says_what_and_where() -> None:
    """Errors are JSON with a name and a sentence."""
    response = error_response(413, "the body is longer than 5 bytes", close=True)
    assert response.close
    assert json.loads(response.body) == {
        "error": "Content Too Large",
        "detail": "the body is longer than 5 bytes",
    }


def test_json_is_encoded() -> None:
    """An object becomes a JSON body."""
    response = json_response(200, {"accepted": 1})
    assert (response.body, response.content_type) == (b'{"accepted":1}', "application/json")


def test_a_request_knows_its_framing() -> None:
    """Length and chunking are read off the headers."""
    assert Request("GET", b"/", {}).content_length is None
    assert Request("POST", b"/", {b"content-length": b"12"}).content_length == 12
    assert Request("POST", b"/", {b"transfer-encoding": b"chunked"}).chunked


def test_a_header_is_text_and_empty_where_missing() -> None:
    """Routes ask for headers by their name in lower case."""
    request = Request("GET", b"/", {b"accept": b"text/plain"})
    assert request.header(b"accept") == "text/plain"
    assert request.header(b"cookie") == ""
