"""The page's files and its stream: what they carry, and who may ask for them."""

import re

import pytest

from logopsd.listeners.http.messages import Request
from logopsd.listeners.routes.live import MAX_WATCHERS, Live
from logopsd.listeners.routes.page import local_name_check, page_routes
from tests.listeners.http.helpers import Client, Recorder, get, head, in_loop
from tests.listeners.routes.test_live import Watcher, views


def client(live: Live | None = None) -> Client:
    """Give a client of the page, on another machine."""
    live = live or Live(views(), Recorder().logger)
    return Client(page_routes(live, local_name_check("127.0.0.1")))


def asked(host: str, *, peer: str = "127.0.0.1", bound: str = "127.0.0.1") -> bool:
    """Tell whether a request by this name is served."""
    headers = {b"host": host.encode()} if host else {}
    return local_name_check(bound)(Request("GET", b"/", headers, peer=peer)) is None


def test_the_page_and_all_it_names_are_served() -> None:
    """With their types; the page names nothing that is elsewhere, and no code in itself."""
    ((status, headers, body),) = client().send(get("/")).answers
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    html = body.decode()
    named = set(re.findall(r'(?:src|href)="([^"#]+)"', html)) - {"metrics", "sources"}
    scripts = {"page.js"}
    for _ in range(2):
        for name in sorted(scripts):
            script = client().send(get(f"/{name}")).answers[0][2].decode()
            scripts |= set(re.findall(r'from "\./([a-z]+\.js)"', script))
    assert named | scripts == {
        *("icon.svg", "page.css", "page.js", "inputs.js", "records.js", "tables.js", "text.js"),
    }
    types = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for name in named | scripts:
        ((status, headers, body),) = client().send(get(f"/{name}")).answers
        assert status == 200
        assert headers["Content-Type"].startswith(types[name.partition(".")[2]])
        assert b"://" not in body.replace(b"http://www.w3.org/", b"")
        assert not re.search(rb"innerHTML|insertAdjacentHTML|document\.write|eval\(", body)
    assert not re.search(r"<style|\bstyle=|\bon[a-z]+=|<script>", html)


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/icon.svg", "/events"])
def test_every_answer_keeps_other_sites_out(path: str) -> None:
    """No script but ours, no frame, no type but the one told, no copy kept; and no CORS header."""
    text = client().send(head("HEAD", path)).received.decode()
    assert text.startswith("HTTP/1.1 200 ")
    assert "Content-Security-Policy: default-src 'none'; script-src 'self';" in text
    assert "frame-ancestors 'none'" in text
    for line in (
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "Referrer-Policy: no-referrer",
        "Cross-Origin-Resource-Policy: same-origin",
        "Cache-Control: no-store",
    ):
        assert f"{line}\r\n" in text
    assert "unsafe" not in text
    assert "Access-Control" not in text


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "localhost:9514",
            "LocalHost.",
            "127.0.0.1:9514",
            "[::1]:9514",
            "a.localhost",
        ),
        *("192.0.2.7", "", "logs.example.org:9514"),
    ],
)
def test_this_machine_is_asked_by_its_own_names(host: str) -> None:
    """Those of loopback, any address, and the one that was bound."""
    assert asked(host, bound="Logs.example.org")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9514", "localhost.evil.example", "127.0.0.1.evil.example"],
)
def test_a_name_that_was_rebound_is_refused(host: str) -> None:
    """A site whose name leads here is no page of ours; from another machine any name may be."""
    assert not asked(host)
    assert not asked(host, peer="::1", bound="0.0.0.0")
    assert asked(host, peer="192.0.2.7", bound="0.0.0.0")


def test_a_refused_name_gets_nothing() -> None:
    """Neither page nor events; the answer names the mend."""
    side = client()
    side.connection._reader._peer = "127.0.0.1"
    side.send(b"GET /events HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    ((status, _, body),) = side.answers
    assert status == 403
    assert b"http://localhost" in body


def test_events_are_for_our_own_page() -> None:
    """A browser says where a request comes from; other programs say nothing, and are served."""
    for site in ("cross-site", "same-site"):
        assert client().send(get("/events", f"Sec-Fetch-Site: {site}")).statuses == [403]

    def served() -> None:
        for headers in ((), ("Sec-Fetch-Site: same-origin",), ("Sec-Fetch-Site: none",)):
            one = client().send(get("/events", *headers))
            assert one.received.startswith(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            )
            assert b"\r\n\r\nretry: 1000\n\ndata: {" in one.received
            one.connection.connection_lost(None)

    in_loop(served)


def test_one_watcher_too_many_is_refused() -> None:
    """503 with the reason, and none of the others is disturbed."""

    def run() -> None:
        live = Live(views(), Recorder().logger)
        watchers = [Watcher(live).begin() for _ in range(MAX_WATCHERS)]
        ((status, _, body),) = client(live).send(get("/events")).answers
        assert status == 503
        assert b"8 pages are open already" in body
        for each in watchers:
            each.outlet.end()

    in_loop(run)
