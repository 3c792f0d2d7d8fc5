"""Requests that are answered by their head, before a byte of the body is read."""

from logopsd.listeners.http.messages import Request, Response, Route, StreamRoute, error_response
from logopsd.listeners.http.service import Methods, Service

RETRY_AFTER_SECONDS = 1
"""What a client is told to wait where the sink is full: mostly it has emptied by then."""


def not_found() -> Response:
    """404: the path is unknown."""
    return error_response(404, "nothing is served at this path")


def method_not_allowed(methods: Methods) -> Response:
    """405: the path is known, the method is not."""
    allowed = ", ".join(sorted(methods))
    return error_response(405, f"this path takes {allowed}", headers=(("Allow", allowed),))


def too_long(max_body_bytes: int) -> Response:
    """413: the body is longer than the limit, as sent or decompressed."""
    return error_response(413, f"the body is longer than {max_body_bytes} bytes")


def busy() -> Response:
    """503: what would have to be stored cannot be taken now."""
    return error_response(
        503,
        "too much is waiting to be written; send it again later",
        headers=(("Retry-After", str(RETRY_AFTER_SECONDS)),),
    )


def max_body_bytes(route: Route | StreamRoute, service: Service) -> int | None:
    """Return how long a body the route takes; None for no limit."""
    if isinstance(route, StreamRoute):
        return route.max_body_bytes
    return service.limits.max_body_bytes


def coding_of(request: Request) -> str | None:
    """Return the content coding of a request; None where the body is sent as it is."""
    if b"content-encoding" not in request.headers:
        return None
    coding = request.header(b"content-encoding").strip().lower()
    return None if coding in ("", "identity") else coding


def refusal(request: Request, route: Route | StreamRoute, service: Service) -> Response | None:
    """Say why, by its head, the body of a request is not wanted; None where it is."""
    if request.headers.get(b"expect", b"100-continue").lower() != b"100-continue":
        return error_response(417, "the only Expect served is 100-continue")
    if request.method == "POST" and request.content_length is None and not request.chunked:
        return error_response(411, "send a Content-Length, or the body in chunks")
    coding = coding_of(request)
    if coding is not None and coding not in route.codings:
        return _not_coded_so(route.codings)
    limit = max_body_bytes(route, service)
    if limit is not None and (request.content_length or 0) > limit:
        return too_long(limit)
    return None


def refusal_now(request: Request, route: Route | StreamRoute, service: Service) -> Response | None:
    """Say why a request is not wanted from this client or at present; None where it is."""
    if request.method != "POST":
        return None
    if service.authorize is not None and (response := service.authorize(request)) is not None:
        return response
    if service.paused and not (isinstance(route, StreamRoute) and route.patient):
        return busy()
    return None


def _not_coded_so(codings: tuple[str, ...]) -> Response:
    if not codings:
        return error_response(415, "this path takes bodies without a Content-Encoding only")
    names = ", ".join(codings)
    return error_response(
        415,
        f"the Content-Encoding must be one of {names}",
        headers=(("Accept-Encoding", names),),
    )
