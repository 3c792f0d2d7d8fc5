"""The Content-Type of a request."""

import pytest

from logopsd.listeners.http.messages import Request
from logopsd.listeners.routes.content_types import content_type_of


@pytest.mark.parametrize(
    ("header", "parsed"),
    [
        (b"", ("", "")),
        (b"text/plain", ("text/plain", "")),
        (b'Text/Plain ; a=b; charset = "UTF-8"', ("text/plain", "utf-8")),
        (b"text/plain;charset", ("text/plain", "")),
        (b";;;", ("", "")),
        (b"\xff;charset=\xff", ("ÿ", "ÿ")),
    ],
)
def test_a_content_type_is_read(header: bytes, parsed: tuple[str, str]) -> None:
    """Type and charset are found however they are written."""
    assert content_type_of(Request("POST", b"/", {b"content-type": header})) == parsed
