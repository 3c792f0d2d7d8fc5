"""What the side port serves: the metrics, and the daemon's health."""

from collections.abc import Callable

from logopsd.listeners.http.messages import Request, Respond, Response, Route, Routes
from logopsd.listeners.routes.health import health_routes


def side_routes(
    *,
    page: Callable[[str | None], tuple[bytes, str]],
    version: str,
    pii_encryption: bool,
    not_ready: Callable[[], str | None],
) -> Routes:
    """Return the routes of the side port.

    Args:
        page: takes the Accept header, gives the page of metrics and its content type.
        version: of the daemon.
        pii_encryption: whether it encrypts.
        not_ready: says why records should not be sent now; None where they may.
    """

    def metrics(request: Request, respond: Respond) -> None:
        body, content_type = page(request.header(b"accept") or None)
        respond(Response(200, body, content_type=content_type))

    health = health_routes(version=version, pii_encryption=pii_encryption, not_ready=not_ready)
    return {("GET", "/metrics"): Route(metrics), **health}
