"""Routes by path, and what a target names."""

import pytest

from logopsd.listeners.http.messages import Request, Route
from logopsd.listeners.http.service import Limits, by_path, path_of
from tests.listeners.http.helpers import Client, echo


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/v1/logs", b"/v1/logs"),
        (b"/v1/logs?source=a", b"/v1/logs"),
        (b"/v1/logs?to=http://a/b", b"/v1/logs"),
        (b"http://host:8080/v1/logs?x", b"/v1/logs"),
        (b"http://host", b""),
        (b"/a://b", b"/a://b"),
        (b"*", b"*"),
        (b"", b""),
    ],
)
def test_the_path_of_a_target(target: bytes, path: bytes) -> None:
    """The query is left away, and the server of a whole URL."""
    assert path_of(target) == path


def test_head_is_served_where_get_is() -> None:
    """HEAD needs no route of its own, and may have one."""
    get, own = Route(echo), Route(echo)
    assert by_path({("GET", "/a"): get})[b"/a"]["HEAD"] is get
    table = by_path({("GET", "/a"): get, ("HEAD", "/a"): own, ("POST", "/b"): own})
    assert table[b"/a"]["HEAD"] is own
    assert "HEAD" not in table[b"/b"]


def test_a_look_up_sets_the_path() -> None:
    """Routes see the path without the query."""
    request = Request("GET", b"/echo?x=1", {})
    assert Client().service.methods_at(request) is not None
    assert request.path == b"/echo"
    assert Client().service.methods_at(Request("GET", b"/no", {})) is None


def test_other_routes_make_it_forget_the_heads_it_knew() -> None:
    """They say who serves them."""
    service = Client().service
    request = Request("GET", b"/echo", {}, route=Route(echo))
    service.known.remember(b"head", request)
    assert service.known
    service.replace_routes({})
    assert service.routes == {}
    assert not service.known


def test_the_defaults_hold_together() -> None:
    """One body fits below the limit of all, and what is read away below one body."""
    limits = Limits()
    assert limits.max_discarded_bytes <= limits.max_body_bytes <= limits.max_buffered_bytes
    assert limits.close_seconds < 4.0
