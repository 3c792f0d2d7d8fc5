"""The page at `/` on the side port: its files, the stream of events, and who may ask for them.

A page of another site, open in the operator's browser, can reach what listens on loopback. It
must neither read records, nor show the page in a frame of its own, nor take up the places of
watchers:

- Without CORS headers no script of another site reads an answer, and CORP keeps it from
  embedding one.
- DNS rebinding makes a site of the attacker's have our address, but not our name: where the
  connection comes from this machine, the Host header must name it.
- A browser says by Sec-Fetch-Site where a request comes from; events go to our own page alone.

Nothing on the page is taken from anywhere else, and no text of a record can become markup: the
policy forbids scripts and styles but those of these files, and every way from text to markup.
"""

import ipaddress
from functools import cache
from pathlib import Path
from typing import Final

from logopsd.listeners.http.feed import feed_response
from logopsd.listeners.http.messages import (
    Check,
    Request,
    Respond,
    Response,
    Route,
    Routes,
    error_response,
)
from logopsd.listeners.routes.live import MAX_WATCHERS, Live

EVENTS: Final = "/events"

_FILES: Final = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    **{
        f"/{name}.js": (f"{name}.js", "text/javascript; charset=utf-8")
        for name in ("page", "inputs", "records", "tables", "text")
    },
}
"""Path -> file and content type."""

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

_HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


def page_routes(live: Live, check: Check) -> Routes:
    """Return the routes of the page.

    Args:
        live: tells who watches.
        check: refuses who may not ask; see `local_name_check`.
    """

    def file(request: Request, respond: Respond) -> None:
        name, content_type = _FILES[request.path.decode()]
        respond(Response(200, _read(name), content_type=content_type, headers=_HEADERS))

    def check_events(request: Request) -> Response | None:
        if (refused := check(request)) is not None:
            return refused
        # Browsers say so since 2020 to 2023; older ones are held back by the missing CORS header.
        if request.header(b"sec-fetch-site") not in ("", "same-origin", "none"):
            return error_response(403, "events are told to the daemon's own page alone")
        if live.is_full and request.method != "HEAD":
            return error_response(503, f"{MAX_WATCHERS} pages are open already; close one")
        return None

    def events(_: Request, respond: Respond) -> None:
        respond(feed_response(live, content_type="text/event-stream", headers=_HEADERS))

    routes = {("GET", path): Route(file, check) for path in _FILES}
    return {**routes, ("GET", EVENTS): Route(events, check_events)}


def local_name_check(bound: str) -> Check:
    """Return what refuses a request from this machine by a name that is none of this machine.

    An address cannot be rebound, so every one is fine. Who comes from another machine may use
    whatever name leads here: there is no telling which.

    Args:
        bound: the name or address that the listener was told to bind to.
    """

    def check(request: Request) -> Response | None:
        host = _host_of(request.header(b"host"))
        if not _is_loopback(request.peer) or host in ("", bound.lower()):
            return None
        if host == "localhost" or host.endswith(".localhost") or _address(host) is not None:
            return None
        return error_response(
            403,
            "asked from this machine by a name that is not its own; use http://localhost or the "
            "address, and have a proxy send `Host: localhost`",
        )

    return check


@cache
def _read(name: str) -> bytes:
    """Read a file of the page, when it is first asked for."""
    return (Path(__file__).parent / "static" / name).read_bytes()


def _host_of(header: str) -> str:
    """The host of a Host header, RFC 9110 section 7.2, in small letters and without brackets."""
    header = header.strip().lower()
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].removesuffix(".")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(peer: str | None) -> bool:
    address = _address(peer or "")
    return address is not None and address.is_loopback
