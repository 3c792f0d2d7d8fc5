"""What the side port serves: the page, the metrics, the senders, and the daemon's health."""

import time
from collections.abc import Callable, Mapping

from logopsd.listeners.http.messages import (
    Check,
    Request,
    Respond,
    Response,
    Route,
    Routes,
    json_response,
)
from logopsd.listeners.routes.health import health_routes
from logopsd.listeners.routes.live import Live
from logopsd.listeners.routes.page import page_routes


def side_routes(
    *,
    page: Callable[[str | None], tuple[bytes, str]],
    version: str,
    pii_encryption: bool,
    not_ready: Callable[[], str | None],
    sources: Callable[[float], Mapping[str, object]],
    live: Live,
    check: Check,
) -> Routes:
    """Return the routes of the side port.

    Args:
        page: takes the Accept header, gives the page of metrics and its content type.
        version: of the daemon.
        pii_encryption: whether it encrypts.
        not_ready: says why records should not be sent now; None where they may.
        sources: takes the time, seconds since the epoch; gives the table of senders.
        live: tells who watches the page at `/`.
        check: refuses who may see neither records nor senders.
    """

    def metrics(request: Request, respond: Respond) -> None:
        body, content_type = page(request.header(b"accept") or None)
        respond(Response(200, body, content_type=content_type))

    def senders(_: Request, respond: Respond) -> None:
        respond(json_response(200, sources(time.time())))

    return {
        ("GET", "/metrics"): Route(metrics),
        ("GET", "/sources"): Route(senders, check),
        **page_routes(live, check),
        **health_routes(version=version, pii_encryption=pii_encryption, not_ready=not_ready),
    }
